/* The role that a sandboxed process has: it lays the layers, and then runs what
 * the parent sends in a small Lua state. The first text is ours and serves the
 * stranger's (lua/sandbox/child.lua). */
#include "sandbox_child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "bind.h"
#include "host.h"
#include "limit.h"
#include "sandbox_bounds.h"
#include "sandbox_layers.h"

/* --- messages --------------------------------------------------------------
 */

/* The parent is gone when the pipe is: there is nobody left to serve. */
static void read_all(void *into, size_t size) {
  char *at = into;
  while (size > 0) {
    ssize_t got = read(STDIN_FILENO, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) _exit(EXIT_SUCCESS);
    at += got;
    size -= (size_t)got;
  }
}

static void put_message(const char *text, size_t size) {
  uint32_t length = (uint32_t)size;
  struct bytes parts[2] = {{(const uint8_t *)&length, sizeof length},
                           {(const uint8_t *)text, size}};
  for (int i = 0; i < 2; i++)
    if (base_write(STDOUT_FILENO, parts[i], -1) != 0) _exit(EXIT_FAILURE);
}

/* receive() -> text */
static int f_receive(lua_State *L) {
  uint32_t length;
  luaL_Buffer buffer;
  read_all(&length, sizeof length);
  if (length > SANDBOX_MESSAGE_MAX) return luaL_error(L, "too long a message");
  read_all(luaL_buffinitsize(L, &buffer, length), length);
  luaL_pushresultsize(&buffer, length);
  return 1;
}

/* send(text) */
static int f_send(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  if (size > SANDBOX_MESSAGE_MAX) return luaL_error(L, "too much to say");
  put_message(text, size);
  return 0;
}

/* --- the role --------------------------------------------------------------
 */

static void lay_all(void) {
  char text[512];
  size_t used = 0;
  for (enum sandbox_layer layer = 0; layer < SANDBOX_LAYERS; layer++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s %d\n",
                             sandbox_layer_name(layer), sandbox_lay(layer));
  put_message(text, used);
}

/* Only what computes; what the script may not have is taken from it by Lua. */
static void open_libraries(lua_State *L) {
  static const luaL_Reg libraries[] = {
      {LUA_GNAME, luaopen_base},          {LUA_MATHLIBNAME, luaopen_math},
      {LUA_STRLIBNAME, luaopen_string},   {LUA_TABLIBNAME, luaopen_table},
      {LUA_UTF8LIBNAME, luaopen_utf8},    {LUA_DBLIBNAME, luaopen_debug},
      {"core.limit", luaopen_core_limit}, {NULL, NULL}};
  for (const luaL_Reg *library = libraries; library->name != NULL; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  sandbox_bound(L);
}

/* The layers come when the state is there: an allocator asks the kernel for
 * more when it begins than later. [-0, +0, e] */
static int serve(lua_State *L) {
  size_t size;
  open_libraries(L);
  lay_all();
  lua_pushcfunction(L, f_receive);
  lua_call(L, 0, 1);
  const char *text = lua_tolstring(L, -1, &size);
  if (luaL_loadbufferx(L, text, size, "=bittern", "t") != LUA_OK)
    return lua_error(L);
  lua_pushcfunction(L, f_receive);
  lua_pushcfunction(L, f_send);
  lua_call(L, 2, 0);
  return 0;
}

void sandbox_child(void) {
  struct host_memory memory = {0};
  signal(SIGPIPE, SIG_IGN);
  lua_State *L = host_bare(&memory);
  if (L == NULL) _exit(EXIT_FAILURE);
  lua_pushcfunction(L, serve);
  int status = lua_pcall(L, 0, 0, 0);
  _exit(status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}
