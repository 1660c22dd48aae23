/* The Lua state of fuzz.h. libFuzzer sees the branches of our C; a hook on
 * every line of Lua, counted by the pair of this line and the one before, shows
 * it the readers' branches, too. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "host.h"

enum { COUNTERS = 1 << 14, COLLECT_EVERY = 64 };

__attribute__((
    section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static struct host_memory memory;
static lua_State *state;
static uintptr_t previous;

int luaopen_core_unpack(lua_State *L);

static void count_line(lua_State *L, lua_Debug *debug) {
  lua_getinfo(L, "S", debug);
  uintptr_t here = (uintptr_t)debug->source / 16 * 2654435761u +
                   (uintptr_t)debug->currentline * 40503u;
  uint8_t *counter = &counters[(here ^ previous) % COUNTERS];
  if (*counter < UINT8_MAX) ++*counter;
  previous = here >> 1;
}

static void stop(const char *text) {
  fprintf(stderr, "fuzz: %s\n", text);
  abort();
}

/* package.path finds bittern.* and tests.* by the links that `make fuzz` made
 * in build/fuzz. */
static const char *const setup = "local root = ...\n"
                                 "package.path = root .. '/build/fuzz/?.lua'\n"
                                 "require 'bittern.paths'.set_root(root)\n"
                                 "require 'core.unpack'\n"
                                 "require 'bittern.model.zip'.FLOOR = 1 << 20\n"
                                 "return require 'tests.fuzz.readers'\n";

static int traceback(lua_State *L) {
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char root[4096];
  (void)argc;
  (void)argv;
  state = host_new(&memory);
  if (state == NULL || getcwd(root, sizeof root) == NULL) stop("no start");
  luaL_getsubtable(state, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(state, luaopen_core_unpack);
  lua_setfield(state, -2, "core.unpack");
  lua_settop(state, 0);
  lua_pushcfunction(state, traceback);
  if (luaL_loadstring(state, setup) != LUA_OK) stop(lua_tostring(state, -1));
  lua_pushstring(state, root);
  if (lua_pcall(state, 1, 1, 1) != LUA_OK) stop(lua_tostring(state, -1));
  lua_sethook(state, count_line, LUA_MASKLINE, 0);
  return 0;
}

int fuzz_read(const char *reader, const uint8_t *data, size_t size) {
  static unsigned runs;
  previous = 0;
  lua_getfield(state, 2, reader);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 1, 1) != LUA_OK) stop(lua_tostring(state, -1));
  lua_settop(state, 2);
  if (++runs % COLLECT_EVERY == 0) lua_gc(state, LUA_GCCOLLECT);
  return 0;
}

uint32_t fuzz_get32(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
         (uint32_t)at[3] << 24;
}

void fuzz_put(uint8_t *at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++)
    at[i] = (uint8_t)(value >> 8 * i);
}
