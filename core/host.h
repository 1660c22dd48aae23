/* The Lua state that scripts live in: search path, memory count, the message
 * handler, and the stop that a script cannot swallow. */
#ifndef BITTERN_HOST_H
#define BITTERN_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Bytes that Lua holds and may hold; limit 0 means no limit. */
struct host_memory {
  size_t used;
  size_t limit;
};

/* A new state with the standard library, the core modules in package.preload,
 * absolute search paths only and memory counted into `memory`, which must
 * outlive the state. NULL when memory is short. */
lua_State *host_new(struct host_memory *memory);

/* The same without any library. */
lua_State *host_bare(struct host_memory *memory);

/* The count of a state that host_new made, or NULL. [-0, +0, -] */
struct host_memory *host_memory_of(lua_State *L);

/* From now on every Lua instruction raises: an interrupt. [-0, +0, -] */
void host_stop(lua_State *L);

/* Scripts run again after Ctrl-C. False, and they do not, when there was none,
 * or when somebody asked the process to end. [-0, +0, -] */
bool host_go_on(lua_State *L);

/* Lets SIGINT and SIGTERM stop the scripts in `L`: the first one sets the
 * interrupt flag and makes every Lua instruction raise, a second one ends the
 * process. SIGPIPE and SIGXFSZ are ignored, so writes fail with an errno;
 * SIGCHLD is not, so that children tell how they ended. */
void host_catch_signals(lua_State *L);

/* Runs `<root>/lua/boot.lua` with root, the path of the binary and argv[1..]
 * as its arguments. Returns the exit status that it returned; a Lua error is
 * reported on stderr as `bittern: path:line: message` and gives 14, an
 * interrupt gives 130, no memory gives 1. */
int host_boot(lua_State *L, const char *root, const char *exe, int argc,
              char **argv);

#endif
