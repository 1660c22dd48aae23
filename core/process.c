/* core.process: child programs, never through a shell.
 *
 * Every child leads a process group of its own, so that it and all it started
 * can be ended together, and is killed by the kernel when this process dies.
 * What a child leaves behind in its group when it ends is ended with it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"

#define CHILD_META "bittern.child"

enum { OUTPUT_MAX = 1 << 20, LINE_MAX_BYTES = 1 << 20, CHUNK = 1 << 16 };

/* Seconds between a polite end and a hard one, and seconds for reading what an
 * ended child's escaped descendants may still write. */
static const double GRACE = 0.5;

struct text {
  char *data;
  size_t size;
  size_t room;
};

struct child {
  pid_t pid;           /* 0 before the start and once reaped */
  bool ended;          /* reaped; `status` is waitpid's */
  int status;          /* -1 when the kernel no longer knew */
  long peak;           /* largest resident size in KiB, once reaped */
  int pipes[3];        /* our ends of its standard streams, or -1 */
  struct text text[3]; /* what was read from pipes 1 and 2 */
};

/* All that the child needs between fork and exec, made before the fork: after
 * it only calls that are safe in a signal handler are allowed. */
struct launch {
  const char *path;
  char **argv;
  char **envp;
  const char *cwd;
  int stdio[3];
};

struct failure {
  int error;
  bool in_cwd;
};

extern char **environ;

int luaopen_core_process(lua_State *L);

static double now(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* --- starting --------------------------------------------------------------
 */

static void mark_cloexec(void) {
  if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = 3; fd < 4096; fd++) /* kernels before 5.11 */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Ignored signals survive exec, so those that the host ignores go back. */
static void default_signals(void) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGQUIT,
                                SIGPIPE, SIGXFSZ, SIGCHLD};
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigset_t none;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &plain, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct launch *launch, int report,
                             pid_t parent) {
  struct failure failure = {0};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); /* it died before prctl */
  for (int fd = 0; fd < 3; fd++)
    dup2(launch->stdio[fd], fd);
  mark_cloexec();
  default_signals();
  if (launch->cwd != NULL && chdir(launch->cwd) != 0)
    failure.in_cwd = true;
  else
    execve(launch->path, launch->argv, launch->envp);
  failure.error = errno;
  ssize_t put = write(report, &failure, sizeof failure);
  _exit(put > 0 ? 127 : 126);
}

/* Keeps descriptors out of 0..2, which the child's dup2 would overwrite. */
static int above_stdio(int fd) {
  if (fd < 0 || fd > 2) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  close(fd);
  return moved;
}

/* Returns 0 or an errno value. */
static int open_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  ends[0] = above_stdio(ends[0]);
  ends[1] = above_stdio(ends[1]);
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  int error = errno;
  shut(&ends[0]);
  shut(&ends[1]);
  return error;
}

/* The child's word on a failed exec: a pipe that a good exec closes. */
static bool read_failure(int fd, struct failure *out) {
  ssize_t got;
  do
    got = read(fd, out, sizeof *out);
  while (got < 0 && errno == EINTR);
  return got == sizeof *out;
}

/* Forks and execs with all signals blocked, so that no handler of ours runs in
 * the child. On failure `failure` is filled and -1 returned. */
static int start(struct child *child, const struct launch *launch,
                 struct failure *failure) {
  int report[2];
  sigset_t all, before;
  failure->error = open_pipe(report);
  if (failure->error != 0) return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) become(launch, report[1], parent);
  failure->error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (pid > 0) setpgid(pid, pid); /* whoever comes first */
  bool failed = pid < 0 || read_failure(report[0], failure);
  close(report[0]);
  if (pid > 0 && failed) waitpid(pid, NULL, 0);
  if (pid > 0 && !failed) child->pid = pid;
  return failed ? -1 : 0;
}

/* --- ending ----------------------------------------------------------------
 */

/* Asks without reaping: an unreaped leader keeps its number, and so its
 * group's, from being given to strangers. */
