/* make fuzz: one program for all targets. FUZZ_TARGET names the one whose
 * function, tests/fuzz/targets/NAME.lua, gets the bytes.
 *
 * libFuzzer sees the branches of our C; a hook on every line of Lua, counted by
 * the pair of this line and the one before, shows it those of Lua, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "host.h"
#include "mutate.h"

enum { COUNTERS = 1 << 14, COLLECT_EVERY = 64 };

typedef size_t mutator(uint8_t *data, size_t size, size_t room, unsigned seed);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
mutator LLVMFuzzerCustomMutator;

__attribute__((
    section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static struct host_memory memory;
static lua_State *state; /* 1: traceback, 2: the target's function */
static uintptr_t previous;
static mutator *mutate;

static void stop(const char *text) {
  fprintf(stderr, "fuzz: %s\n", text);
  abort();
}

/* --- mutators --------------------------------------------------------------
 */

static size_t mutate_any(uint8_t *data, size_t size, size_t room,
                         unsigned seed) {
  (void)seed;
  return LLVMFuzzerMutate(data, size, room);
}

static mutator *mutator_of(const char *target) {
  static const struct {
    const char *target;
    mutator *mutate;
  } known[] = {{"archive", mutate_archive},
               {"gguf", mutate_gguf},
               {"safetensors", mutate_safetensors},
               {"zip", mutate_zip}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].target, target) == 0) return known[i].mutate;
  return mutate_any;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
                               unsigned seed) {
  return mutate(data, size, room, seed);
}

uint64_t mutate_get(const uint8_t *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++)
    value |= (uint64_t)at[i] << 8 * i;
  return value;
}

void mutate_put(uint8_t *at, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++)
    at[i] = (uint8_t)(value >> 8 * i);
}

/* --- the target ------------------------------------------------------------
 */

static void count_line(lua_State *L, lua_Debug *debug) {
  lua_getinfo(L, "S", debug);
  uintptr_t here = (uintptr_t)debug->source / 16 * 2654435761u +
                   (uintptr_t)debug->currentline * 40503u;
  uint8_t *counter = &counters[(here ^ previous) % COUNTERS];
  if (*counter < UINT8_MAX) ++*counter;
  previous = here >> 1;
}

int luaopen_core_http(lua_State *L);
int luaopen_core_tokenizer(lua_State *L);
int luaopen_core_unpack(lua_State *L);
int luaopen_fuzz_wire(lua_State *L);

/* Modules that the program itself loads from files, and the harness's own. */
static void preload(lua_State *L) {
  static const luaL_Reg modules[] = {{"core.http", luaopen_core_http},
                                     {"core.tokenizer", luaopen_core_tokenizer},
                                     {"core.unpack", luaopen_core_unpack},
                                     {"fuzz.wire", luaopen_fuzz_wire},
                                     {NULL, NULL}};
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, modules, 0);
  lua_settop(L, 0);
}

static int traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* package.path finds bittern.* and tests.* by the links that `make fuzz` made
 * in build/fuzz. */
static const char *const setup =
    "local root, target = ...\n"
    "package.path = root .. '/build/fuzz/?.lua'\n"
    "require 'bittern.paths'.set_root(root)\n"
    "require 'bittern.model.zip'.FLOOR = 1 << 20\n"
    "return require('tests.fuzz.targets.' .. target)\n";

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char root[4096];
  const char *target = getenv("FUZZ_TARGET");
  (void)argc;
  (void)argv;
  state = host_new(&memory);
  if (target == NULL || state == NULL || getcwd(root, sizeof root) == NULL)
    stop("no start; use make fuzz");
  preload(state);
  lua_pushcfunction(state, traceback);
  if (luaL_loadstring(state, setup) != LUA_OK) stop(lua_tostring(state, -1));
  lua_pushstring(state, root);
  lua_pushstring(state, target);
  if (lua_pcall(state, 2, 1, 1) != LUA_OK) stop(lua_tostring(state, -1));
  lua_sethook(state, count_line, LUA_MASKLINE, 0);
  mutate = mutator_of(target);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned runs;
  previous = 0;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 1, 1) != LUA_OK) stop(lua_tostring(state, -1));
  lua_settop(state, 2);
  if (++runs % COLLECT_EVERY == 0) lua_gc(state, LUA_GCCOLLECT);
  return 0;
}
