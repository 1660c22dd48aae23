/* The standard library's functions, bounded: none runs for long in C, where no
 * instruction is counted. */
#ifndef BITTERN_SANDBOX_BOUNDS_H
#define BITTERN_SANDBOX_BOUNDS_H

#include <lua.h>

/* Bounds what is open of string, table and utf8, and locks the metatable that
 * all strings share. [-0, +0, e] */
void sandbox_bound(lua_State *L);

#endif
