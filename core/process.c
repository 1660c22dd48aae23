/* core.process: child programs, never through a shell.
 *
 * Every child leads a process group of its own, so that it and all it started
 * can be ended together, and is killed by the kernel when this process dies.
 * What a child leaves behind in its group when it ends is ended with it. This
 * file reads options and gives results; process_child.c does the work. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind.h"
#include "process_child.h"

#define CHILD_META "bittern.child"

enum { OUTPUT_MAX = 1 << 20, LINE_MAX_BYTES = 1 << 20 };

extern char **environ;

int luaopen_core_process(lua_State *L);

/* child:close(): ends the whole group if it still runs, and waits for it. The
 * end of a scope (`<close>`) does the same. */
static int child_close(lua_State *L) {
  process_close(luaL_checkudata(L, 1, CHILD_META));
  return 0;
}

/* --- options ---------------------------------------------------------------
 */

/* The string on the top, anchored in the table below it. [-1, +0, v] */
static char *anchor(lua_State *L, lua_Integer index, const char *what) {
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "%s must be strings", what);
  const char *text = lua_tolstring(L, -1, &length);
  if (strlen(text) != length) luaL_error(L, "%s: a zero byte inside", what);
  lua_rawseti(L, -2, index);
  return (char *)(uintptr_t)text; /* execve's type; it writes nothing */
}

/* Pushes the strings of options.argv as a C array and what keeps it alive.
 * [-0, +2, v] */
static char **push_argv(lua_State *L) {
  if (lua_getfield(L, 1, "argv") != LUA_TTABLE)
    luaL_error(L, "option 'argv' must be an array of strings");
  lua_Integer count = luaL_len(L, -1);
  if (count < 1 || count > 65536) luaL_error(L, "option 'argv' is empty");
  char **argv = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *argv, 0);
  lua_newtable(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, -3, i);
    argv[i - 1] = anchor(L, i, "option 'argv'");
  }
  argv[count] = NULL;
  lua_remove(L, -3);
  return argv;
}

static lua_Integer count_entries(lua_State *L) {
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
    count++;
  return count;
}

/* The same for options.env, each entry as "KEY=value". [-0, +2, v] */
static char **push_env(lua_State *L) {
  int type = lua_getfield(L, 1, "env");
  if (type == LUA_TNIL) {
    lua_pushnil(L);
    return environ;
  }
  if (type != LUA_TTABLE) luaL_error(L, "option 'env' must be a table");
  lua_Integer count = count_entries(L), at = 0;
  char **envp = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *envp, 0);
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, -4) != 0; at++) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "option 'env' must map strings to strings");
    if (strchr(lua_tostring(L, -2), '=') != NULL)
      luaL_error(L, "option 'env': '=' in the name %s", lua_tostring(L, -2));
    lua_pushvalue(L, -3);
    lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), lua_tostring(L, -2));
    envp[at] = anchor(L, at + 1, "option 'env'");
    lua_pop(L, 2); /* the table again, and the value */
  }
  envp[count] = NULL;
  lua_remove(L, -3);
  return envp;
}

static bool is_program(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
         access(path, X_OK) == 0;
}

/* Pushes where `name` lies: itself when absolute, else found in the absolute
 * folders of PATH. NULL when nowhere. [-0, +1|0, v] */
static const char *push_program(lua_State *L, const char *name) {
  const char *path = getenv("PATH");
  if (name[0] == '/') return lua_pushstring(L, name);
  if (name[0] == '\0' || strchr(name, '/') != NULL)
    luaL_error(L, "program '%s' must be absolute or a name in PATH", name);
  while (path != NULL && *path != '\0') {
    char place[PATH_MAX];
    int folder = (int)strcspn(path, ":");
    int length = snprintf(place, sizeof place, "%.*s/%s", folder, path, name);
    bool fits = length > 0 && (size_t)length < sizeof place;
    if (fits && place[0] == '/' && is_program(place))
      return lua_pushstring(L, place);
    path += folder + (path[folder] == ':');
  }
  return NULL;
}

