/* A library for LD_PRELOAD that makes one call of a process go wrong: the n-th
 * of those it makes of the system, or the n-th for memory. The environment says
 * which one:
 *
 *   FAULTS_PAGE  a file that holds a struct page, shared with what is forked
 *   FAULTS_WHAT  "calls", "memory", or "kill": to die at a call of the system
 *   FAULTS_AT    the call's number from 1; at 0 calls are only counted
 *   FAULTS_PICK  which of the errors that such a call can have
 *
 * What glibc does inside of itself (stdio's reads) is not seen; stdio's own
 * functions are. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the one who started us reads: tests/faults/injector.lua. */
struct page {
  _Atomic uint64_t calls;
  _Atomic uint64_t injected;
  char what[240]; /* the call that went wrong */
};

enum subject { NOTHING, CALLS, MEMORY, KILL };

/* Besides errno values: the call does half of what it is asked for. */
enum { SHORT = -1 };

static struct page *page;
static enum subject subject;
static uint64_t at, pick;

/* --- the n-th call ---------------------------------------------------------
 */

static enum subject subject_of(const char *word) {
  if (word == NULL) return NOTHING;
  if (strcmp(word, "memory") == 0) return MEMORY;
  return strcmp(word, "kill") == 0 ? KILL : CALLS;
}

static uint64_t number_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtoull(text, NULL, 10);
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_PAGE");
  if (path == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = (void *)syscall(SYS_mmap, NULL, sizeof *page,
                                 PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) return;
  at = number_of("FAULTS_AT");
  pick = number_of("FAULTS_PICK");
  page = mapped;
  subject = subject_of(getenv("FAULTS_WHAT"));
}

/* Whether this call is one of `count` that go wrong. */
static bool is_due(uint64_t count) {
  uint64_t number = atomic_fetch_add(&page->calls, 1) + 1;
  if (at == 0 || number < at || number - at >= count) return false;
  atomic_fetch_add(&page->injected, 1);
  return true;
}

static void note(const char *call, int error, const char *path) {
  const char *how = error == SHORT ? "short" : strerrorname_np(error);
  snprintf(page->what, sizeof page->what, "%s %s %s", call, how, path);
}

static void note_fd(const char *call, int error, int fd) {
  char link[64], path[200] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  note(call, error, path);
}

/* What goes wrong with a call of the system: 0 for nothing, an errno value or
 * SHORT. `errors` ends with 0. */
static int choose(const int *errors) {
  if ((subject != CALLS && subject != KILL) || !is_due(1)) return 0;
  size_t count = 0;
  while (errors[count] != 0)
    count++;
  return errors[pick % count];
}

/* Dies before the call, or after half of it. */
static void die_unless_short(int error) {
  if (subject == KILL && error != SHORT) kill(getpid(), SIGKILL);
}

static int fault_fd(const char *call, const int *errors, int fd) {
  int saved = errno, error = choose(errors);
  if (error != 0) note_fd(call, error, fd);
  if (error != 0) die_unless_short(error);
  errno = error > 0 ? error : saved;
  return error;
}

static int fault_path(const char *call, const int *errors, const char *path) {
  int saved = errno, error = choose(errors);
  if (error != 0) note(call, error, path);
  if (error != 0) die_unless_short(error);
  errno = error > 0 ? error : saved;
  return error;
}

/* After a call that was short: whoever is to die does it now. */
static ssize_t after(int error, ssize_t result) {
  if (error == SHORT && subject == KILL) kill(getpid(), SIGKILL);
  return result;
}

/* Half of what was asked for; nothing would be another answer. */
static size_t part(int error, size_t size) {
  return error == SHORT && size > 1 ? size / 2 : size;
}

/* The function that ours hides, as its own type. */
typedef void (*any_function)(void);

static any_function real(const char *name) {
  any_function found;
  void *symbol = dlsym(RTLD_NEXT, name);
  memcpy(&found, &symbol, sizeof found);
  return found;
}

#define REAL(name) ((__typeof__(&(name)))real(#name))

/* --- files -----------------------------------------------------------------
 */

static const int open_errors[] = {EIO, EMFILE, ENOSPC, EINTR, 0};
static const int read_errors[] = {EIO, EINTR, SHORT, 0};
static const int write_errors[] = {ENOSPC, EIO, SHORT, EINTR, 0};
static const int sync_errors[] = {EIO, ENOSPC, 0};
static const int name_errors[] = {EIO, ENOSPC, 0};
static const int close_errors[] = {EIO, EINTR, 0};
static const int lock_errors[] = {EINTR, ENOLCK, 0};
static const int map_errors[] = {ENOMEM, 0};

