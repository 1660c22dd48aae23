/* The layers of a sandbox against code that has native power: a script that
 * broke the interpreter could make any system call. All layers together, and
 * those below seccomp each alone, so that one may fail. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox_layers.h"

enum { NOBODY = 65534, UNUSED_PORT = 9, ESCAPED = 255 };

static char folder[] = "/tmp/bittern-sandbox-XXXXXX";
static char key[64], made[64];
static int key_fd; /* as if one had been left open */
static pid_t parent;

/* Runs `attempt` in a child that has these layers. Returns the signal that
 * ended it, negative; else its exit status: an errno, or ESCAPED. */
static int in_child(const enum sandbox_layer *layers, size_t count,
                    int (*attempt)(const void *), const void *data) {
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    for (size_t i = 0; i < count; i++)
      if (sandbox_lay(layers[i]) != 0) _exit(ESCAPED);
    int result = attempt(data);
    syscall(SYS_exit_group, result == 0 ? ESCAPED : result);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- any system call, under a filter ---------------------------------------
 */

struct call {
  const char *name;
  long number, arguments[6];
};

static int make_call(const void *data) {
  const long *a = ((const struct call *)data)->arguments;
  long result = syscall(((const struct call *)data)->number, a[0], a[1], a[2],
                        a[3], a[4], a[5]);
  return result >= 0 ? 0 : errno;
}

#define CALL(number, ...)                                                      \
  {                                                                            \
#number, SYS_##number, { __VA_ARGS__ }                                     \
  }
#define PATH(name) (long)(intptr_t)(name)

/* `make` makes a call under the last of the layers. */
static void refuses_calls(const enum sandbox_layer *layers, size_t count,
                          int (*make)(const void *)) {
  static char page[4096];
  char *argv[] = {(char[]){"/bin/sh"}, NULL};
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct iovec span = {page, sizeof page};
  const struct call calls[] = {
      /* the key: by path, by a descriptor that was left open, by its memory */
      CALL(openat, AT_FDCWD, PATH(key), O_RDONLY),
      CALL(openat, AT_FDCWD, PATH(made), O_WRONLY | O_CREAT, 0600),
      CALL(openat2, AT_FDCWD, PATH(key), PATH(page), 24),
      CALL(read, key_fd, PATH(page), 16),
      CALL(pread64, key_fd, PATH(page), 16, 0),
      CALL(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, key_fd, 0),
      CALL(statx, AT_FDCWD, PATH(key), 0, 0, PATH(page)),
      CALL(readlinkat, AT_FDCWD, PATH("/proc/self/exe"), PATH(page), 4096),
      CALL(getdents64, 0, PATH(page), sizeof page),
      CALL(dup, key_fd),
      CALL(sendfile, 1, key_fd, 0, 16),
      CALL(unlinkat, AT_FDCWD, PATH(key), 0),
      CALL(mkdirat, AT_FDCWD, PATH(made), 0700),
      CALL(symlinkat, PATH(key), AT_FDCWD, PATH(made)),
      CALL(renameat2, AT_FDCWD, PATH(key), AT_FDCWD, PATH(made), 0),
      CALL(fchmodat, AT_FDCWD, PATH(key), 0777),
      CALL(truncate, PATH(key), 0),
      CALL(chdir, PATH("/")),
      CALL(getcwd, PATH(page), sizeof page),
      /* the network */
      CALL(socket, AF_INET, SOCK_STREAM, 0),
      CALL(socket, AF_INET, SOCK_DGRAM, 0),
      CALL(socket, AF_UNIX, SOCK_STREAM, 0),
      CALL(socket, AF_NETLINK, SOCK_RAW, 0),
      CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, PATH(page)),
      CALL(connect, 0, PATH(&address), sizeof address),
      CALL(sendto, 1, PATH(page), 1, 0, PATH(&address), sizeof address),
      CALL(io_uring_setup, 8, PATH(page)),
      /* the parent, and others */
      CALL(ptrace, PTRACE_ATTACH, parent, 0, 0),
      CALL(ptrace, PTRACE_TRACEME, 0, 0, 0),
      CALL(kill, parent, SIGKILL),
      CALL(kill, -1, SIGTERM),
      CALL(tgkill, parent, parent, SIGKILL),
      CALL(pidfd_open, parent, 0),
      CALL(process_vm_readv, parent, PATH(&span), 1, PATH(&span), 1, 0),
      CALL(process_vm_writev, parent, PATH(&span), 1, PATH(&span), 1, 0),
      CALL(setpgid, 0, parent),
      CALL(setsid, 0),
      /* more processes, and other programs */
      CALL(clone, SIGCHLD, 0, 0, 0, 0),
      CALL(clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, PATH(page + 4096)),
      CALL(clone3, PATH(page), 64),
      CALL(execve, PATH("/bin/sh"), PATH(argv), PATH(argv + 1)),
      CALL(execveat, AT_FDCWD, PATH("/bin/sh"), PATH(argv), PATH(argv + 1), 0),
      /* code of its own */
      CALL(mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
           -1, 0),
      CALL(mprotect, PATH(page), 4096, PROT_READ | PROT_WRITE | PROT_EXEC),
      CALL(memfd_create, PATH("code"), 0),
      /* the kernel's other doors */
      CALL(bpf, 0, PATH(page), sizeof page),
      CALL(userfaultfd, 0),
      CALL(perf_event_open, PATH(page), 0, -1, -1, 0),
      CALL(keyctl, 0, 0),
      CALL(unshare, CLONE_NEWUSER),
      CALL(mount, PATH("none"), PATH("/"), PATH("tmpfs"), 0, 0),
      CALL(setuid, 0),
      CALL(prctl, PATH(4), 1, 0, 0, 0),
      CALL(seccomp, 0, 0, 0),
      CALL(setrlimit, RLIMIT_NOFILE, PATH(page)),
      CALL(prlimit64, parent, RLIMIT_CPU, PATH(page), 0),
      CALL(ioctl, 0, 0x5412, PATH("x")), /* TIOCSTI: types at the terminal */
      CALL(write, 2, PATH("x"), 1),
      CALL(rt_sigaction, SIGTERM, 0, PATH(page), 8),
      CALL(getpid, 0),
      CALL(uname, PATH(page)),
      /* sleep past every limit */
      CALL(nanosleep, PATH(page), 0),
      CALL(ppoll, 0, 0, 0, 0, 0),
      CALL(futex, PATH(page), 0, 0, 0, 0, 0),
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    int result = in_child(layers, count, make, &calls[i]);
    if (result != -SIGSYS) print_error("%s: %d\n", calls[i].name, result);
    assert_int_equal(result, -SIGSYS);
  }
  assert_int_equal(kill(parent, 0), 0);
  assert_int_equal(access(key, R_OK), 0);
  assert_int_equal(access(made, F_OK), -1);
}

