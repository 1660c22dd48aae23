/* Starting, serving and ending one child program.
 *
 * A child leads a process group of its own and dies with this process. An
 * ended leader is not reaped before its group was killed: until then nobody
 * else can be given its number. */
#include "process_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

/* Seconds between a polite end and a hard one, and seconds for reading what an
 * ended child's escaped descendants may still write. */
static const double GRACE = 0.5;

/* A failed exec, as the child tells it. */
struct failure {
  int error;
  bool in_cwd;
};

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

/* The child's part: between fork and exec only calls that are safe in a signal
 * handler are allowed, so everything was made before the fork. It uses the
 * parent's memory until then, and never returns. */
static _Noreturn void become(const struct launch *launch, const int stdio[3],
                             int report, pid_t parent) {
  struct failure failure = {0};
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); /* it died before prctl */
  for (int fd = 0; fd < 3; fd++)
    dup2(stdio[fd], fd);
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
 * the child. vfork: a fork would copy the page tables of all our memory, and
 * the child only makes system calls. Returns 0 or -1 with `failure` filled. */
static int launch_child(struct child *child, const struct launch *launch,
                        const int stdio[3], struct failure *failure) {
  int report[2];
  sigset_t all, before;
  failure->error = open_pipe(report);
  if (failure->error != 0) return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t pid = vfork();
  if (pid == 0) become(launch, stdio, report[1], parent);
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

int process_start(struct child *child, const struct launch *launch,
                  const char **what) {
  int stdio[3] = {-1, -1, -1};
  struct failure failure = {0};
  for (int i = 0; i < 3 && failure.error == 0; i++) {
    *what = launch->streams[i];
    failure.error = open_stream(child, i, *what, &stdio[i]);
  }
  if (failure.error == 0) {
    int started = launch_child(child, launch, stdio, &failure);
    *what = failure.in_cwd ? launch->cwd : launch->path;
    if (started == 0) failure.error = 0;
  }
  for (int i = 0; i < 3; i++)
    if (stdio[i] > 2) close(stdio[i]);
  return failure.error;
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
    if (deadline > 0 && base_now() >= deadline) return false;
    if (heed && bind_interrupted()) return false;
    poll(NULL, 0, pause);
    pause = pause < 16 ? pause * 2 : 25;
  }
  return true;
}

bool process_wait(struct child *child, double deadline) {
  if (!await(child, deadline, true)) return false;
  if (!child->ended) reap(child);
  return true;
}

static void stop(struct child *child) {
  kill(-child->pid, SIGTERM);
  if (!await(child, base_now() + GRACE, false)) kill(-child->pid, SIGKILL);
  reap(child);
}

void process_close(struct child *child) {
  if (child->pid != 0) stop(child);
  for (int i = 0; i < 3; i++) {
    shut(&child->pipes[i]);
    text_free(&child->text[i]);
  }
}

/* --- reading and writing ---------------------------------------------------
 */

/* Appends what fits under `max`. Returns false when something did not. */
static bool keep(struct text *text, const char *bytes, size_t size,
                 size_t max) {
  size_t room = max - text->size;
  size_t kept = size < room ? size : room;
  return text_append(text, bytes, kept) && kept == size;
}

/* One read of pipe `stream`, which closes at its end. False: some was dropped.
 */
static bool take(struct child *child, int stream, size_t max) {
  char chunk[CHUNK];
  ssize_t got = read(child->pipes[stream], chunk, sizeof chunk);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) shut(&child->pipes[stream]);
  return got <= 0 || keep(&child->text[stream], chunk, (size_t)got, max);
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

/* Waits a while for the pipes, and serves those that are ready. */
static void pump(struct child *child, struct service *service,
                 int milliseconds) {
  struct pollfd polled[3];
  for (int i = 0; i < 3; i++)
    polled[i] = (struct pollfd){child->pipes[i], i == 0 ? POLLOUT : POLLIN, 0};
  if (poll(polled, 3, milliseconds) <= 0) return;
  if (polled[0].revents != 0) feed(child, &service->input);
  for (int i = 1; i < 3; i++)
    if (polled[i].revents != 0 && !take(child, i, service->max))
      service->truncated = true;
}

/* How far the end of a served child is. */
enum stage { RUNS, ASKED_TO_END, KILLED, ENDED };

/* The next step towards the end, when it is time for one. */
static enum stage hasten(struct child *child, struct service *service,
                         enum stage stage) {
  bool late = service->deadline > 0 && base_now() >= service->deadline;
  if (stage == RUNS && (late || bind_interrupted())) {
    service->timed_out = late;
    kill(-child->pid, SIGTERM);
    service->deadline = base_now() + GRACE;
    return ASKED_TO_END;
  }
  if (stage == ASKED_TO_END && late) {
    kill(-child->pid, SIGKILL);
    service->deadline = 0;
    return KILLED;
  }
  return stage;
}

void process_serve(struct child *child, struct service *service) {
  enum stage stage = RUNS;
  int pause = 1;
  while (true) {
    bool open = child->pipes[1] >= 0 || child->pipes[2] >= 0;
    if (stage != ENDED && has_ended(child)) {
      kill(-child->pid, SIGKILL); /* what it left behind */
      service->deadline = base_now() + GRACE;
      stage = ENDED;
    }
    if (stage == ENDED && (!open || base_now() >= service->deadline)) break;
    stage = hasten(child, service, stage);
    pump(child, service, open ? 50 : pause);
    if (!open && pause < 32) pause *= 2;
  }
  reap(child);
}

bool process_read(struct child *child, int milliseconds, size_t max) {
  struct pollfd polled = {child->pipes[1], POLLIN, 0};
  return poll(&polled, 1, milliseconds) <= 0 || take(child, 1, max);
}
