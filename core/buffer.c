/* core.buffer: typed arrays (f64 f32 f16 bf16 u8 i8 i32). Scripts pass them
 * around whole; single elements are for tests and small tables. */
#include "buffer.h"

#include <string.h>

#include "kernels.h"

#define BUFFER_META "bittern.buffer"

enum { ALIGNMENT = 64 };

int luaopen_core_buffer(lua_State *L);

/* In the order of enum dtype. */
static const struct {
  const char *name;
  size_t size;
} dtypes[] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"u8", 1},
              {"i8", 1},  {"i32", 4}, {"f64", 8}};

size_t dtype_size(enum dtype dtype) { return dtypes[dtype].size; }

enum dtype dtype_check(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
    if (strcmp(name, dtypes[i].name) == 0) return (enum dtype)i;
  return (enum dtype)luaL_argerror(
      L, arg, lua_pushfstring(L, "unknown dtype '%s'", name));
}

void buffer_require(lua_State *L) {
  luaL_requiref(L, "core.buffer", luaopen_core_buffer, 0);
  lua_pop(L, 1);
}

static int buffer_bytes(const struct source *source, struct bytes *out) {
  const struct buffer *buffer = (const struct buffer *)source;
  *out =
      (struct bytes){buffer->data, buffer->count * dtype_size(buffer->dtype)};
  return 0;
}

struct buffer *buffer_push_unset(lua_State *L, enum dtype dtype, size_t count) {
  size_t size = dtype_size(dtype);
  if (count > (SIZE_MAX / 2 - ALIGNMENT - sizeof(struct buffer)) / size)
    luaL_error(L, "a buffer of %I elements is too large", (LUAI_UACINT)count);
  size_t bytes = count * size;
  struct buffer *buffer =
      lua_newuserdatauv(L, sizeof *buffer + ALIGNMENT + bytes, 1);
  uintptr_t start = (uintptr_t)(buffer + 1);
  size_t skip = (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
  *buffer = (struct buffer){
      {buffer_bytes}, dtype, count, (uint8_t *)(buffer + 1) + skip, bytes};
  luaL_setmetatable(L, BUFFER_META);
  return buffer;
}

struct buffer *buffer_refill(lua_State *L, int index, enum dtype dtype,
                             size_t count) {
  struct buffer *buffer = buffer_test(L, index, dtype);
  if (buffer == NULL || count > buffer->room / dtype_size(dtype)) return NULL;
  buffer->count = count;
  return buffer;
}

struct buffer *buffer_push(lua_State *L, enum dtype dtype, size_t count) {
  struct buffer *buffer = buffer_push_unset(L, dtype, count);
  memset(buffer->data, 0, count * dtype_size(dtype));
  return buffer;
}

struct buffer *buffer_test(lua_State *L, int index, enum dtype dtype) {
  struct buffer *buffer = luaL_testudata(L, index, BUFFER_META);
  return buffer != NULL && buffer->dtype == dtype ? buffer : NULL;
}

struct buffer *buffer_check(lua_State *L, int arg, enum dtype dtype) {
  struct buffer *buffer = luaL_checkudata(L, arg, BUFFER_META);
  if (buffer->dtype != dtype)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "must hold %s, not %s", dtypes[dtype].name,
                                  dtypes[buffer->dtype].name));
  return buffer;
}

static struct buffer *self(lua_State *L) {
  return luaL_checkudata(L, 1, BUFFER_META);
}

/* new(dtype, count) -> buffer of zeros. */
static int f_new(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  buffer_push(L, dtype, (size_t)bind_size(L, 2));
  return 1;
}

/* from(dtype, source (bytes)) -> buffer with a copy of the bytes. */
static int f_from(lua_State *L) {
  enum dtype dtype = dtype_check(L, 1);
  struct bytes bytes = bind_bytes(L, 2);
  size_t size = dtype_size(dtype);
  luaL_argcheck(L, bytes.size % size == 0, 2, "ends inside an element");
  struct buffer *buffer = buffer_push(L, dtype, bytes.size / size);
  if (bytes.size > 0) memcpy(buffer->data, bytes.data, bytes.size);
  return 1;
}

/* from_bytes(source (bytes) [, add = 0]) -> i32 buffer: each byte as a number,
 * plus `add` (a byte tokenizer is add = 1). */
static int f_from_bytes(lua_State *L) {
  struct bytes bytes = bind_bytes(L, 1);
  lua_Integer add = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, add > -(1 << 30) && add < 1 << 30, 2, "out of range");
  int32_t *out = buffer_push(L, DTYPE_I32, bytes.size)->data;
  for (size_t i = 0; i < bytes.size; i++)
    out[i] = (int32_t)add + bytes.data[i];
  return 1;
}

/* buffer:count() -> integer: how many elements; `#buffer` says the same. */
static int f_count(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)self(L)->count);
  return 1;
}

/* buffer:dtype() -> string: "f32", "f16", "bf16", "u8", ... */
static int f_dtype(lua_State *L) {
  lua_pushstring(L, dtypes[self(L)->dtype].name);
  return 1;
}

/* buffer:bytes_size() -> integer: its size in bytes. */
static int f_bytes_size(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)bind_bytes(L, 1).size);
  return 1;
}

/* buffer:text() -> string of its bytes. */
static int f_text(lua_State *L) {
  self(L);
  struct bytes bytes = bind_bytes(L, 1);
  lua_pushlstring(L, (const char *)bytes.data, bytes.size);
  return 1;
}

/* buffer:sum() -> number: the sum of an f32 buffer, in doubles, from the first
 * to the last. */