static bool has_ended(const struct child *child) {
  siginfo_t info = {0};
  if (child->ended) return true;
  int flags = WEXITED | WNOHANG | WNOWAIT;
  if (waitid(P_PID, (id_t)child->pid, &info, flags) != 0) return errno != EINTR;
  return info.si_pid == child->pid;
}

static void reap(struct child *child) {
  pid_t got;
  struct rusage usage = {0};
  kill(-child->pid, SIGKILL);
  do
    got = wait4(child->pid, &child->status, 0, &usage);
  while (got < 0 && errno == EINTR);
  if (got < 0) child->status = -1;
  child->peak = usage.ru_maxrss;
  child->ended = true;
  child->pid = 0;
}

/* Waits until `deadline` (0: for ever) with growing pauses. */
static bool await(const struct child *child, double deadline, bool heed) {
  int pause = 1;
  while (!has_ended(child)) {
    if (deadline > 0 && now() >= deadline) return false;
    if (heed && bind_interrupted()) return false;
    poll(NULL, 0, pause);
    pause = pause < 16 ? pause * 2 : 25;
  }
  return true;
}

static void stop(struct child *child) {
  if (child->pid == 0) return;
  kill(-child->pid, SIGTERM);
  if (!await(child, now() + GRACE, false)) kill(-child->pid, SIGKILL);
  reap(child);
}

static int child_close(lua_State *L) {
  struct child *child = luaL_checkudata(L, 1, CHILD_META);
  stop(child);
  for (int i = 0; i < 3; i++) {
    shut(&child->pipes[i]);
    free(child->text[i].data);
    child->text[i] = (struct text){0};
  }
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
  for (int i = 0; i < 3; i++)
    launch->stdio[i] = -1;
  if (launch->path != NULL) return true;
  bind_fail(L, "not_found", "%s: no such program in PATH", launch->argv[0]);
  return false;
}

static int push_failure(lua_State *L, const struct launch *launch,
                        const struct failure *failure) {
  return bind_errno(L, failure->error,
                    failure->in_cwd ? launch->cwd : launch->path);
}

/* Opens one of the child's streams and, for "pipe", our end of it. Returns 0 or
 * an errno value. */
static int open_stream(struct child *child, int stream, const char *kind,
                       int *out) {
  if (strcmp(kind, "inherit") == 0) {
    *out = stream;
  } else if (strcmp(kind, "null") == 0) {
    *out = above_stdio(open("/dev/null", O_RDWR | O_CLOEXEC));
  } else if (strcmp(kind, "pipe") == 0) {
    int ends[2];
    int error = open_pipe(ends);
    if (error != 0) return error;
    *out = ends[stream == 0 ? 0 : 1];
    child->pipes[stream] = ends[stream == 0 ? 1 : 0];
    fcntl(child->pipes[stream], F_SETFL, O_NONBLOCK);
  } else {
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    *out = above_stdio(open(kind, flags, 0644));
  }
  return *out < 0 ? errno : 0;
}

/* Opens the three streams, starts, closes the child's ends. Returns 0, or 3
 * with nil, message, code pushed. [-0, +0|3, m] */
static int launch_child(lua_State *L, struct child *child,
                        struct launch *launch, const char *const kinds[3]) {
  struct failure failure = {0};
  int status = 0;
  for (int i = 0; i < 3 && status == 0; i++) {
    failure.error = open_stream(child, i, kinds[i], &launch->stdio[i]);
    if (failure.error != 0) status = bind_errno(L, failure.error, kinds[i]);
  }
  if (status == 0 && start(child, launch, &failure) != 0)
    status = push_failure(L, launch, &failure);
  for (int i = 0; i < 3; i++)
    if (launch->stdio[i] > 2) close(launch->stdio[i]);
  return status;
}

/* --- reading and writing ---------------------------------------------------
 */

