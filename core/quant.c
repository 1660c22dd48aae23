/* core.quant: codecs between f32 matrices and packed rows, and the moves of
 * whole rows that packing needs. Dispatches on the table of kernels.h.
 */
#include <math.h>
#include <string.h>

#include "buffer.h"
#include "kernels.h"

int luaopen_core_quant(lua_State *L);

/* A matrix under a codec. */
struct shape {
  const struct codec *codec;
  size_t rows;
  size_t cols;
  size_t group;     /* columns that share a scale */
  size_t groups;    /* scales of a row */
  size_t row_bytes; /* bytes of a row's codes */
};

static const struct codec *check_codec(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  const struct codec *codec = codec_find(name);
  if (codec == NULL)
    luaL_argerror(L, arg, lua_pushfstring(L, "unknown codec '%s'", name));
  return codec;
}

/* a * b, or raises. */
static size_t multiply(lua_State *L, size_t a, size_t b) {
  if (b != 0 && a > (SIZE_MAX >> 8) / b)
    luaL_error(L, "%I x %I is too large", (LUAI_UACINT)a, (LUAI_UACINT)b);
  return a * b;
}

/* Reads rows and cols at `arg` and option `group` of the table after them. */
static struct shape check_shape(lua_State *L, const struct codec *codec,
                                int arg) {
  struct shape shape = {.codec = codec};
  shape.rows = (size_t)bind_size(L, arg);
  shape.cols = (size_t)bind_size(L, arg + 1);
  size_t group =
      (size_t)bind_opt_integer(L, arg + 2, "group", 0, (lua_Integer)1 << 53, 0);
  if (codec->group != 0) {
    luaL_argcheck(L, group == 0 || group == codec->group, arg + 2,
                  "this codec has a group of its own");
    group = codec->group;
  }
  if (group == 0) group = shape.cols > 0 ? shape.cols : 1;
  shape.group = group;
  shape.groups = shape.cols / group + (shape.cols % group != 0);
  shape.row_bytes = codec->row_bytes(shape.cols);
  multiply(L, multiply(L, shape.rows, shape.cols), sizeof(float));
  return shape;
}

static size_t group_width(const struct shape *shape, size_t first) {
  size_t left = shape->cols - first;
  return left < shape->group ? left : shape->group;
}

/* row_bytes(codec, cols) -> bytes of one row's codes. */
static int f_row_bytes(lua_State *L) {
  const struct codec *codec = check_codec(L, 1);
  lua_pushinteger(L, (lua_Integer)codec->row_bytes((size_t)bind_size(L, 2)));
  return 1;
}

/* codecs() -> {name = {bits = per weight, group = columns to a scale, or 0 when
 * the caller chooses}}. */
static int f_codecs(lua_State *L) {
  lua_newtable(L);
  for (const struct codec *codec = codecs; codec->name != NULL; codec++) {
    lua_createtable(L, 0, 2);
    lua_pushnumber(L, codec->bits);
    lua_setfield(L, -2, "bits");
    lua_pushinteger(L, (lua_Integer)codec->group);
    lua_setfield(L, -2, "group");
    lua_setfield(L, -2, codec->name);
  }
  return 1;
}

/* widen(dtype, source) -> f32 buffer. */
static int f_widen(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  struct bytes in = bind_bytes(L, 2);
  luaL_argcheck(L, dtype <= DTYPE_BF16, 1, "must be f32, f16 or bf16");
  size_t size = dtype_size(dtype);
  luaL_argcheck(L, in.size % size == 0, 2, "ends inside an element");
  size_t count = in.size / size;
  float *out = buffer_push(L, DTYPE_F32, count)->data;
  if (dtype == DTYPE_F16)
    f16_widen(in.data, count, out);
  else if (dtype == DTYPE_BF16)
    bf16_widen(in.data, count, out);
  else if (in.size > 0)
    memcpy(out, in.data, in.size);
  return 1;
}

/* narrow(dtype, f32 buffer) -> buffer, rounded to nearest even. */
static int f_narrow(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  const struct buffer *in = buffer_check(L, 2, DTYPE_F32);
  luaL_argcheck(L, dtype <= DTYPE_BF16, 1, "must be f32, f16 or bf16");
  void *out = buffer_push(L, dtype, in->count)->data;
  if (dtype == DTYPE_F16)
    f16_narrow(in->data, in->count, out);
  else if (dtype == DTYPE_BF16)
    bf16_narrow(in->data, in->count, out);
  else
    memcpy(out, in->data, in->count * sizeof(float));
  return 1;
}

