/* The helpers of bind.h. */
#include "bind.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* Key in a metatable that says: this userdata starts with a struct source.
 * Scripts cannot set it, since __metatable hides every metatable of ours. */
#define SOURCE_MARK "bittern.source"

struct bytes bind_bytes(lua_State *L, int arg) {
  struct bytes out = {0};
  if (lua_type(L, arg) == LUA_TSTRING) {
    out.data = (const uint8_t *)lua_tolstring(L, arg, &out.size);
    return out;
  }
  const struct source *source = lua_touserdata(L, arg);
  if (source == NULL || luaL_getmetafield(L, arg, SOURCE_MARK) == LUA_TNIL)
    luaL_typeerror(L, arg, "string, map, slice or buffer");
  lua_pop(L, 1);
  luaL_argcheck(L, source->get(source, &out) == 0, arg, "its owner is closed");
  return out;
}

const struct source *bind_test_source(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
  if (luaL_getmetafield(L, index, SOURCE_MARK) == LUA_TNIL) return NULL;
  lua_pop(L, 1);
  return lua_touserdata(L, index);
}

void bind_type(lua_State *L, const char *name, const luaL_Reg *methods,
               lua_CFunction gc, lua_CFunction tostring) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void bind_source_type(lua_State *L, const char *name, const luaL_Reg *methods,
                      lua_CFunction gc, lua_CFunction tostring) {
  bind_type(L, name, methods, gc, tostring);
  luaL_getmetatable(L, name);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, SOURCE_MARK);
  lua_pop(L, 1);
}

int bind_fail(lua_State *L, const char *code, const char *format, ...) {
  va_list args;
  lua_pushnil(L);
  va_start(args, format);
  lua_pushvfstring(L, format, args);
  va_end(args);
  lua_pushstring(L, code);
  return 3;
}

static const char *errno_code(int error) {
  switch (error) {
  case ENOENT:
  case ENOTDIR:
    return "not_found";
  case EACCES:
  case EPERM:
  case EROFS:
    return "denied";
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return "disk_full";
  case EEXIST:
    return "exists";
  case EISDIR:
    return "is_directory";
  case EADDRINUSE:
    return "address_in_use";
  case EINTR:
    return "interrupted";
  default:
    return "io";
  }
}

int bind_errno(lua_State *L, int error, const char *what) {
  return bind_fail(L, errno_code(error), "%s: %s", what, strerror(error));
}

static bool is_known(const char *key, const char *const *known) {
  while (*known != NULL && strcmp(*known, key) != 0)
    known++;
  return *known != NULL;
}

void bind_check_keys(lua_State *L, int arg, const char *const *known) {
  if (lua_isnoneornil(L, arg)) return;
  luaL_checktype(L, arg, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, arg) != 0; lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !is_known(lua_tostring(L, -2), known))
      luaL_error(L, "unknown option '%s'", luaL_tolstring(L, -2, NULL));
  }
}

/* Pushes field `key` of the options at `arg`, or nil. [-0, +1, v] */
static int push_option(lua_State *L, int arg, const char *key) {
  if (lua_isnoneornil(L, arg)) {
    lua_pushnil(L);
    return LUA_TNIL;
  }
  luaL_checktype(L, arg, LUA_TTABLE);
  return lua_getfield(L, arg, key);
}

static void option_error(lua_State *L, const char *key, const char *expected) {
  luaL_error(L, "option '%s' must be %s, not %s", key, expected,
             luaL_typename(L, -1));
}

lua_Integer bind_opt_integer(lua_State *L, int arg, const char *key,
                             lua_Integer low, lua_Integer high,
                             lua_Integer otherwise) {
  lua_Integer value = otherwise;
  if (push_option(L, arg, key) != LUA_TNIL) {
    int is_integer = 0;
    value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer) option_error(L, key, "an integer");
    if (value < low || value > high)
      luaL_error(L, "option '%s' must lie in %I..%I", key, (LUAI_UACINT)low,
                 (LUAI_UACINT)high);
  }
  lua_pop(L, 1);
  return value;
}

lua_Number bind_opt_number(lua_State *L, int arg, const char *key,
                           lua_Number otherwise) {
  lua_Number value = otherwise;
  if (push_option(L, arg, key) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TNUMBER) option_error(L, key, "a number");
    value = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  return value;
}

bool bind_opt_boolean(lua_State *L, int arg, const char *key, bool otherwise) {
  bool value = otherwise;
  if (push_option(L, arg, key) != LUA_TNIL) {
    if (!lua_isboolean(L, -1)) option_error(L, key, "a boolean");
    value = lua_toboolean(L, -1) != 0;
  }
  lua_pop(L, 1);
  return value;
}

const char *bind_opt_string(lua_State *L, int arg, const char *key,
                            const char *otherwise) {
  const char *value = otherwise;
  if (push_option(L, arg, key) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING) option_error(L, key, "a string");
    value = lua_tostring(L, -1);
  }
  lua_pop(L, 1);
  return value;
}

uint64_t bind_size(lua_State *L, int arg) {
  lua_Integer value = luaL_checkinteger(L, arg);
  luaL_argcheck(L, value >= 0 && value <= ((lua_Integer)1 << 53), arg,
                "must lie in 0..2^53");
  return (uint64_t)value;
}
