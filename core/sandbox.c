/* core.sandbox: a child process without powers, and the messages to and from
 * it. What it says is a stranger's word: bytes, of a length that is bounded.
 * lua/sandbox.lua knows what they mean. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind.h"
#include "process_child.h"
#include "sandbox_child.h"
#include "sandbox_layers.h"

#define BOX_META "bittern.box"

enum { PAUSE = 20 }; /* milliseconds between two looks at an interrupt */

int luaopen_core_sandbox(lua_State *L);

/* box:close(): ends the child at once. The end of a scope (`<close>`) does the
 * same. */
static int box_close(lua_State *L) {
  struct child *child = luaL_checkudata(L, 1, BOX_META);
  if (child->pid != 0) kill(-child->pid, SIGKILL);
  process_close(child);
  return 0;
}

static struct child *check_box(lua_State *L) {
  struct child *child = luaL_checkudata(L, 1, BOX_META);
  luaL_argcheck(L, child->pid != 0, 1, "it has ended");
  return child;
}

/* start() -> box | nil, message, code. Its first message is the state of its
 * layers: lines of a name and an errno, which is 0 for a layer that holds. The
 * first text that it is sent is the Lua that it runs, with receive and send as
 * arguments. */
static int f_start(lua_State *L) {
  static char role[] = SANDBOX_ROLE;
  static char *argv[] = {role, NULL}, *envp[] = {NULL};
  const struct launch launch = {
      "/proc/self/exe", "/", argv, envp, {"pipe", "pipe", "null"}};
  const char *what = NULL;
  struct child *child = lua_newuserdatauv(L, sizeof *child, 0);
  *child = (struct child){.pipes = {-1, -1, -1}};
  luaL_setmetatable(L, BOX_META);
  int error = process_start(child, &launch, &what);
  return error == 0 ? 1 : bind_errno(L, error, what);
}

/* --- talking ---------------------------------------------------------------
 */

static int fail_late(lua_State *L) {
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  return bind_fail(L, "timeout", "the sandbox does not answer");
}

/* Its end, said in words: a signal of the kernel tells which layer it met. */
static int fail_ended(lua_State *L, struct child *child) {
  if (!process_wait(child, base_now() + 1)) return fail_late(L);
  int signal = WIFSIGNALED(child->status) ? WTERMSIG(child->status) : 0;
  if (signal == SIGSYS)
    return bind_fail(L, "closed_pipe",
                     "made a system call that a sandbox has not");
  if (signal != 0)
    return bind_fail(L, "closed_pipe", "the sandbox was ended by signal %d",
                     signal);
  return bind_fail(L, "closed_pipe", "the sandbox ended");
}

/* Writes until all is written or it is late. False with errno set: EAGAIN when
 * it is late, EPIPE when nobody reads. */
static bool put_all(int fd, struct bytes bytes, double deadline) {
  while (bytes.size > 0) {
    ssize_t put = write(fd, bytes.data, bytes.size);
    if (put < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (put > 0) {
      bytes.data += put;
      bytes.size -= (size_t)put;
      continue;
    }
    errno = EAGAIN;
    if (bind_interrupted() || base_now() >= deadline) return false;
    struct pollfd polled = {fd, POLLOUT, 0};
    poll(&polled, 1, PAUSE);
  }
  return true;
}

/* box:send(text (bytes), seconds) -> true | nil, message, code: "timeout",
 * "closed_pipe", "interrupted". */
static int box_send(lua_State *L) {
  struct child *child = check_box(L);
  struct bytes text = bind_bytes(L, 2);
  double deadline = base_now() + luaL_checknumber(L, 3);
  luaL_argcheck(L, text.size <= SANDBOX_MESSAGE_MAX, 2, "too long");
  uint32_t length = (uint32_t)text.size;
  struct bytes head = {(const uint8_t *)&length, sizeof length};
  if (put_all(child->pipes[0], head, deadline) &&
      put_all(child->pipes[0], text, deadline)) {
    lua_pushboolean(L, true);
    return 1;
  }
  return errno == EAGAIN ? fail_late(L) : fail_ended(L, child);
}

/* The length of the message that is being read, or -1 before it is known. */
static int64_t length_of(const struct text *text) {
  uint32_t length;
  if (text->size < sizeof length) return -1;
  memcpy(&length, text->data, sizeof length);
  return length;
}

static int push_message(lua_State *L, struct text *text, size_t length) {
  size_t used = sizeof(uint32_t) + length;
  lua_pushlstring(L, text->data + sizeof(uint32_t), length);
  text->size -= used;
  memmove(text->data, text->data + used, text->size);
  return 1;
}

/* box:receive(seconds) -> bytes | nil, message, code: "timeout",
 * "closed_pipe", "too_large", "interrupted". */
static int box_receive(lua_State *L) {
  struct child *child = check_box(L);
  struct text *text = &child->text[1];
  double deadline = base_now() + luaL_checknumber(L, 2);
  while (true) {
    int64_t length = length_of(text);
    if (length > SANDBOX_MESSAGE_MAX)
      return bind_fail(L, "too_large", "the sandbox says too much");
    if (length >= 0 && text->size - sizeof(uint32_t) >= (size_t)length)
      return push_message(L, text, (size_t)length);
    if (child->pipes[1] < 0) return fail_ended(L, child);
    if (bind_interrupted() || base_now() >= deadline) return fail_late(L);
    process_read(child, PAUSE, SANDBOX_MESSAGE_MAX + sizeof(uint32_t));
  }
}

/* --- the rest --------------------------------------------------------------
 */

/* box:pid() -> integer, or nil once it has ended. */
static int box_pid(lua_State *L) {
  const struct child *child = luaL_checkudata(L, 1, BOX_META);
  if (child->pid == 0) return 0;
  lua_pushinteger(L, child->pid);
  return 1;
}

static int box_tostring(lua_State *L) {
  const struct child *child = luaL_checkudata(L, 1, BOX_META);
  if (child->pid == 0)
    lua_pushliteral(L, "sandbox (ended)");
  else
    lua_pushfstring(L, "sandbox (process %d)", (int)child->pid);
  return 1;
}

/* landlock_version() -> integer: what the kernel has, 0 without Landlock. */
static int f_landlock_version(lua_State *L) {
  lua_pushinteger(L, sandbox_landlock_version());
  return 1;
}

int luaopen_core_sandbox(lua_State *L) {
  static const luaL_Reg box_methods[] = {{"send", box_send},
                                         {"receive", box_receive},
                                         {"pid", box_pid},
                                         {"close", box_close},
                                         {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(start), BIND(landlock_version), {NULL, NULL}};
  bind_type(L, BOX_META, box_methods, box_close, box_tostring);
  luaL_newlib(L, functions);
  return 1;
}
