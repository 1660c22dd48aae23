/* Counts the lines of Lua that run: linked into the program of `make coverage`
 * (-Wl,--wrap), it gives every state a hook, and appends "file:line" of each
 * line that ran to a file of this process in $BITTERN_COVERAGE. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lauxlib.h>

#include "host.h"

lua_State *__real_host_new(struct host_memory *memory);
lua_State *__wrap_host_new(struct host_memory *memory);
void __real_lua_sethook(lua_State *L, lua_Hook hook, int mask, int count);
void __wrap_lua_sethook(lua_State *L, lua_Hook hook, int mask, int count);

static lua_State *counted;
static char
    seen; /* its address: the registry's key of {source = {line = true}} */

/* [-0, +0, m] */
static void count_line(lua_State *L, lua_Debug *debug) {
  if (!lua_checkstack(L, 4) || lua_getinfo(L, "S", debug) == 0) return;
  if (debug->source[0] != '@') return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &seen);
  luaL_getsubtable(L, -1, debug->source + 1);
  lua_pushboolean(L, 1);
  lua_rawseti(L, -2, debug->currentline);
  lua_pop(L, 2);
}

static void write_lines(lua_State *L, const char *source, FILE *file) {
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
    fprintf(file, "%s:%lld\n", source, lua_tointeger(L, -2));
}

/* Before the state is closed, where that is still to come. */
static int write_all(lua_State *L) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%ld", getenv("BITTERN_COVERAGE"),
           (long)getpid());
  FILE *file = fopen(path, "a");
  if (file == NULL) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &seen);
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
    write_lines(L, lua_tostring(L, -2), file);
  fclose(file);
  return 0;
}

/* The value that is collected last, when the state closes. */
static void write_at_close(lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushcfunction(L, write_all);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_ref(L, LUA_REGISTRYINDEX);
}

lua_State *__wrap_host_new(struct host_memory *memory) {
  lua_State *L = __real_host_new(memory);
  if (L == NULL || counted != NULL || getenv("BITTERN_COVERAGE") == NULL)
    return L;
  counted = L;
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &seen);
  write_at_close(L);
  __real_lua_sethook(L, count_line, LUA_MASKLINE, 0);
  return L;
}

/* Who takes a hook of its own away gives lines back theirs. */
void __wrap_lua_sethook(lua_State *L, lua_Hook hook, int mask, int count) {
  if (hook == NULL && counted != NULL)
    __real_lua_sethook(L, count_line, LUA_MASKLINE, 0);
  else
    __real_lua_sethook(L, hook, mask, count);
}