/* Appends what fits under `max`. Returns false when something did not. */
static bool append(struct text *text, const char *bytes, size_t size,
                   size_t max) {
  size_t take = size < max - text->size ? size : max - text->size;
  if (take > text->room - text->size) {
    size_t room = text->size + take;
    if (room < text->room * 2) room = text->room * 2;
    char *data = realloc(text->data, room);
    if (data == NULL) return false;
    text->data = data;
    text->room = room;
  }
  if (take > 0) memcpy(text->data + text->size, bytes, take);
  text->size += take;
  return take == size;
}

/* One read of pipe `stream`, which closes at its end. False: some was dropped.
 */
static bool take(struct child *child, int stream, size_t max) {
  char chunk[CHUNK];
  ssize_t got = read(child->pipes[stream], chunk, sizeof chunk);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) shut(&child->pipes[stream]);
  return got <= 0 || append(&child->text[stream], chunk, (size_t)got, max);
}

static void feed(struct child *child, struct bytes *input) {
  size_t size = input->size < CHUNK ? input->size : CHUNK;
  ssize_t put = size > 0 ? write(child->pipes[0], input->data, size) : 0;
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (put > 0) {
    input->data += put;
    input->size -= (size_t)put;
  }
  if (put < 0 || input->size == 0) shut(&child->pipes[0]);
}

struct run {
  struct bytes input;
  size_t max;
  double deadline; /* of the next step below, 0: none */
  int stage;       /* 0 running, 1 asked to end, 2 killed, 3 ended by itself */
  bool timed_out;
  bool truncated;
};

/* Waits a while for the pipes, and serves those that are ready. */
static void pump(struct child *child, struct run *run, int milliseconds) {
  struct pollfd polled[3];
  for (int i = 0; i < 3; i++)
    polled[i] = (struct pollfd){child->pipes[i], i == 0 ? POLLOUT : POLLIN, 0};
  if (poll(polled, 3, milliseconds) <= 0) return;
  if (polled[0].revents != 0) feed(child, &run->input);
  for (int i = 1; i < 3; i++)
    if (polled[i].revents != 0 && !take(child, i, run->max))
      run->truncated = true;
}

/* The next step towards the end, when it is time for one. */
static void hasten(struct child *child, struct run *run) {
  bool late = run->deadline > 0 && now() >= run->deadline;
  if (run->stage == 0 && (late || bind_interrupted())) {
    run->timed_out = late;
    kill(-child->pid, SIGTERM);
    run->stage = 1;
    run->deadline = now() + GRACE;
  } else if (run->stage == 1 && late) {
    kill(-child->pid, SIGKILL);
    run->stage = 2;
    run->deadline = 0;
  }
}

/* Serves the pipes until the child has ended and its output was read. */
static void serve(struct child *child, struct run *run) {
  int pause = 1;
  while (true) {
    bool open = child->pipes[1] >= 0 || child->pipes[2] >= 0;
    if (has_ended(child)) {
      if (run->stage < 3) {
        kill(-child->pid, SIGKILL); /* what it left behind */
        run->stage = 3;
        run->deadline = now() + GRACE;
      }
      if (!open || now() >= run->deadline) break;
    }
    hasten(child, run);
    pump(child, run, open ? 50 : pause);
    if (!open && pause < 32) pause *= 2;
  }
  reap(child);
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
  return lua_isnoneornil(L, arg) ? 0 : now() + seconds;
}

/* run{argv=, cwd=, env=, input=, timeout=, max_output=} -> {status or signal,
 * stdout, stderr, timed_out, truncated, peak_memory in bytes} | nil, message,
 * code. */
