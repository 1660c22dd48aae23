/* What every binding shares: byte sources, options, and the two error channels.
 * A core file includes this header and its own; plain C takes base.h. */
#ifndef BITTERN_BIND_H
#define BITTERN_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "base.h"

/* One name-function pair of a module table: BIND(open) is {"open", f_open}. */
#define BIND(name)                                                             \
  { #name, f_##name }

/* Bytes of argument `arg`: a string, or a userdata whose metatable was made by
 * bind_source_type. They live as long as that stack slot. Raises otherwise.
 * [-0, +0, v] */
struct bytes bind_bytes(lua_State *L, int arg);

/* The source at stack index `index`, or NULL. [-0, +0, -] */
const struct source *bind_test_source(lua_State *L, int index);

/* Makes metatable `name` with __gc and __close = `gc`, __tostring, __metatable
 * = false and the methods under __index; pops nothing. [-0, +0, m] */
void bind_type(lua_State *L, const char *name, const luaL_Reg *methods,
               lua_CFunction gc, lua_CFunction tostring);

/* bind_type for a userdata that starts with a struct source. [-0, +0, m] */
void bind_source_type(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction gc, lua_CFunction tostring);

/* The world failed: pushes nil, message, code and returns 3. The format is that
 * of lua_pushfstring (%s %d %I %f %c %%), not printf's. [-0, +3, m] */
int bind_fail(lua_State *L, const char *code, const char *format, ...);

/* bind_fail with the text and the code of an errno value: ENOENT is
 * "not_found", EACCES "denied", EEXIST "exists", ENOSPC/EDQUOT/EFBIG
 * "disk_full", EINTR "interrupted", the rest "io". [-0, +3, m] */
int bind_errno(lua_State *L, int error, const char *what);

/* Raises naming the first key of the options at `arg` that is not in `known`,
 * an array that ends with NULL. [-0, +0, v] */
void bind_check_keys(lua_State *L, int arg, const char *const *known);

/* Options table at `arg` (nil or none is an empty one). Each getter leaves the
 * stack as it was and raises naming the key when the type is wrong. [-0, +0, v]
 */
lua_Integer bind_opt_integer(lua_State *L, int arg, const char *key,
                             lua_Integer low, lua_Integer high,
                             lua_Integer otherwise);
lua_Number bind_opt_number(lua_State *L, int arg, const char *key,
                           lua_Number otherwise);
bool bind_opt_boolean(lua_State *L, int arg, const char *key, bool otherwise);
/* The string stays alive as long as the options table holds it. */
const char *bind_opt_string(lua_State *L, int arg, const char *key,
                            const char *otherwise);

/* A size or offset argument: an integer in 0..2^53. [-0, +0, v] */
uint64_t bind_size(lua_State *L, int arg);

/* Registry field of the function that tells of an interrupt. */
#define BIND_ON_INTERRUPT "bittern.on_interrupt"

#endif