static struct fit check_fit(lua_State *L, int arg) {
  struct fit how = {0};
  const char *scale = bind_opt_string(L, arg, "scale", "least_squares");
  how.mean_abs = strcmp(scale, "mean_abs") == 0;
  if (!how.mean_abs && strcmp(scale, "least_squares") != 0)
    luaL_error(L, "option 'scale' must be least_squares or mean_abs, not '%s'",
               scale);
  how.iterations = (int)bind_opt_integer(L, arg, "iterations", 1, 1000, 8);
  return how;
}

/* Encodes a row. Returns the column of a group whose scale does not fit f16, or
 * cols when all is well. */
static size_t encode_row(const struct shape *shape, const struct fit *how,
                         const float *w, int8_t *scratch, uint8_t *codes,
                         uint16_t *scales, float *error) {
  double sum = 0;
  for (size_t first = 0; first < shape->cols; first += shape->group) {
    size_t n = group_width(shape, first);
    uint16_t half = shape->codec->fit(w + first, n, how, scratch + first);
    float scale = f16_to_f32(half);
    if (isinf(scale)) return first;
    *scales++ = half;
    sum += squared_error(w + first, scratch + first, n, scale);
  }
  shape->codec->pack(scratch, shape->cols, codes);
  *error = (float)sum;
  return shape->cols;
}

static int fail_weight(lua_State *L, size_t row, size_t column,
                       const char *what) {
  return bind_fail(L, "invalid_model", "row %I, column %I: %s",
                   (LUAI_UACINT)row, (LUAI_UACINT)column, what);
}

/* encode(codec, weights, rows, cols [, {scale = "least_squares"|"mean_abs",
 * group = 0 for the whole row, iterations = 8}])
 *   -> {codes = u8 [rows, row_bytes], scales = f16 [rows, groups],
 *       errors = f32 [rows], squared error with the rounded scale}
 * | nil, message, code. q4 always takes the scale of least error. */
static int f_encode(lua_State *L) {
  const struct codec *codec = check_codec(L, 1);
  const struct buffer *weights = buffer_check(L, 2, DTYPE_F32);
  struct shape shape = check_shape(L, codec, 3);
  struct fit how = check_fit(L, 5);
  size_t cols = shape.cols;
  luaL_argcheck(L, weights->count == shape.rows * cols, 2,
                "does not hold rows x cols weights");
  lua_createtable(L, 0, 3);
  uint8_t *codes =
      buffer_push(L, DTYPE_U8, multiply(L, shape.rows, shape.row_bytes))->data;
  lua_setfield(L, -2, "codes");
  uint16_t *scales =
      buffer_push(L, DTYPE_F16, multiply(L, shape.rows, shape.groups))->data;
  lua_setfield(L, -2, "scales");
  float *errors = buffer_push(L, DTYPE_F32, shape.rows)->data;
  lua_setfield(L, -2, "errors");
  int8_t *scratch = lua_newuserdatauv(L, cols > 0 ? cols : 1, 0);
  for (size_t row = 0; row < shape.rows; row++) {
    const float *w = (const float *)weights->data + row * cols;
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    size_t bad = first_not_finite(w, cols);
    if (bad < cols) return fail_weight(L, row, bad, "weight is not finite");
    bad = encode_row(&shape, &how, w, scratch, codes + row * shape.row_bytes,
                     scales + row * shape.groups, errors + row);
    if (bad < cols)
      return fail_weight(L, row, bad, "scale is too large for 16 bits");
  }
  lua_pop(L, 1);
  return 1;
}

/* Decodes a row. Returns the column of a group whose scale is not finite, or
 * cols when all is well. */
static size_t decode_row(const struct shape *shape, const uint8_t *codes,
                         const uint8_t *scales, int8_t *scratch, float *out) {
  shape->codec->unpack(codes, shape->cols, scratch);
  for (size_t first = 0; first < shape->cols; first += shape->group) {
    uint16_t half;
    memcpy(&half, scales, sizeof half);
    scales += sizeof half;
    float scale = f16_to_f32(half);
    if (!isfinite(scale)) return first;
    scale_codes(scratch + first, group_width(shape, first), scale, out + first);
  }
  return shape->cols;
}

/* Whether `bytes` are `rows` times `each`, without multiplying. */
static bool holds_rows(struct bytes bytes, size_t rows, size_t each) {
  if (rows == 0 || each == 0) return bytes.size == 0;
  return bytes.size % each == 0 && bytes.size / each == rows;
}

