/* The openers of every core module; the map of the runtime. */
#ifndef BITTERN_LIBS_H
#define BITTERN_LIBS_H

#include <lua.h>

/* Puts every core module into package.preload. [-0, +0, m] */
void libs_register(lua_State *L);

#endif
