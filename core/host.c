/* State, search path, error reports, limits, signals. */
#include "host.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "bind.h"
#include "libs.h"

enum { EXIT_GENERAL = 1, EXIT_SCRIPT = 14, EXIT_INTERRUPTED = 130 };

/* The two globals of the program: what a signal handler needs to reach. */
static volatile sig_atomic_t interrupted;
static lua_State *running;

bool bind_interrupted(void) { return interrupted != 0; }

/* lua_Alloc that counts. When `block` is NULL, `old` is a type tag and not a
 * size (Lua 5.4 manual, lua_Alloc). */
static void *count_alloc(void *user, void *block, size_t old, size_t size) {
  struct host_memory *memory = user;
  size_t before = block == NULL ? 0 : old;
  if (size == 0) {
    free(block);
    memory->used -= before;
    return NULL;
  }
  if (memory->limit != 0 && size > before &&
      size - before > memory->limit - memory->used)
    return NULL;
  void *moved = realloc(block, size);
  if (moved != NULL) memory->used += size - before;
  return moved;
}

/* Fires on every instruction once the user asked to stop, so that a script's
 * pcall loop cannot swallow it. Level 0 is the code being run. */
static void stop_hook(lua_State *L, lua_Debug *debug) {
  (void)debug;
  luaL_where(L, 0);
  lua_pushliteral(L, "interrupted");
  lua_concat(L, 2);
  lua_error(L);
}

void host_stop(lua_State *L) { lua_sethook(L, stop_hook, LUA_MASKCOUNT, 1); }

bool host_go_on(lua_State *L) {
  if (interrupted != SIGINT) return false;
  interrupted = 0;
  lua_sethook(L, NULL, 0, 0);
  return true;
}

struct host_memory *host_memory_of(lua_State *L) {
  void *user;
  return lua_getallocf(L, &user) == count_alloc ? user : NULL;
}

static void on_signal(int number) {
  if (interrupted) _exit(EXIT_INTERRUPTED);
  interrupted = number;
  if (running != NULL) host_stop(running);
}

void host_catch_signals(lua_State *L) {
  running = L;
  struct sigaction stop = {.sa_handler = on_signal};
  sigemptyset(&stop.sa_mask);
  sigaction(SIGINT, &stop, NULL);
  sigaction(SIGTERM, &stop, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  /* An ignored SIGCHLD, inherited, would take every exit status away. */
  signal(SIGCHLD, SIG_DFL);
}

/* Drops relative entries: `require` must never read the current directory,
 * where a stranger's file may lie. [-0, +0, m] */
static void absolute_only(lua_State *L, const char *field) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, field);
  luaL_Buffer kept;
  const char *entry = lua_tostring(L, -1);
  luaL_buffinit(L, &kept);
  while (*entry != '\0') {
    size_t length = strcspn(entry, ";");
    if (*entry == '/') {
      if (luaL_bufflen(&kept) > 0) luaL_addchar(&kept, ';');
      luaL_addlstring(&kept, entry, length);
    }
    entry += length + (entry[length] == ';');
  }
  luaL_pushresult(&kept);
  lua_setfield(L, -3, field);
  lua_pop(L, 2);
}

/* [-0, +0, e] Runs protected, so that an allocation failure is an error. */
static int open_all(lua_State *L) {
  lua_pushboolean(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  luaL_openlibs(L);
  absolute_only(L, "path");
  absolute_only(L, "cpath");
  libs_register(L);
  return 0;
}

lua_State *host_bare(struct host_memory *memory) {
  return lua_newstate(count_alloc, memory);
}

lua_State *host_new(struct host_memory *memory) {
  lua_State *L = host_bare(memory);
  if (L == NULL) return NULL;
  lua_pushcfunction(L, open_all);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
    lua_close(L);
    return NULL;
  }
  return L;
}

/* The one message handler: the text, whatever was raised. lua/cli.lua has
 * caught what a command raised; this is for the way there. [-1, +1, m] */
static int on_error(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Says that the user stopped it: the way that lua/cli.lua asked for, if it came
 * that far. A second signal ends the process here, too. */
static int report_interrupt(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, BIND_ON_INTERRUPT);
  if (!lua_isfunction(L, -1) || lua_pcall(L, 0, 0, 0) != LUA_OK)
    fputs("bittern: interrupted\n", stderr);
  return EXIT_INTERRUPTED;
}

static int report(lua_State *L) {
  if (interrupted) return report_interrupt(L);
  fprintf(stderr, "bittern: %s\n", lua_tostring(L, -1));
  return EXIT_SCRIPT;
}

/* Arguments: root, exe, argv... as strings. [-n, +1, e] */
static int boot(lua_State *L) {
  int arguments = lua_gettop(L);
  lua_pushfstring(L, "%s/lua/boot.lua", lua_tostring(L, 1));
  if (luaL_loadfilex(L, lua_tostring(L, -1), "t") != LUA_OK)
    return lua_error(L);
  lua_remove(L, -2);
  lua_insert(L, 1);
  lua_call(L, arguments, 1);
  return 1;
}

static int exit_status(lua_State *L) {
  if (interrupted) return EXIT_INTERRUPTED;
  int is_integer = 0;
  lua_Integer status = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || status < 0 || status > 255) return EXIT_GENERAL;
  return (int)status;
}

int host_boot(lua_State *L, const char *root, const char *exe, int argc,
              char **argv) {
  if (!lua_checkstack(L, argc + 4)) return EXIT_GENERAL;
  lua_pushcfunction(L, on_error);
  lua_pushcfunction(L, boot);
  lua_pushstring(L, root);
  lua_pushstring(L, exe);
  for (int i = 1; i < argc; i++)
    lua_pushstring(L, argv[i]);
  if (lua_pcall(L, argc + 1, 1, 1) != LUA_OK) return report(L);
  return exit_status(L);
}