/* Pushes a child that is not started yet. [-0, +1, m] */
static struct child *push_child(lua_State *L) {
  struct child *child = lua_newuserdatauv(L, sizeof *child, 0);
  *child = (struct child){.pipes = {-1, -1, -1}};
  luaL_setmetatable(L, CHILD_META);
  return child;
}

/* Reads argv, env and cwd; false when the program is nowhere, with the failure
 * pushed. [-0, +n, v] */
static bool read_launch(lua_State *L, struct launch *launch) {
  luaL_checkstack(L, 16, NULL);
  launch->argv = push_argv(L);
  launch->envp = push_env(L);
  launch->cwd = bind_opt_string(L, 1, "cwd", NULL);
  launch->path = push_program(L, launch->argv[0]);
  if (launch->path != NULL) return true;
  bind_fail(L, "not_found", "%s: no such program in PATH", launch->argv[0]);
  return false;
}

/* Returns 0, or 3 with nil, message, code pushed. [-0, +0|3, m] */
static int start(lua_State *L, struct child *child,
                 const struct launch *launch) {
  const char *what = NULL;
  int error = process_start(child, launch, &what);
  return error == 0 ? 0 : bind_errno(L, error, what);
}

/* Fields status or signal, and peak_memory, of the table on the top.
 * [-0, +0, m] */
static void set_outcome(lua_State *L, const struct child *child) {
  lua_pushinteger(L, (lua_Integer)child->peak * 1024);
  lua_setfield(L, -2, "peak_memory");
  if (child->status != -1 && WIFEXITED(child->status)) {
    lua_pushinteger(L, WEXITSTATUS(child->status));
    lua_setfield(L, -2, "status");
  } else if (child->status != -1 && WIFSIGNALED(child->status)) {
    lua_pushinteger(L, WTERMSIG(child->status));
    lua_setfield(L, -2, "signal");
  }
}

static void set_text(lua_State *L, const char *key, const struct text *text) {
  lua_pushlstring(L, text->size > 0 ? text->data : "", text->size);
  lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, key);
}

static double opt_seconds(lua_State *L, int arg) {
  lua_Number seconds = luaL_optnumber(L, arg, 0);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, arg, "must lie in 0..1e9");
  return lua_isnoneornil(L, arg) ? 0 : base_now() + seconds;
}

/* run{argv = array of strings, cwd = path, env = {NAME = value}, input =
 * bytes, timeout = 0 s (none), max_output = 1 MiB} -> {status or signal,
 * stdout, stderr, timed_out, truncated, peak_memory in bytes} | nil, message,
 * code. Without env the child has this process's. */
static int f_run(lua_State *L) {
  static const char *const keys[] = {"argv",    "cwd",        "env", "input",
                                     "timeout", "max_output", NULL};
  struct launch launch = {0};
  struct service service = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, 1);
  service.max =
      (size_t)bind_opt_integer(L, 1, "max_output", 0, 1 << 30, OUTPUT_MAX);
  double timeout = bind_opt_number(L, 1, "timeout", 0);
  if (lua_getfield(L, 1, "input") != LUA_TNIL) service.input = bind_bytes(L, 2);
  if (!read_launch(L, &launch)) return 3;
  struct child *child = push_child(L);
  lua_toclose(L, -1);
  launch.streams[0] = lua_isnil(L, 2) ? "null" : "pipe";
  launch.streams[1] = launch.streams[2] = "pipe";
  if (start(L, child, &launch) != 0) return 3;
  service.deadline = timeout > 0 ? base_now() + timeout : 0;
  process_serve(child, &service);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  lua_createtable(L, 0, 6);
  set_outcome(L, child);
  set_text(L, "stdout", &child->text[1]);
  set_text(L, "stderr", &child->text[2]);
  set_boolean(L, "timed_out", service.timed_out);
  set_boolean(L, "truncated", service.truncated);
  return 1;
}

/* --- children that go on ---------------------------------------------------
 */

/* spawn{argv = array of strings, cwd = path, env = {NAME = value}, stdout =
 * "null", stderr = "inherit"} -> child | nil, message, code. A stream is
 * "inherit", "null" or the path of a file that is appended to; stdout may be
 * "pipe", for read_line. */
