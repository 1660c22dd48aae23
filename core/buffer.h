/* Typed numeric arrays that scripts hold and C works on. */
#ifndef BITTERN_BUFFER_H
#define BITTERN_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "bind.h"

enum dtype {
  DTYPE_F32,
  DTYPE_F16,
  DTYPE_BF16,
  DTYPE_U8,
  DTYPE_I8,
  DTYPE_I32,
  DTYPE_F64
};

/* The bytes lie behind this header in the same userdata, 64-byte aligned and
 * counted by Lua's allocator; a view points into its owner's and keeps the
 * owner as its user value. Neither can dangle, so there is nothing to close. */
struct buffer {
  struct source source;
  enum dtype dtype;
  size_t count;
  void *data;
  size_t room; /* bytes of its own; a view has none */
};

/* Bytes of one element. */
size_t dtype_size(enum dtype dtype);

/* The element type named by argument `arg`; raises otherwise. [-0, +0, v] */
enum dtype dtype_check(lua_State *L, int arg);

/* Loads core.buffer unless it is; every opener of a module that pushes buffers
 * calls it. [-0, +0, e] */
void buffer_require(lua_State *L);

/* Pushes a zeroed buffer; raises when it cannot be had. [-0, +1, em] */
struct buffer *buffer_push(lua_State *L, enum dtype dtype, size_t count);

/* The same with bytes that are not set, for those who fill every one. */
struct buffer *buffer_push_unset(lua_State *L, enum dtype dtype, size_t count);

/* The buffer at stack index `index`, made `count` elements long, when it is of
 * `dtype` and has room for them; else NULL. What it held is gone. [-0, +0, -]
 */
struct buffer *buffer_refill(lua_State *L, int index, enum dtype dtype,
                             size_t count);

/* Argument `arg`, a buffer of `dtype`; raises otherwise. [-0, +0, v] */
struct buffer *buffer_check(lua_State *L, int arg, enum dtype dtype);

/* The buffer of `dtype` at stack index `index`, or NULL. [-0, +0, -] */
struct buffer *buffer_test(lua_State *L, int index, enum dtype dtype);

#endif
