/* core.signer: a child that alone has a hotkey's secret, and signs requests of
 * BT-AUTH-V1 (contract.md 2.2) and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lauxlib.h>
#include <sodium.h>

#include "bind.h"
#include "keybox.h"
#include "sandbox_layers.h"
#include "signer_request.h"
#include "sr25519.h"

/*   parent                               child, a fork
 *   start(open) ---------------------->  open() reads the key
 *       <------------------------------  a text of open's
 *                                        gives up files, network and programs
 *   sign(request) -- request ---------->
 *       <-- 1 and 64 bytes, or 0 ------
 *
 * A message is a packet of a socket pair. From the first request on the child
 * needs no Lua, no memory and no file. */
#define SIGNER_META "bittern.signer"
#define CODE        "key"

enum { REQUEST_MAX = 16 << 10, TEXT_MAX = 64 << 10 };
enum { REPLY_MAX = 1 + SCHNORRKEL_SIGNATURE };

struct signer {
  int fd;        /* -1 once closed */
  pid_t pid;     /* 0 once reaped */
  unsigned owed; /* answers that are still to come */
};

int luaopen_core_signer(lua_State *L);

/* --- the child -------------------------------------------------------------
 */

/* Fills the reply to a request; returns its size. */
static size_t answer(const struct schnorrkel_key *key, struct bytes request,
                     uint8_t reply[REPLY_MAX]) {
  uint8_t random[32];
  reply[0] = 0;
  if (request.size > REQUEST_MAX || !signer_is_request(request)) return 1;
  randombytes_buf(random, sizeof random);
  int result =
      schnorrkel_sign(key, request.data, request.size, random, reply + 1);
  sodium_memzero(random, sizeof random);
  reply[0] = result == 0;
  return result == 0 ? REPLY_MAX : 1;
}

/* Until the parent closes its end. */
static void serve(const struct schnorrkel_key *key) {
  static uint8_t request[REQUEST_MAX + 1];
  uint8_t reply[REPLY_MAX];
  for (;;) {
    ssize_t got = read(STDIN_FILENO, request, sizeof request);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    size_t size = answer(key, (struct bytes){request, (size_t)got}, reply);
    if (write(STDOUT_FILENO, reply, size) != (ssize_t)size) return;
  }
}

/* Closes every descriptor from 3 on but two; `keep` may be negative. */
static void close_others(int fd, int keep) {
  unsigned from = 3;
  int low = fd < keep ? fd : keep, high = fd < keep ? keep : fd;
  const int kept[] = {low, high};
  for (int i = 0; i < 2; i++) {
    if (kept[i] < (int)from) continue;
    if (kept[i] > (int)from) close_range(from, (unsigned)kept[i] - 1, 0);
    from = (unsigned)kept[i] + 1;
  }
  close_range(from, ~0U, 0);
}

/* What is left: the socket as both standard streams, and what computes. A
 * kernel without a layer leaves the others; the doctor tells. */
static void give_up_powers(int fd) {
  signal(SIGINT, SIG_IGN);
  dup2(fd, STDIN_FILENO);
  dup2(fd, STDOUT_FILENO);
  close_range(STDERR_FILENO, ~0U, 0);
  sandbox_lay(SANDBOX_NO_NEW_PRIVS);
  sandbox_lay(SANDBOX_CAPABILITIES);
  sandbox_lay(SANDBOX_LANDLOCK);
  sandbox_lay_signer();
}

/* Collecting garbage would end what the parent still uses: a connection to its
 * ledger, a transfer. */
static void run_child(lua_State *L, int fd, int keep, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(EXIT_FAILURE);
  close_others(fd, keep);
  lua_gc(L, LUA_GCSTOP);
  lua_pushvalue(L, 1);
  size_t size;
  if (lua_pcall(L, 0, 2, 0) != LUA_OK) _exit(EXIT_FAILURE);
  const char *text = lua_tolstring(L, -1, &size);
  const struct schnorrkel_key *key = sr25519_secret(L, -2);
  if (text == NULL || size > TEXT_MAX) _exit(EXIT_FAILURE);
  if (send(fd, text, size, MSG_NOSIGNAL) < 0 || key == NULL)
    _exit(EXIT_SUCCESS);
  give_up_powers(fd);
  serve(key);
  _exit(EXIT_SUCCESS);
}

/* --- the parent ------------------------------------------------------------
 */

static void end(struct signer *signer) {
  if (signer->fd >= 0) close(signer->fd);
  if (signer->pid > 0) {
    kill(signer->pid, SIGKILL);
    while (waitpid(signer->pid, NULL, 0) < 0 && errno == EINTR)
      continue;
  }
  *signer = (struct signer){.fd = -1};
}

/* signer:close(): ends the child. The signer signs nothing from then on. */
static int signer_close(lua_State *L) {
  end(luaL_checkudata(L, 1, SIGNER_META));
  return 0;
}

static int signer_tostring(lua_State *L) {
  const struct signer *signer = luaL_checkudata(L, 1, SIGNER_META);
  lua_pushfstring(L, "signer (%s)", signer->fd < 0 ? "closed" : "open");
  return 1;
}

/* One packet: its size, 0 when the child has ended, or an errno value, negated.
 */
