/* The list of core modules that are linked in, nothing else. core.http and
 * core.httpd are shared objects beside them (Makefile, LOADABLE). */
#include "libs.h"

#include <lauxlib.h>

#define MODULES(X)                                                             \
  X(archive)                                                                   \
  X(buffer)                                                                    \
  X(forward)                                                                   \
  X(fs)                                                                        \
  X(keybox)                                                                    \
  X(limit)                                                                     \
  X(logits)                                                                    \
  X(map)                                                                       \
  X(number)                                                                    \
  X(process)                                                                   \
  X(quant)                                                                     \
  X(ranking)                                                                   \
  X(sandbox)                                                                   \
  X(sha256)                                                                    \
  X(signer)                                                                    \
  X(sr25519)                                                                   \
  X(statistics)                                                                \
  X(store)                                                                     \
  X(sys)

#define DECLARE(name) int luaopen_core_##name(lua_State *L);
#define ENTRY(name)   {"core." #name, luaopen_core_##name},

MODULES(DECLARE)

void libs_register(lua_State *L) {
  static const luaL_Reg modules[] = {MODULES(ENTRY){NULL, NULL}};
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (const luaL_Reg *m = modules; m->name != NULL; m++) {
    lua_pushcfunction(L, m->func);
    lua_setfield(L, -2, m->name);
  }
  lua_pop(L, 1);
}