static mode_t mode_of(int flags, va_list args) {
  bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? va_arg(args, mode_t) : 0;
}

#define OPEN(name)                                                             \
  int name(const char *path, int flags, ...) {                                 \
    va_list args;                                                              \
    va_start(args, flags);                                                     \
    mode_t mode = mode_of(flags, args);                                        \
    va_end(args);                                                              \
    if (fault_path("open", open_errors, path) > 0) return -1;                  \
    return REAL(name)(path, flags, mode);                                      \
  }

OPEN(open)
OPEN(open64)

/* What open() is called with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open(path, flags); }

#define TRANSFER(name, what, errors, parameters, arguments)                    \
  ssize_t name parameters {                                                    \
    int error = fault_fd(what, errors, fd);                                    \
    if (error > 0) return -1;                                                  \
    return after(error, REAL(name) arguments);                                 \
  }

TRANSFER(read, "read", read_errors, (int fd, void *data, size_t size),
         (fd, data, part(error, size)))
TRANSFER(pread, "read", read_errors,
         (int fd, void *data, size_t size, off_t from),
         (fd, data, part(error, size), from))
TRANSFER(pread64, "read", read_errors,
         (int fd, void *data, size_t size, off64_t from),
         (fd, data, part(error, size), from))
TRANSFER(write, "write", write_errors, (int fd, const void *data, size_t size),
         (fd, data, part(error, size)))
TRANSFER(pwrite, "write", write_errors,
         (int fd, const void *data, size_t size, off_t to),
         (fd, data, part(error, size), to))
TRANSFER(pwrite64, "write", write_errors,
         (int fd, const void *data, size_t size, off64_t to),
         (fd, data, part(error, size), to))

/* A listing that breaks off; a name or two are there by then. */
static const int list_errors[] = {EIO, 0};

TRANSFER(getdents64, "getdents64", list_errors,
         (int fd, void *data, size_t size), (fd, data, size))

struct dirent64 *readdir64(DIR *folder) {
  if (fault_fd("readdir64", list_errors, dirfd(folder)) > 0) return NULL;
  return REAL(readdir64)(folder);
}

/* A file whose close fails is closed all the same. */
int close(int fd) {
  int error = fault_fd("close", close_errors, fd);
  int result = (int)syscall(SYS_close, fd);
  if (error > 0) errno = error;
  return error > 0 ? -1 : result;
}