static ssize_t receive(int fd, void *into, size_t room) {
  struct pollfd wait = {fd, POLLIN, 0};
  for (;;) {
    if (bind_interrupted()) return -EINTR;
    if (poll(&wait, 1, 100) <= 0) continue;
    ssize_t got = recv(fd, into, room, MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno == ECONNRESET) return 0;
    if (errno != EAGAIN && errno != EINTR) return -errno;
  }
}

static int fail_receive(lua_State *L, ssize_t got) {
  if (got < 0) return bind_errno(L, (int)-got, "signer");
  return bind_fail(L, CODE, "the process that holds the hotkey has ended");
}

/* The answer to the request that was just sent: an interrupt may have left some
 * of those before it unread. */
static ssize_t receive_last(struct signer *signer, uint8_t reply[REPLY_MAX]) {
  ssize_t got = 1;
  for (signer->owed++; signer->owed > 0 && got > 0; signer->owed -= got > 0)
    got = receive(signer->fd, reply, REPLY_MAX);
  return got;
}

/* signer:sign(request (string)) -> string of 64 bytes, other ones each time |
 * nil, message, code. The request is what BT-AUTH-V1 signs; nothing else is. */
static int signer_sign(lua_State *L) {
  size_t size;
  uint8_t reply[REPLY_MAX];
  struct signer *signer = luaL_checkudata(L, 1, SIGNER_META);
  const char *request = luaL_checklstring(L, 2, &size);
  luaL_argcheck(L, signer->fd >= 0, 1, "the signer is closed");
  if (size == 0 || size > REQUEST_MAX)
    return bind_fail(L, CODE, "not a request that the hotkey signs");
  if (send(signer->fd, request, size, MSG_NOSIGNAL) < 0)
    return fail_receive(L, 0);
  ssize_t got = receive_last(signer, reply);
  if (got <= 0) return fail_receive(L, got);
  if (got != REPLY_MAX)
    return bind_fail(L, CODE, "not a request that the hotkey signs");
  lua_pushlstring(L, (const char *)reply + 1, SCHNORRKEL_SIGNATURE);
  return 1;
}

/* Room for a signer without a child. [-0, +1, m] */
static struct signer *push_signer(lua_State *L) {
  struct signer *signer = lua_newuserdatauv(L, sizeof *signer, 0);
  *signer = (struct signer){.fd = -1};
  luaL_setmetatable(L, SIGNER_META);
  return signer;
}

/* The terminal where the child may ask, as it was: a child that is ended while
 * it asks for a password leaves it silent. */
struct terminal {
  int fd;
  bool is; /* one */
  struct termios before;
};

static struct terminal look_at(int fd) {
  struct terminal terminal = {.fd = fd};
  terminal.is = tcgetattr(fd, &terminal.before) == 0;
  return terminal;
}

/* Makes it show again what is typed there, if it did before. */
static void show_typing(const struct terminal *terminal) {
  struct termios now;
  if (terminal->is && tcgetattr(terminal->fd, &now) == 0 &&
      now.c_lflag != terminal->before.c_lflag)
    tcsetattr(terminal->fd, TCSANOW, &terminal->before);
}

/* Starts the child. 0, or an errno value. */
static int start(lua_State *L, struct signer *signer, int keep) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return errno;
  pid_t parent = getpid();
  signer->fd = pair[0];
  signer->pid = fork();
  int error = errno;
  if (signer->pid == 0) run_child(L, pair[1], keep, parent);
  close(pair[1]);
  return signer->pid < 0 ? error : 0;
}

/* start(open (function) [, keep (integer)]) -> signer, string | nil, message,
 * code. `open` runs in the child, gives a key of core.sr25519 or nil, and the
 * text that start gives, of 1 byte to 64 KiB; without a key the child ends.
 * `keep` is a descriptor that it needs beside the standard streams. */
static int f_start(lua_State *L) {
  char text[TEXT_MAX];
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_Integer keep = luaL_optinteger(L, 2, -1);
  luaL_argcheck(L, keep >= -1 && keep < 1 << 20, 2, "not a descriptor");
  /* The next one that is opened, our own, would get a number that is free. */
  if (keep >= 0 && fcntl((int)keep, F_GETFD) < 0)
    return bind_fail(L, "config", "file descriptor %d: %s", (int)keep,
                     strerror(errno));
  struct signer *signer = push_signer(L);
  struct terminal terminal = look_at(keep < 0 ? STDIN_FILENO : (int)keep);
  keybox_guard();
  int error = start(L, signer, (int)keep);
  if (error != 0) return bind_errno(L, error, "signer");
  ssize_t got = receive(signer->fd, text, sizeof text);
  if (got > 0) {
    lua_pushlstring(L, text, (size_t)got);
    return 2;
  }
  end(signer);
  show_typing(&terminal);
  return fail_receive(L, got);
}

int luaopen_core_signer(lua_State *L) {
  static const luaL_Reg signer_methods[] = {
      {"sign", signer_sign}, {"close", signer_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(start), {NULL, NULL}};
  keybox_require(L); /* starts libsodium */
  bind_type(L, SIGNER_META, signer_methods, signer_close, signer_tostring);
  luaL_newlib(L, functions);
  return 1;
}