static int f_run(lua_State *L) {
  static const char *const keys[] = {"argv",    "cwd",        "env", "input",
                                     "timeout", "max_output", NULL};
  struct launch launch;
  struct run run = {0};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, 1);
  run.max =
      (size_t)bind_opt_integer(L, 1, "max_output", 0, 1 << 30, OUTPUT_MAX);
  double timeout = bind_opt_number(L, 1, "timeout", 0);
  if (lua_getfield(L, 1, "input") != LUA_TNIL) run.input = bind_bytes(L, 2);
  if (!read_launch(L, &launch)) return 3;
  struct child *child = push_child(L);
  lua_toclose(L, -1);
  const char *kinds[3] = {lua_isnil(L, 2) ? "null" : "pipe", "pipe", "pipe"};
  if (launch_child(L, child, &launch, kinds) != 0) return 3;
  run.deadline = timeout > 0 ? now() + timeout : 0;
  serve(child, &run);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  lua_createtable(L, 0, 6);
  set_outcome(L, child);
  set_text(L, "stdout", &child->text[1]);
  set_text(L, "stderr", &child->text[2]);
  set_boolean(L, "timed_out", run.timed_out);
  set_boolean(L, "truncated", run.truncated);
  return 1;
}

/* --- children that go on ---------------------------------------------------
 */

/* spawn{argv=, cwd=, env=, stdout="null", stderr="inherit"} -> child | nil,
 * message, code. A stream is "inherit", "null" or the path of a file that is
 * appended to; stdout may be "pipe", for read_line. */
static int f_spawn(lua_State *L) {
  static const char *const keys[] = {"argv",   "cwd",    "env",
                                     "stdout", "stderr", NULL};
  struct launch launch;
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, 1);
  const char *kinds[3] = {"null", bind_opt_string(L, 1, "stdout", "null"),
                          bind_opt_string(L, 1, "stderr", "inherit")};
  if (strcmp(kinds[2], "pipe") == 0)
    return luaL_error(L, "option 'stderr': only stdout can be a pipe");
  if (!read_launch(L, &launch)) return 3;
  struct child *child = push_child(L);
  return launch_child(L, child, &launch, kinds) == 0 ? 1 : 3;
}

static struct child *check_child(lua_State *L) {
  return luaL_checkudata(L, 1, CHILD_META);
}

/* child:pid() -> process id, or nil once it has ended. */
static int child_pid(lua_State *L) {
  const struct child *child = check_child(L);
  if (child->pid == 0) return 0;
  lua_pushinteger(L, child->pid);
  return 1;
}

/* child:wait([seconds]) -> {status or signal, peak_memory} | nil, message,
 * code. */
static int child_wait(lua_State *L) {
  struct child *child = check_child(L);
  double deadline = opt_seconds(L, 2);
  if (!await(child, deadline, true)) {
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    return bind_fail(L, "timeout", "process %d still runs", (int)child->pid);
  }
  if (!child->ended) reap(child);
  lua_newtable(L);
  set_outcome(L, child);
  return 1;
}

/* child:kill([signal = 15]) -> whether there was somebody to receive it; the
 * whole group does. */
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

/* child:read_line([seconds]) -> line | nil, message, code: "timeout",
 * "closed_pipe" at the end of the stream, "too_large". */
static int child_read_line(lua_State *L) {
  struct child *child = check_child(L);
  double deadline = opt_seconds(L, 2);
  bool fits = true;
  while (!push_line(L, child)) {
    struct pollfd polled = {child->pipes[1], POLLIN, 0};
    if (polled.fd < 0) return bind_fail(L, "closed_pipe", "no more output");
    if (!fits) return bind_fail(L, "too_large", "a line over 1 MiB");
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    if (deadline > 0 && now() >= deadline)
      return bind_fail(L, "timeout", "no line from process %d yet",
                       (int)child->pid);
    if (poll(&polled, 1, 20) > 0) fits = take(child, 1, LINE_MAX_BYTES);
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
  static const luaL_Reg methods[] = {
      {"pid", child_pid},     {"wait", child_wait},
      {"kill", child_kill},   {"read_line", child_read_line},
      {"close", child_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(run), BIND(spawn), {NULL, NULL}};
  /* An ignored SIGCHLD, inherited, would take every exit status away. */
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(SIGCHLD, &plain, NULL);
  bind_type(L, CHILD_META, methods, child_close, child_tostring);
  luaL_newlib(L, functions);
  return 1;
}