static int f_spawn(lua_State *L) {
  static const char *const keys[] = {"argv",   "cwd",    "env",
                                     "stdout", "stderr", NULL};
  struct launch launch = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, 1);
  launch.streams[0] = "null";
  launch.streams[1] = bind_opt_string(L, 1, "stdout", "null");
  launch.streams[2] = bind_opt_string(L, 1, "stderr", "inherit");
  if (strcmp(launch.streams[2], "pipe") == 0)
    return luaL_error(L, "option 'stderr': only stdout can be a pipe");
  if (!read_launch(L, &launch)) return 3;
  struct child *child = push_child(L);
  return start(L, child, &launch) == 0 ? 1 : 3;
}

static struct child *check_child(lua_State *L) {
  return luaL_checkudata(L, 1, CHILD_META);
}

/* child:pid() -> integer, or nil once it has ended. */
static int child_pid(lua_State *L) {
  const struct child *child = check_child(L);
  if (child->pid == 0) return 0;
  lua_pushinteger(L, child->pid);
  return 1;
}

/* child:wait([seconds]) -> {status or signal, peak_memory in bytes} | nil,
 * message, code. */
static int child_wait(lua_State *L) {
  struct child *child = check_child(L);
  double deadline = opt_seconds(L, 2);
  if (!process_wait(child, deadline)) {
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    return bind_fail(L, "timeout", "process %d still runs", (int)child->pid);
  }
  lua_newtable(L);
  set_outcome(L, child);
  return 1;
}

/* child:kill([signal = 15]) -> boolean: whether there was somebody to receive
 * it; the whole group does. */
static int child_kill(lua_State *L) {
  const struct child *child = check_child(L);
  lua_Integer number = luaL_optinteger(L, 2, SIGTERM);
  luaL_argcheck(L, number >= 0 && number <= 64, 2, "not a signal");
  bool sent = child->pid != 0 && kill(-child->pid, (int)number) == 0;
  lua_pushboolean(L, sent);
  return 1;
}

/* Pushes the first line of what was read, without its end; false when there is
 * none yet. At the end of the stream a last line needs no line feed. */
static bool push_line(lua_State *L, struct child *child) {
  struct text *text = &child->text[1];
  const char *end =
      text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
  bool last = end == NULL && child->pipes[1] < 0 && text->size > 0;
  if (end == NULL && !last) return false;
  size_t length = last ? text->size : (size_t)(end - text->data);
  size_t used = last ? length : length + 1;
  lua_pushlstring(L, text->data, length);
  text->size -= used;
  memmove(text->data, text->data + used, text->size);
  return true;
}

/* child:read_line([seconds]) -> string: a line | nil, message, code:
 * "timeout", "closed_pipe" at the end of the stream, "too_large". */
static int child_read_line(lua_State *L) {
  struct child *child = check_child(L);
  double deadline = opt_seconds(L, 2);
  bool fits = true;
  while (!push_line(L, child)) {
    if (child->pipes[1] < 0)
      return bind_fail(L, "closed_pipe", "no more output");
    if (!fits) return bind_fail(L, "too_large", "a line over 1 MiB");
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    if (deadline > 0 && base_now() >= deadline)
      return bind_fail(L, "timeout", "no line from process %d yet",
                       (int)child->pid);
    fits = process_read(child, 20, LINE_MAX_BYTES);
  }
  return 1;
}

static int child_tostring(lua_State *L) {
  const struct child *child = check_child(L);
  if (child->pid != 0)
    lua_pushfstring(L, "child (process %d)", (int)child->pid);
  else
    lua_pushliteral(L, "child (ended)");
  return 1;
}

int luaopen_core_process(lua_State *L) {
  static const luaL_Reg child_methods[] = {
      {"pid", child_pid},     {"wait", child_wait},
      {"kill", child_kill},   {"read_line", child_read_line},
      {"close", child_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(run), BIND(spawn), {NULL, NULL}};
  bind_type(L, CHILD_META, child_methods, child_close, child_tostring);
  luaL_newlib(L, functions);
  return 1;
}
