/* core.limit: calls of a stranger's function that end: within a time, within
 * memory, or when the user says so. What it raises is caught; what stops it, it
 * cannot catch. */
#include "limit.h"

#include "bind.h"
#include "host.h"

enum { INSTRUCTIONS = 10000 }; /* between two looks at the clock */

struct limits {
  double seconds;
  double deadline;
  bool late;
};

/* Registry key of the limits in force: its address. */
static const char in_force;

static void watch(lua_State *L, lua_Debug *debug);

/* Once it is late, every instruction of this thread raises, and of each other
 * one from when it comes here, so that no pcall of the script can go on. The
 * message names the place of `level`. */
static void check(lua_State *L, int level) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &in_force);
  struct limits *limits = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (limits == NULL || (!limits->late && base_now() < limits->deadline))
    return;
  lua_sethook(L, watch, LUA_MASKCOUNT, 1);
  limits->late = true;
  luaL_where(L, level);
  lua_pushfstring(L, "took longer than %f s", limits->seconds);
  lua_concat(L, 2);
  lua_error(L);
}

/* Level 0 is the code being run. */
static void watch(lua_State *L, lua_Debug *debug) {
  (void)debug;
  check(L, 0);
}

void limit_check(lua_State *L) { check(L, 1); }

/* The hook that belongs here: that of an interrupt, if there was one. */
static void set_hook(lua_State *L, lua_Hook hook) {
  lua_sethook(L, hook, hook != NULL ? LUA_MASKCOUNT : 0, INSTRUCTIONS);
  if (bind_interrupted()) host_stop(L);
}

static int protected_call(lua_State *L, struct host_memory *memory,
                          size_t bytes) {
  size_t before = memory != NULL ? memory->limit : 0;
  size_t room = memory != NULL ? memory->used + bytes : 0;
  if (memory != NULL && (before == 0 || room < before)) memory->limit = room;
  int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
  if (memory != NULL) memory->limit = before;
  return status;
}

/* call({seconds = 10, memory = bytes beyond those in use}, call (function),
 * ...) -> true, what the function returned | false, what it raised | false,
 * message, "script_limit". What stops it, it cannot catch. One at a time. */
static int f_call(lua_State *L) {
  static const char *const known[] = {"seconds", "memory", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  bind_check_keys(L, 1, known);
  double seconds = bind_opt_number(L, 1, "seconds", 10);
  size_t bytes = (size_t)bind_opt_integer(L, 1, "memory", 0,
                                          (lua_Integer)1 << 53, 256 << 20);
  struct limits *limits = lua_newuserdatauv(L, sizeof *limits, 0);
  *limits = (struct limits){seconds, base_now() + seconds, false};
  lua_insert(L, 2);
  lua_pushvalue(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &in_force);
  set_hook(L, watch);
  int status = protected_call(L, host_memory_of(L), bytes);
  set_hook(L, NULL);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &in_force);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 2);
  if (status == LUA_OK) return lua_gettop(L) - 1;
  if (status == LUA_ERRMEM)
    lua_pushfstring(L, "asked for more than %I bytes of memory",
                    (LUAI_UACINT)bytes);
  if (status != LUA_ERRMEM && !limits->late) return 2;
  lua_pushboolean(L, false);
  lua_insert(L, -2);
  lua_pushliteral(L, "script_limit");
  return 3;
}

/* interruptible(call (function), ...) -> true, what the function returned |
 * false, what it raised | false, message, "interrupted": Ctrl-C ends the call
 * and no more; the script that called goes on. */
static int f_interruptible(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  bool stopped = host_go_on(L);
  lua_pushboolean(L, status == LUA_OK && !stopped);
  if (stopped) {
    lua_pushliteral(L, "interrupted");
    lua_pushliteral(L, "interrupted");
    return 3;
  }
  lua_insert(L, 1);
  return lua_gettop(L);
}

int luaopen_core_limit(lua_State *L) {
  static const luaL_Reg functions[] = {
      BIND(call), BIND(interruptible), {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