/* decode(codec, codes, scales, rows, cols [, {group = 0}]) -> f32 buffer
 * | nil, message, code. Codes and scales may come from a file. */
static int f_decode(lua_State *L) {
  const struct codec *codec = check_codec(L, 1);
  struct bytes codes = bind_bytes(L, 2);
  struct bytes scales = bind_bytes(L, 3);
  struct shape shape = check_shape(L, codec, 4);
  size_t cols = shape.cols;
  if (!holds_rows(codes, shape.rows, shape.row_bytes))
    return bind_fail(L, "invalid_model", "%I bytes of codes, not %I x %I",
                     (LUAI_UACINT)codes.size, (LUAI_UACINT)shape.rows,
                     (LUAI_UACINT)shape.row_bytes);
  if (!holds_rows(scales, shape.rows, shape.groups * sizeof(uint16_t)))
    return bind_fail(L, "invalid_model", "%I bytes of scales, not %I x %I x 2",
                     (LUAI_UACINT)scales.size, (LUAI_UACINT)shape.rows,
                     (LUAI_UACINT)shape.groups);
  float *out = buffer_push(L, DTYPE_F32, shape.rows * cols)->data;
  int8_t *scratch = lua_newuserdatauv(L, cols > 0 ? cols : 1, 0);
  for (size_t row = 0; cols > 0 && row < shape.rows; row++) {
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    size_t bad = decode_row(&shape, codes.data + row * shape.row_bytes,
                            scales.data + row * shape.groups * sizeof(uint16_t),
                            scratch, out + row * cols);
    if (bad < cols) return fail_weight(L, row, bad, "scale is not finite");
  }
  lua_pop(L, 1);
  return 1;
}

static int fail_row(lua_State *L, int32_t row, size_t rows) {
  return bind_fail(L, "out_of_range", "row %d is outside of %I rows", (int)row,
                   (LUAI_UACINT)rows);
}

static bool row_in(int32_t row, size_t rows) {
  return row >= 0 && (size_t)row < rows;
}

/* gather(source, row_size, rows) -> u8 buffer: the rows of `source`, row_size
 * bytes each, that the i32 buffer `rows` names, in its order
 * | nil, message, "out_of_range". */
static int f_gather(lua_State *L) {
  struct bytes in = bind_bytes(L, 1);
  size_t size = (size_t)bind_size(L, 2);
  const struct buffer *rows = buffer_check(L, 3, DTYPE_I32);
  const int32_t *row = rows->data;
  luaL_argcheck(L, size > 0 && in.size % size == 0, 2,
                "does not divide the source");
  size_t total = multiply(L, rows->count, size);
  uint8_t *out = buffer_push(L, DTYPE_U8, total)->data;
  for (size_t i = 0; i < rows->count; i++) {
    if (!row_in(row[i], in.size / size))
      return fail_row(L, row[i], in.size / size);
    memcpy(out + i * size, in.data + (size_t)row[i] * size, size);
  }
  return 1;
}

/* scatter(target, cols, rows, source) -> target | nil, message, "out_of_range":
 * row rows[i] of the f32 buffer `target` becomes row i of `source`. */
static int f_scatter(lua_State *L) {
  const struct buffer *target = buffer_check(L, 1, DTYPE_F32);
  size_t cols = (size_t)bind_size(L, 2);
  const struct buffer *rows = buffer_check(L, 3, DTYPE_I32);
  const struct buffer *source = buffer_check(L, 4, DTYPE_F32);
  const int32_t *row = rows->data;
  luaL_argcheck(L, cols > 0 && target->count % cols == 0, 2,
                "does not divide the target");
  luaL_argcheck(L, source->count == multiply(L, rows->count, cols), 4,
                "does not hold rows x cols values");
  size_t height = target->count / cols;
  for (size_t i = 0; i < rows->count; i++)
    if (!row_in(row[i], height)) return fail_row(L, row[i], height);
  for (size_t i = 0; i < rows->count; i++)
    memmove((float *)target->data + (size_t)row[i] * cols,
            (const float *)source->data + i * cols, cols * sizeof(float));
  lua_settop(L, 1);
  return 1;
}

int luaopen_core_quant(lua_State *L) {
  static const luaL_Reg functions[] = {
      BIND(row_bytes), BIND(codecs), BIND(widen),   BIND(narrow), BIND(encode),
      BIND(decode),    BIND(gather), BIND(scatter), {NULL, NULL}};
  buffer_require(L);
  luaL_newlib(L, functions);
  return 1;
}
