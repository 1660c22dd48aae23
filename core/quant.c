/* core.quant: codecs between floats and packed rows, and the moves of whole
 * rows that packing needs. This file has the module, its shared checks and the
 * moves; quant_*.c have the rest. Kernels are chosen in codecs.c. */
#include "quant.h"

#include <stdlib.h>
#include <string.h>

int luaopen_core_quant(lua_State *L);

const struct codec *quant_check_codec(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  const struct codec *codec = codec_find(name);
  if (codec == NULL)
    luaL_argerror(L, arg, lua_pushfstring(L, "unknown codec '%s'", name));
  return codec;
}

size_t quant_multiply(lua_State *L, size_t a, size_t b) {
  if (b != 0 && a > (SIZE_MAX >> 8) / b)
    luaL_error(L, "%I x %I is too large", (LUAI_UACINT)a, (LUAI_UACINT)b);
  return a * b;
}

/* The columns that share a scale: what the caller or the codec says. */
static size_t check_group(lua_State *L, const struct codec *codec, size_t cols,
                          int arg) {
  size_t group =
      (size_t)bind_opt_integer(L, arg, "group", 0, (lua_Integer)1 << 53, 0);
  size_t own = codec->block != 0 ? codec->run : codec->group;
  if (own != 0)
    luaL_argcheck(L, group == 0 || group == own, arg,
                  "this codec has a group of its own");
  if (own != 0) return own;
  return group != 0 ? group : cols > 0 ? cols : 1;
}

struct shape quant_check_shape(lua_State *L, const struct codec *codec,
                               size_t rows, size_t cols, int arg) {
  struct shape shape = {.row = {.codec = codec, .cols = cols}, .rows = rows};
  size_t group = shape.row.group = check_group(L, codec, cols, arg);
  if (codec->block == 0)
    shape.groups = cols / group + (cols % group != 0);
  else if (cols % codec->block != 0)
    luaL_error(L, "%s has blocks of %I: %I columns are not whole blocks",
               codec->name, (LUAI_UACINT)codec->block, (LUAI_UACINT)cols);
  shape.row_bytes = codec_row_bytes(codec, cols);
  quant_multiply(L, quant_multiply(L, rows, cols), sizeof(float));
  return shape;
}

static enum float_type check_type_name(lua_State *L, const char *name) {
  if (strcmp(name, "f32") == 0) return FLOAT_F32;
  if (strcmp(name, "f16") == 0) return FLOAT_F16;
  if (strcmp(name, "bf16") == 0) return FLOAT_BF16;
  return (enum float_type)luaL_error(L, "must be f32, f16 or bf16, not '%s'",
                                     name);
}

enum float_type quant_check_type(lua_State *L, int arg, const char *key) {
  return check_type_name(L, bind_opt_string(L, arg, key, "f32"));
}

static size_t type_width(enum float_type type) {
  return type == FLOAT_F32 ? 4 : 2;
}

struct floats quant_check_floats(lua_State *L, int arg, int options,
                                 const char *key) {
  static_assert(DTYPE_F32 == (int)FLOAT_F32 && DTYPE_F16 == (int)FLOAT_F16 &&
                    DTYPE_BF16 == (int)FLOAT_BF16,
                "floats of buffers and of kernels have the same numbers");
  for (int type = DTYPE_F32; type <= DTYPE_BF16; type++) {
    const struct buffer *buffer = buffer_test(L, arg, (enum dtype)type);
    if (buffer != NULL)
      return (struct floats){(enum float_type)type, buffer->data,
                             buffer->count};
  }
  const char *name = key ? bind_opt_string(L, options, key, NULL) : NULL;
  if (name == NULL)
    luaL_argerror(L, arg, "must be a buffer of f32, f16 or bf16");
  enum float_type type = check_type_name(L, name);
  struct bytes bytes = bind_bytes(L, arg);
  luaL_argcheck(L, bytes.size % type_width(type) == 0, arg,
                "ends inside an element");
  return (struct floats){type, bytes.data, bytes.size / type_width(type)};
}

