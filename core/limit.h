/* Calls of Lua functions that end, for the C functions that they call. */
#ifndef BITTERN_LIMIT_H
#define BITTERN_LIMIT_H

#include <lua.h>

int luaopen_core_limit(lua_State *L);

/* Raises in the name of the calling C function's caller once the call that is
 * in force is late: for loops in C, where no instruction is counted.
 * [-0, +0, v] */
void limit_check(lua_State *L);

#endif
