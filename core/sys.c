/* core.sys: clocks, terminal, randomness, processor and process facts. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"

extern char **environ;

int luaopen_core_sys(lua_State *L);

static double read_clock(clockid_t id) {
  struct timespec now = {0};
  clock_gettime(id, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* time() -> number: seconds since 1970-01-01 UTC. */
static int f_time(lua_State *L) {
  lua_pushnumber(L, read_clock(CLOCK_REALTIME));
  return 1;
}

/* clock() -> number: seconds of a clock that never jumps. */
static int f_clock(lua_State *L) {
  lua_pushnumber(L, read_clock(CLOCK_MONOTONIC));
  return 1;
}

/* sleep(seconds) -> true, or nil, message, "interrupted". Sleeps in slices, so
 * that a signal that came just before the system call is seen soon. */
static int f_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1, "must lie in 0..1e9");
  double end = read_clock(CLOCK_MONOTONIC) + seconds;
  for (double left = seconds; left > 0 && !bind_interrupted();
       left = end - read_clock(CLOCK_MONOTONIC))
    poll(NULL, 0, (int)ceil(fmin(left, 0.1) * 1000));
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  lua_pushboolean(L, 1);
  return 1;
}

/* random(n) -> string of n bytes from the kernel, n in 1..256. */
static int f_random(lua_State *L) {
  unsigned char bytes[256];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 1 && count <= 256, 1, "must lie in 1..256");
  if (getrandom(bytes, (size_t)count, 0) != (ssize_t)count)
    return bind_errno(L, errno, "getrandom");
  lua_pushlstring(L, (const char *)bytes, (size_t)count);
  return 1;
}

static int check_descriptor(lua_State *L) {
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "not a file descriptor");
  return (int)fd;
}

/* isatty(fd) -> boolean: whether the file descriptor is a terminal. */
static int f_isatty(lua_State *L) {
  lua_pushboolean(L, isatty(check_descriptor(L)));
  return 1;
}

/* columns(fd) -> integer: width of the terminal, 80 where there is none. */
static int f_columns(lua_State *L) {
  struct winsize size = {0};
  bool known = ioctl(check_descriptor(L), TIOCGWINSZ, &size) == 0;
  lua_pushinteger(L, known && size.ws_col > 0 ? size.ws_col : 80);
  return 1;
}

/* cores() -> integer: processors that are online. */
static int f_cores(lua_State *L) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  lua_pushinteger(L, cores > 0 ? cores : 1);
  return 1;
}

/* pid() -> integer: the process id. */
static int f_pid(lua_State *L) {
  lua_pushinteger(L, getpid());
  return 1;
}

/* home() -> string or nil: the folder that the system's list of users has for
 * this one. */
static int f_home(lua_State *L) {
  struct passwd entry;
  struct passwd *found = NULL;
  char text[4096];
  int error = getpwuid_r(geteuid(), &entry, text, sizeof text, &found);
  lua_pushstring(L, error == 0 && found != NULL ? found->pw_dir : NULL);
  return 1;
}

/* uid() -> integer: the user id that files are opened with. */
static int f_uid(lua_State *L) {
  lua_pushinteger(L, geteuid());
  return 1;
}

/* variables() -> array of the names of the environment's variables, in no
 * order. */
static int f_variables(lua_State *L) {
  lua_newtable(L);
  for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
    lua_pushlstring(L, *entry, strcspn(*entry, "="));
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  return 1;
}

/* unset(name): this process and its children lose the variable, and its value
 * is wiped, so that /proc/PID/environ does not show it either. */
static int f_unset(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  char *value = getenv(name);
  if (value != NULL) explicit_bzero(value, strlen(value));
  unsetenv(name);
  return 0;
}

/* set(name, value): this process and its children get the variable, a string
 * without zero bytes. */
static int f_set(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_argcheck(L, *name != '\0' && strchr(name, '=') == NULL, 1, "not a name");
  if (setenv(name, luaL_checkstring(L, 2), 1) != 0)
    return luaL_error(L, "not enough memory");
  return 0;
}

/* peak_memory() -> integer: largest resident size of this process so far, in
 * bytes. */
static int f_peak_memory(lua_State *L) {
  struct rusage usage = {0};
  getrusage(RUSAGE_SELF, &usage);
  lua_pushinteger(L, (lua_Integer)usage.ru_maxrss * 1024);
  return 1;
}

/* interrupted() -> boolean: whether the user asked to stop. */
static int f_interrupted(lua_State *L) {
  lua_pushboolean(L, bind_interrupted());
  return 1;
}

/* on_interrupt(call (function)) -> function or nil: the one before. host.c
 * calls it, once, when the user asked to stop and everything else has ended. */
static int f_on_interrupt(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, BIND_ON_INTERRUPT);
  lua_insert(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, BIND_ON_INTERRUPT);
  return 1;
}

/* exe() -> string: absolute path of this program. */
static int f_exe(lua_State *L) {
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length < 0) return bind_errno(L, errno, "/proc/self/exe");
  lua_pushlstring(L, path, (size_t)length);
  return 1;
}

int luaopen_core_sys(lua_State *L) {
  static const luaL_Reg functions[] = {
      BIND(time),         BIND(clock),       BIND(sleep),     BIND(random),
      BIND(isatty),       BIND(columns),     BIND(cores),     BIND(pid),
      BIND(peak_memory),  BIND(interrupted), BIND(uid),       BIND(exe),
      BIND(on_interrupt), BIND(home),        BIND(variables), BIND(set),
      BIND(unset),        {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