static int f_sum(lua_State *L) {
  const struct buffer *buffer = buffer_check(L, 1, DTYPE_F32);
  double sum = 0;
  for (size_t i = 0; i < buffer->count; i++)
    sum += (double)((const float *)buffer->data)[i];
  lua_pushnumber(L, sum);
  return 1;
}

static size_t check_index(lua_State *L, const struct buffer *buffer) {
  lua_Integer index = luaL_checkinteger(L, 2);
  luaL_argcheck(L, index >= 0 && (lua_Unsigned)index < buffer->count, 2,
                "outside of the buffer");
  return (size_t)index;
}

/* buffer:get(i) -> number: element i, counted from 0. */
static int f_get(lua_State *L) {
  const struct buffer *buffer = self(L);
  size_t i = check_index(L, buffer);
  switch (buffer->dtype) {
  case DTYPE_F32:
    lua_pushnumber(L, (lua_Number)((const float *)buffer->data)[i]);
    break;
  case DTYPE_F16:
    lua_pushnumber(L,
                   (lua_Number)f16_to_f32(((const uint16_t *)buffer->data)[i]));
    break;
  case DTYPE_BF16:
    lua_pushnumber(
        L, (lua_Number)bf16_to_f32(((const uint16_t *)buffer->data)[i]));
    break;
  case DTYPE_U8:
    lua_pushinteger(L, ((const uint8_t *)buffer->data)[i]);
    break;
  case DTYPE_I8:
    lua_pushinteger(L, ((const int8_t *)buffer->data)[i]);
    break;
  case DTYPE_I32:
    lua_pushinteger(L, ((const int32_t *)buffer->data)[i]);
    break;
  case DTYPE_F64:
    lua_pushnumber(L, ((const double *)buffer->data)[i]);
    break;
  }
  return 1;
}

static lua_Integer check_value(lua_State *L, lua_Integer low,
                               lua_Integer high) {
  lua_Integer value = luaL_checkinteger(L, 3);
  luaL_argcheck(L, value >= low && value <= high, 3, "does not fit the dtype");
  return value;
}

/* buffer:set(i, value (number)): element i becomes `value`, rounded to nearest
 * even. Integers must fit, or it raises. */
static int f_set(lua_State *L) {
  struct buffer *buffer = self(L);
  size_t i = check_index(L, buffer);
  switch (buffer->dtype) {
  case DTYPE_F32:
    ((float *)buffer->data)[i] = (float)luaL_checknumber(L, 3);
    break;
  case DTYPE_F16:
    ((uint16_t *)buffer->data)[i] = f32_to_f16((float)luaL_checknumber(L, 3));
    break;
  case DTYPE_BF16:
    ((uint16_t *)buffer->data)[i] = f32_to_bf16((float)luaL_checknumber(L, 3));
    break;
  case DTYPE_U8:
    ((uint8_t *)buffer->data)[i] = (uint8_t)check_value(L, 0, UINT8_MAX);
    break;
  case DTYPE_I8:
    ((int8_t *)buffer->data)[i] = (int8_t)check_value(L, INT8_MIN, INT8_MAX);
    break;
  case DTYPE_I32:
    ((int32_t *)buffer->data)[i] =
        (int32_t)check_value(L, INT32_MIN, INT32_MAX);
    break;
  case DTYPE_F64:
    ((double *)buffer->data)[i] = luaL_checknumber(L, 3);
    break;
  }
  return 0;
}

/* buffer:put(offset, source (buffer)): its elements from `offset` on become
 * those of `source`, which has the same dtype. */
static int f_put(lua_State *L) {
  struct buffer *buffer = self(L);
  size_t offset = (size_t)bind_size(L, 2);
  const struct buffer *source = buffer_check(L, 3, buffer->dtype);
  luaL_argcheck(
      L, offset <= buffer->count && source->count <= buffer->count - offset, 2,
      "lies outside");
  size_t size = dtype_size(buffer->dtype);
  memmove((uint8_t *)buffer->data + offset * size, source->data,
          source->count * size);
  return 0;
}

/* buffer:view(offset, count) -> buffer of the same elements, not a copy. */
static int f_view(lua_State *L) {
  struct buffer *owner = self(L);
  size_t offset = (size_t)bind_size(L, 2);
  size_t count = (size_t)bind_size(L, 3);
  luaL_argcheck(L, offset <= owner->count, 2, "outside of the buffer");
  luaL_argcheck(L, count <= owner->count - offset, 3, "outside of the buffer");
  struct buffer *view = lua_newuserdatauv(L, sizeof *view, 1);
  *view = *owner;
  view->count = count;
  view->room = 0;
  view->data = (uint8_t *)owner->data + offset * dtype_size(owner->dtype);
  luaL_setmetatable(L, BUFFER_META);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* The bytes go with the userdata. */
static int f_close(lua_State *L) {
  (void)L;
  return 0;
}

static int f_tostring(lua_State *L) {
  const struct buffer *buffer = self(L);
  lua_pushfstring(L, "buffer (%s, %I elements)", dtypes[buffer->dtype].name,
                  (LUAI_UACINT)buffer->count);
  return 1;
}

int luaopen_core_buffer(lua_State *L) {
  static const luaL_Reg buffer_methods[] = {
      BIND(count), BIND(dtype), BIND(bytes_size), BIND(text), BIND(get),
      BIND(set),   BIND(put),   BIND(view),       BIND(sum),  {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(new), BIND(from), BIND(from_bytes), {NULL, NULL}};
  bind_source_type(L, BUFFER_META, buffer_methods, f_close, f_tostring);
  luaL_getmetatable(L, BUFFER_META);
  lua_pushcfunction(L, f_count);
  lua_setfield(L, -2, "__len");
  /* Objects with a finalizer live one collection longer, and then each waits
   * for twice the garbage of the one before: gigabytes pile up in a long run.
   */
  lua_pushnil(L);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