#define ON_FD(name, errors, parameters, arguments)                             \
  int name parameters {                                                        \
    if (fault_fd(#name, errors, fd) > 0) return -1;                            \
    return REAL(name) arguments;                                               \
  }

#define ON_PATH(name, errors, parameters, arguments)                           \
  int name parameters {                                                        \
    if (fault_path(#name, errors, path) > 0) return -1;                        \
    return REAL(name) arguments;                                               \
  }

ON_FD(fsync, sync_errors, (int fd), (fd))
ON_FD(fdatasync, sync_errors, (int fd), (fd))
ON_FD(ftruncate, sync_errors, (int fd, off_t size), (fd, size))
ON_FD(ftruncate64, sync_errors, (int fd, off64_t size), (fd, size))
ON_FD(flock, lock_errors, (int fd, int how), (fd, how))
ON_FD(fstat, sync_errors, (int fd, struct stat *info), (fd, info))
ON_FD(fstat64, sync_errors, (int fd, struct stat64 *info), (fd, info))
ON_PATH(stat, open_errors, (const char *path, struct stat *info), (path, info))
ON_PATH(stat64, open_errors, (const char *path, struct stat64 *info),
        (path, info))
ON_PATH(lstat, open_errors, (const char *path, struct stat *info), (path, info))
ON_PATH(lstat64, open_errors, (const char *path, struct stat64 *info),
        (path, info))
ON_PATH(rename, name_errors, (const char *path, const char *to), (path, to))
ON_PATH(unlink, name_errors, (const char *path), (path))
ON_PATH(remove, name_errors, (const char *path), (path))
ON_PATH(mkdir, name_errors, (const char *path, mode_t mode), (path, mode))

int renameat2(int from, const char *path, int to, const char *name,
              unsigned flags) {
  if (fault_path("renameat2", name_errors, path) > 0) return -1;
  return REAL(renameat2)(from, path, to, name, flags);
}

#define MMAP(name, offset)                                                     \
  void *name(void *place, size_t size, int access, int flags, int fd,          \
             offset from) {                                                    \
    if (fault_fd("mmap", map_errors, fd) > 0) return MAP_FAILED;               \
    return REAL(name)(place, size, access, flags, fd, from);                   \
  }

MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

/* --- stdio -----------------------------------------------------------------
 */

#define FOPEN(name)                                                            \
  FILE *name(const char *path, const char *how) {                              \
    if (fault_path("fopen", open_errors, path) > 0) return NULL;               \
    return REAL(name)(path, how);                                              \
  }

FOPEN(fopen)
FOPEN(fopen64)

/* The flag that ferror() looks at, in glibc. */
static size_t fail_stream(FILE *file) {
  enum { ERROR_SEEN = 0x20 };
  file->_flags |= ERROR_SEEN;
  return 0;
}

size_t fread(void *data, size_t size, size_t count, FILE *file) {
  static const int errors[] = {EIO, 0};
  if (fault_fd("fread", errors, fileno(file)) > 0) return fail_stream(file);
  return REAL(fread)(data, size, count, file);
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  static const int errors[] = {ENOSPC, EIO, 0};
  if (fault_fd("fwrite", errors, fileno(file)) > 0) return fail_stream(file);
  return REAL(fwrite)(data, size, count, file);
}

int fflush(FILE *file) {
  static const int errors[] = {ENOSPC, EIO, 0};
  int fd = file == NULL ? -1 : fileno(file);
  return fault_fd("fflush", errors, fd) > 0 ? EOF : REAL(fflush)(file);
}

/* --- the network -----------------------------------------------------------
 */

static const int socket_errors[] = {EMFILE, ENFILE, 0};
static const int connect_errors[] = {ECONNREFUSED, ENETUNREACH, 0};
static const int receive_errors[] = {ECONNRESET, EINTR, SHORT, 0};
static const int send_errors[] = {EPIPE, ECONNRESET, SHORT, 0};
static const int wait_errors[] = {EINTR, 0};

int socket(int family, int type, int protocol) {
  if (fault_fd("socket", socket_errors, -1) > 0) return -1;
  return REAL(socket)(family, type, protocol);
}

int socketpair(int family, int type, int protocol, int fds[2]) {
  if (fault_fd("socketpair", socket_errors, -1) > 0) return -1;
  return REAL(socketpair)(family, type, protocol, fds);
}

int pipe2(int fds[2], int flags) {
  if (fault_fd("pipe2", socket_errors, -1) > 0) return -1;
  return REAL(pipe2)(fds, flags);
}

/* The type of its address is glibc's, which is no C. */
int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t length) {
  if (fault_fd("connect", connect_errors, fd) > 0) return -1;
  return REAL(connect)(fd, to, length);
}

TRANSFER(recv, "recv", receive_errors,
         (int fd, void *data, size_t size, int flags),
         (fd, data, part(error, size), flags))
TRANSFER(send, "send", send_errors,
         (int fd, const void *data, size_t size, int flags),
         (fd, data, part(error, size), flags))

int poll(struct pollfd *fds, nfds_t count, int timeout) {
  if (fault_fd("poll", wait_errors, -1) > 0) return -1;
  return REAL(poll)(fds, count, timeout);
}

/* --- memory: glibc's own names lead past us --------------------------------
 */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* Lua collects garbage and asks a second time: once, twice, or from now on. */
static bool is_out_of_memory(const char *call, size_t size) {
  static const uint64_t counts[] = {1, 2, UINT64_MAX};
  char text[32];
  if (subject != MEMORY || !is_due(counts[pick % 3])) return false;
  snprintf(text, sizeof text, "%zu bytes", size);
  note(call, ENOMEM, text);
  errno = ENOMEM;
  return true;
}

void *malloc(size_t size) {
  return is_out_of_memory("malloc", size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return is_out_of_memory("calloc", size) ? NULL : __libc_calloc(count, size);
}

/* A block that gets smaller fails nowhere, and Lua relies on that. */
void *realloc(void *block, size_t size) {
  bool grows = size > malloc_usable_size(block);
  if (grows && is_out_of_memory("realloc", size)) return NULL;
  return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
  if (is_out_of_memory("memalign", size)) return NULL;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  void *made = memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *block = made;
  return 0;
}