const float *quant_floats(const struct kernels *kernels,
                          const struct floats *in, size_t first, size_t n,
                          float *tile) {
  const uint8_t *at = in->data + first * type_width(in->type);
  bool aligned = (uintptr_t)at % _Alignof(float) == 0;
  if (in->type == FLOAT_F32 && aligned) return (const float *)(const void *)at;
  kernels->widen(in->type, at, n, tile);
  return tile;
}

void *quant_push_floats(lua_State *L, int arg, enum float_type type,
                        size_t count) {
  if (lua_istable(L, arg) && lua_getfield(L, arg, "into") != LUA_TNIL) {
    struct buffer *into = buffer_test(L, -1, (enum dtype)type);
    if (into == NULL || into->count != count)
      luaL_error(L,
                 "option 'into' must be a buffer of %I elements of that "
                 "dtype",
                 (LUAI_UACINT)count);
    return into->data;
  }
  return buffer_push_unset(L, (enum dtype)type, count)->data;
}

bool quant_holds(lua_State *L, struct bytes bytes, size_t rows, size_t each,
                 const char *what) {
  bool empty = rows == 0 || each == 0;
  if (empty ? bytes.size == 0
            : bytes.size % each == 0 && bytes.size / each == rows)
    return true;
  bind_fail(L, "invalid_model", "%I bytes of %s, not %I x %I",
            (LUAI_UACINT)bytes.size, what, (LUAI_UACINT)rows,
            (LUAI_UACINT)each);
  return false;
}

/* ---- facts ---- */

/* row_bytes(codec, cols) -> integer: bytes of one row's codes or blocks. */
static int f_row_bytes(lua_State *L) {
  const struct codec *codec = quant_check_codec(L, 1);
  size_t cols = (size_t)bind_size(L, 2);
  luaL_argcheck(L, codec->block == 0 || cols % codec->block == 0, 2,
                "not whole blocks");
  lua_pushinteger(L, (lua_Integer)codec_row_bytes(codec, cols));
  return 1;
}

/* block(codec) -> integer, integer: values and bytes of a block; 0, 0 for
 * codecs without blocks. */
static int f_block(lua_State *L) {
  const struct codec *codec = quant_check_codec(L, 1);
  lua_pushinteger(L, (lua_Integer)codec->block);
  lua_pushinteger(L, (lua_Integer)codec->bytes);
  return 2;
}

static void set_integer(lua_State *L, const char *key, size_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, key);
}

/* codecs() -> {name = {bits = per weight, and of GGUF's: id, block = values,
 * bytes = of a block; of ours: group = columns to a scale, or 0 when the caller
 * chooses}}. */
static int f_codecs(lua_State *L) {
  lua_newtable(L);
  for (size_t i = 0; i < CODECS; i++) {
    const struct codec *codec = &codecs[i];
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, codec->bits);
    lua_setfield(L, -2, "bits");
    if (codec->block == 0) set_integer(L, "group", codec->group);
    if (codec->block != 0) {
      set_integer(L, "id", (size_t)codec->ggml);
      set_integer(L, "block", codec->block);
      set_integer(L, "bytes", codec->bytes);
    }
    lua_setfield(L, -2, codec->name);
  }
  return 1;
}

/* isa() -> string or nil, array: name of the instruction set in use, nil when
 * BITTERN_ISA names none that this processor has; and those it has, slowest
 * first. */
