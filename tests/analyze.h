/* For `make analyze`: what never comes back, which Lua's headers do not say. */
#include <lauxlib.h>

int lua_error(lua_State *L) __attribute__((noreturn));
int luaL_error(lua_State *L, const char *format, ...) __attribute__((noreturn));
int luaL_argerror(lua_State *L, int arg, const char *message)
    __attribute__((noreturn));
int luaL_typeerror(lua_State *L, int arg, const char *name)
    __attribute__((noreturn));