static void test_native_power_is_refused(void **state) {
  (void)state;
  static const enum sandbox_layer all[] = {
      SANDBOX_NO_NEW_PRIVS, SANDBOX_CAPABILITIES, SANDBOX_LANDLOCK,
      SANDBOX_LIMITS, SANDBOX_SECCOMP};
  refuses_calls(all, 5, make_call);
}

static int make_call_as_signer(const void *data) {
  return sandbox_lay_signer() == 0 ? make_call(data) : ESCAPED;
}

static void test_a_signer_has_no_power_either(void **state) {
  (void)state;
  static const enum sandbox_layer others[] = {
      SANDBOX_NO_NEW_PRIVS, SANDBOX_CAPABILITIES, SANDBOX_LANDLOCK};
  const struct call memory =
      CALL(mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  refuses_calls(others, 3, make_call_as_signer);
  assert_int_equal(in_child(others, 3, make_call_as_signer, &memory), -SIGSYS);
}

static int use_memory(const void *data) {
  char *block = malloc(*(const size_t *)data);
  if (block == NULL) return ENOMEM;
  memset(block, 1, *(const size_t *)data);
  free(block);
  return 0;
}

static void test_memory_is_what_it_may_have(void **state) {
  (void)state;
  static const enum sandbox_layer two[] = {SANDBOX_NO_NEW_PRIVS,
                                           SANDBOX_LIMITS};
  if (SANDBOX_ADDRESS_SPACE == RLIM_INFINITY) skip();
  size_t some = 64 << 20, much = SANDBOX_ADDRESS_SPACE;
  assert_int_equal(in_child(two, 2, use_memory, &some), ESCAPED);
  assert_int_equal(in_child(two, 2, use_memory, &much), ENOMEM);
}

/* --- the layers below ------------------------------------------------------
 */

static int read_key(const void *data) {
  (void)data;
  return open(key, O_RDONLY) >= 0 ? 0 : errno;
}

static int write_file(const void *data) {
  (void)data;
  return open(made, O_WRONLY | O_CREAT, 0600) >= 0 ? 0 : errno;
}

static int run_program(const void *data) {
  (void)data;
  char *argv[] = {(char[]){"true"}, NULL};
  execv("/bin/true", argv);
  return errno;
}

static int connect_out(const void *data) {
  (void)data;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(UNUSED_PORT),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  struct sockaddr *to = (struct sockaddr *)&address;
  return connect(fd, to, sizeof address) == 0 ? 0 : errno;
}

static int signal_parent(const void *data) {
  (void)data;
  return kill(parent, 0) == 0 ? 0 : errno;
}

static void test_landlock_alone(void **state) {
  (void)state;
  static const enum sandbox_layer two[] = {SANDBOX_NO_NEW_PRIVS,
                                           SANDBOX_LANDLOCK};
  int version = sandbox_landlock_version();
  if (version == 0) skip();
  assert_int_equal(in_child(two, 2, read_key, NULL), EACCES);
  assert_int_equal(in_child(two, 2, write_file, NULL), EACCES);
  assert_int_equal(in_child(two, 2, run_program, NULL), EACCES);
  if (version >= 4)
    assert_int_equal(in_child(two, 2, connect_out, NULL), EACCES);
  if (version >= 6)
    assert_int_equal(in_child(two, 2, signal_parent, NULL), EPERM);
}

static int fork_again(const void *data) {
  (void)data;
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  return pid > 0 ? 0 : errno;
}

static int grow_file(const void *data) {
  signal(SIGXFSZ, SIG_IGN);
  return write(*(const int *)data, "x", 1) == 1 ? 0 : errno;
}

static void test_limits_alone(void **state) {
  (void)state;
  static const enum sandbox_layer one[] = {SANDBOX_LIMITS};
  int grown = open(made, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_int_equal(in_child(one, 1, read_key, NULL), EMFILE);
  assert_int_equal(in_child(one, 1, connect_out, NULL), EMFILE);
  assert_int_equal(in_child(one, 1, grow_file, &grown), EFBIG);
  close(grown);
  unlink(made);
  /* The kernel counts no processes of root. */
  if (getuid() == 0) return;
  assert_int_equal(in_child(one, 1, fork_again, NULL), EAGAIN);
}

static int change_user(const void *data) {
  (void)data;
  return setresuid(NOBODY, NOBODY, NOBODY) == 0 ? 0 : errno;
}

static void test_capabilities_alone(void **state) {
  (void)state;
  static const enum sandbox_layer one[] = {SANDBOX_CAPABILITIES};
  if (getuid() == NOBODY) skip();
  assert_int_equal(in_child(one, 1, change_user, NULL), EPERM);
}

/* --- the program itself ----------------------------------------------------
 */

static int set_up(void **state) {
  (void)state;
  parent = getpid();
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(key, sizeof key, "%s/hotkey", folder);
  snprintf(made, sizeof made, "%s/made", folder);
  key_fd = open(key, O_RDWR | O_CREAT, 0600);
  return key_fd >= 0 && write(key_fd, "secret", 6) == 6 ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  close(key_fd);
  unlink(key);
  unlink(made);
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_native_power_is_refused),
      cmocka_unit_test(test_a_signer_has_no_power_either),
      cmocka_unit_test(test_memory_is_what_it_may_have),
      cmocka_unit_test(test_landlock_alone),
      cmocka_unit_test(test_limits_alone),
      cmocka_unit_test(test_capabilities_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