static int f_isa(lua_State *L) {
  const struct kernels *chosen = kernels_chosen(), *next;
  lua_pushstring(L, chosen == NULL ? NULL : chosen->name);
  lua_newtable(L);
  for (size_t i = 0; (next = kernels_available(i)) != NULL; i++) {
    lua_pushstring(L, next->name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 2;
}

/* ---- conversions and moves ---- */

/* Kernels for what cannot fail: the plain ones when BITTERN_ISA is wrong. */
static const struct kernels *some_kernels(void) {
  const struct kernels *chosen = kernels_chosen();
  return chosen != NULL ? chosen : &kernels_scalar;
}

/* widen(dtype, source (bytes)) -> f32 buffer. */
static int f_widen(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  struct bytes in = bind_bytes(L, 2);
  luaL_argcheck(L, dtype <= DTYPE_BF16, 1, "must be f32, f16 or bf16");
  size_t size = dtype_size(dtype);
  luaL_argcheck(L, in.size % size == 0, 2, "ends inside an element");
  size_t count = in.size / size;
  float *out = buffer_push_unset(L, DTYPE_F32, count)->data;
  some_kernels()->widen((enum float_type)dtype, in.data, count, out);
  return 1;
}

/* narrow(dtype, values (f32 buffer)) -> buffer of that dtype, rounded to
 * nearest even. */
static int f_narrow(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  const struct buffer *in = buffer_check(L, 2, DTYPE_F32);
  luaL_argcheck(L, dtype <= DTYPE_BF16, 1, "must be f32, f16 or bf16");
  void *out = buffer_push_unset(L, dtype, in->count)->data;
  some_kernels()->narrow((enum float_type)dtype, in->data, in->count, out);
  return 1;
}

/* gather(source (bytes), row_size (integer: bytes), rows (i32 buffer)) -> u8
 * buffer: the rows of `source` that `rows` names, in its order | nil, message,
 * "out_of_range". */
static int f_gather(lua_State *L) {
  struct bytes in = bind_bytes(L, 1);
  size_t size = (size_t)bind_size(L, 2);
  const struct buffer *rows = buffer_check(L, 3, DTYPE_I32);
  const int32_t *row = rows->data;
  luaL_argcheck(L, size > 0 && in.size % size == 0, 2,
                "does not divide the source");
  size_t total = quant_multiply(L, rows->count, size);
  uint8_t *out = buffer_push(L, DTYPE_U8, total)->data;
  for (size_t i = 0; i < rows->count; i++) {
    if (!quant_row_in(row[i], in.size / size))
      return quant_fail_row(L, row[i], in.size / size);
    memcpy(out + i * size, in.data + (size_t)row[i] * size, size);
  }
  return 1;
}

/* scatter(target (f32 buffer), cols, rows (i32 buffer), source (f32 buffer))
 * -> buffer: `target`, whose row rows[i] has become row i of `source` | nil,
 * message, "out_of_range". */
static int f_scatter(lua_State *L) {
  const struct buffer *target = buffer_check(L, 1, DTYPE_F32);
  size_t cols = (size_t)bind_size(L, 2);
  const struct buffer *rows = buffer_check(L, 3, DTYPE_I32);
  const struct buffer *source = buffer_check(L, 4, DTYPE_F32);
  const int32_t *row = rows->data;
  luaL_argcheck(L, cols > 0 && target->count % cols == 0, 2,
                "does not divide the target");
  luaL_argcheck(L, source->count == quant_multiply(L, rows->count, cols), 4,
                "does not hold rows x cols values");
  size_t height = target->count / cols;
  for (size_t i = 0; i < rows->count; i++)
    if (!quant_row_in(row[i], height)) return quant_fail_row(L, row[i], height);
  for (size_t i = 0; i < rows->count; i++)
    memmove((float *)target->data + (size_t)row[i] * cols,
            (const float *)source->data + i * cols, cols * sizeof(float));
  lua_settop(L, 1);
  return 1;
}

int luaopen_core_quant(lua_State *L) {
  static const luaL_Reg functions[] = {BIND(row_bytes),
                                       BIND(block),
                                       BIND(codecs),
                                       BIND(isa),
                                       BIND(widen),
                                       BIND(narrow),
                                       BIND(gather),
                                       BIND(scatter),
                                       {"encode", quant_encode},
                                       {"decode", quant_decode},
                                       {"column_scales", quant_column_scales},
                                       {"encode_blocks", quant_encode_blocks},
                                       {"decode_blocks", quant_decode_blocks},
                                       {"dot", quant_dot},
                                       {"matmul", quant_matmul},
                                       {NULL, NULL}};
  buffer_require(L);
  luaL_newlib(L, functions);
  return 1;
}
