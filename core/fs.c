/* core.fs: reading small files, durable writes, folders, locks.
 *
 * A file under its final name is always whole: bytes go to a temporary file in
 * the same folder, are synced, and are renamed into place; then the folder is
 * synced, since a rename without that may be lost or come back empty. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"

#define WRITER_META "bittern.writer"
#define LOCK_META   "bittern.lock"

enum { READ_LIMIT = 64 << 20, WRITE_SLICE = 8 << 20 };

struct writer {
  int fd;         /* -1 once committed or closed */
  bool exclusive; /* the final name must be free */
  uint64_t written;
  char path[PATH_MAX];
  char temporary[PATH_MAX];
};

struct lock {
  int fd; /* -1 once released */
};

int luaopen_core_fs(lua_State *L);

/* Path argument `arg`; raises when it could not fit a PATH_MAX buffer with the
 * suffix of a temporary file. */
static const char *check_path(lua_State *L, int arg) {
  size_t length;
  const char *path = luaL_checklstring(L, arg, &length);
  luaL_argcheck(L, length > 0 && length < PATH_MAX - 32, arg,
                "bad path length");
  luaL_argcheck(L, strlen(path) == length, arg, "path contains a zero byte");
  return path;
}

/* Writes all of `bytes`. Returns 0 or an errno value; EINTR only when the user
 * asked to stop. */
static int write_all(int fd, struct bytes bytes) {
  while (bytes.size > 0) {
    size_t slice = bytes.size < WRITE_SLICE ? bytes.size : WRITE_SLICE;
    ssize_t put = write(fd, bytes.data, slice);
    if (bind_interrupted()) return EINTR;
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.data += put;
    bytes.size -= (size_t)put;
  }
  return 0;
}

/* write_all at `offset` of the file, whatever was written elsewhere. */
static int write_all_at(int fd, struct bytes bytes, off_t offset) {
  while (bytes.size > 0) {
    size_t slice = bytes.size < WRITE_SLICE ? bytes.size : WRITE_SLICE;
    ssize_t put = pwrite(fd, bytes.data, slice, offset);
    if (bind_interrupted()) return EINTR;
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.data += put;
    bytes.size -= (size_t)put;
    offset += put;
  }
  return 0;
}

/* Copies the folder part of `path` ("." where there is none) into `out`. */
static void folder_of(const char *path, char out[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (slash == path) length = 1;
  if (slash == NULL)
    snprintf(out, PATH_MAX, ".");
  else
    snprintf(out, PATH_MAX, "%.*s", (int)length, path);
}

/* Returns 0 or an errno value. */
static int sync_folder(const char *path) {
  char folder[PATH_MAX];
  folder_of(path, folder);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  close(fd);
  return error;
}

/* Opens `.<name>.tmp-<random>` beside `path`. Returns 0 or an errno value. */
static int open_temporary(struct writer *writer, mode_t mode) {
  uint64_t salt;
  char folder[PATH_MAX];
  const char *slash = strrchr(writer->path, '/');
  const char *name = slash == NULL ? writer->path : slash + 1;
  if (getrandom(&salt, sizeof salt, 0) != sizeof salt) return errno;
  folder_of(writer->path, folder);
  int length = snprintf(writer->temporary, PATH_MAX, "%s/.%s.tmp-%016llx",
                        folder, name, (unsigned long long)salt);
  if (length < 0 || length >= PATH_MAX) return ENAMETOOLONG;
  int fd = open(writer->temporary,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return errno;
  writer->fd = fd;
  return 0;
}

/* Pushes an open writer, or nil and the rest. [-0, +1|3, m] */
static struct writer *push_writer(lua_State *L, const char *path, mode_t mode,
                                  bool exclusive) {
  struct writer *writer = lua_newuserdatauv(L, sizeof *writer, 0);
  writer->fd = -1;
  writer->exclusive = exclusive;
  writer->written = 0;
  luaL_setmetatable(L, WRITER_META);
  snprintf(writer->path, sizeof writer->path, "%s", path);
  int error = open_temporary(writer, mode);
  if (error == 0) return writer;
  bind_errno(L, error, path);
  return NULL;
}

/* Gives the bytes their final name. Returns 0 or an errno value; the temporary
 * file is gone either way. */
static int commit(struct writer *writer) {
  int error = fsync(writer->fd) == 0 ? 0 : errno;
  if (close(writer->fd) != 0 && error == 0) error = errno;
  writer->fd = -1;
  unsigned flags = writer->exclusive ? RENAME_NOREPLACE : 0;
  if (error == 0 && renameat2(AT_FDCWD, writer->temporary, AT_FDCWD,
                              writer->path, flags) != 0)
    error = errno;
  if (error != 0) unlink(writer->temporary);
  return error != 0 ? error : sync_folder(writer->path);
}

static mode_t opt_mode(lua_State *L, int arg, int otherwise) {
  return (mode_t)bind_opt_integer(L, arg, "mode", 0, 07777, otherwise);
}

/* create(path [, {mode = 0644, exclusive = false}]) -> writer | nil, message,
 * code. An exclusive one does not replace what is there: "exists". */
static int f_create(lua_State *L) {
  const char *path = check_path(L, 1);
  mode_t mode = opt_mode(L, 2, 0644);
  bool exclusive = bind_opt_boolean(L, 2, "exclusive", false);
  return push_writer(L, path, mode, exclusive) != NULL ? 1 : 3;
}

static struct writer *check_writer(lua_State *L) {
  struct writer *writer = luaL_checkudata(L, 1, WRITER_META);
  luaL_argcheck(L, writer->fd >= 0, 1, "writer is closed");
  return writer;
}

/* writer:write(bytes) -> true | nil, message, code. */
static int writer_write(lua_State *L) {
  struct writer *writer = check_writer(L);
  struct bytes bytes = bind_bytes(L, 2);
  int error = write_all(writer->fd, bytes);
  if (error != 0) return bind_errno(L, error, writer->path);
  writer->written += bytes.size;
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:write_at(offset, bytes) -> true | nil, message, code: a file whose
 * layout is known is filled in any order. write() and tell() do not notice. */
static int writer_write_at(lua_State *L) {
  struct writer *writer = check_writer(L);
  uint64_t offset = bind_size(L, 2);
  int error = write_all_at(writer->fd, bind_bytes(L, 3), (off_t)offset);
  if (error != 0) return bind_errno(L, error, writer->path);
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:tell() -> bytes written so far. */
static int writer_tell(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_writer(L)->written);
  return 1;
}

/* writer:commit() -> true | nil, message, code. */
static int writer_commit(lua_State *L) {
  struct writer *writer = check_writer(L);
  int error = commit(writer);
  if (error != 0) return bind_errno(L, error, writer->path);
  lua_pushboolean(L, 1);
  return 1;
}

/* Closing without a commit drops what was written. */
static int writer_close(lua_State *L) {
  struct writer *writer = luaL_checkudata(L, 1, WRITER_META);
  if (writer->fd < 0) return 0;
  close(writer->fd);
  writer->fd = -1;
  unlink(writer->temporary);
  return 0;
}

static int writer_tostring(lua_State *L) {
  const struct writer *writer = luaL_checkudata(L, 1, WRITER_META);
  lua_pushfstring(L, "writer (%s, %s)", writer->path,
                  writer->fd >= 0 ? "open" : "closed");
  return 1;
}

/* write(path, bytes [, options of create]) -> true | nil, message, code. */
static int f_write(lua_State *L) {
  const char *path = check_path(L, 1);
  struct bytes bytes = bind_bytes(L, 2);
  mode_t mode = opt_mode(L, 3, 0644);
  bool exclusive = bind_opt_boolean(L, 3, "exclusive", false);
  struct writer *writer = push_writer(L, path, mode, exclusive);
  if (writer == NULL) return 3;
  int error = write_all(writer->fd, bytes);
  if (error == 0) {
    error = commit(writer);
  } else {
    close(writer->fd);
    writer->fd = -1;
    unlink(writer->temporary);
  }
  if (error != 0) return bind_errno(L, error, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* append(path, bytes) -> true | nil, message, code; synced. */
static int f_append(lua_State *L) {
  const char *path = check_path(L, 1);
  struct bytes bytes = bind_bytes(L, 2);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return bind_errno(L, errno, path);
  int error = write_all(fd, bytes);
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  if (error != 0) return bind_errno(L, error, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* Fills `buffer` from `fd` up to its `room`. Returns bytes, or -1 with errno.
 */
static ssize_t read_up_to(int fd, char *buffer, size_t room) {
  size_t have = 0;
  while (have < room) {
    ssize_t got = read(fd, buffer + have, room - have);
    if (got == 0) break;
    if (got < 0 && (errno != EINTR || bind_interrupted())) return -1;
    if (got > 0) have += (size_t)got;
  }
  return (ssize_t)have;
}

/* read(path [, max = 64 MiB]) -> string | nil, message, code; a larger file is
 * "too_large". Reads devices and pipes too, so the size is not asked first. */
static int f_read(lua_State *L) {
  const char *path = check_path(L, 1);
  size_t max = lua_isnoneornil(L, 2) ? READ_LIMIT : (size_t)bind_size(L, 2);
  luaL_Buffer text;
  struct stat info;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bind_errno(L, errno, path);
  size_t guess =
      fstat(fd, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
  bool large = guess > max;
  size_t room = guess > 0 && !large ? guess + 1 : max + 1;
  char *buffer = large ? NULL : malloc(room);
  ssize_t got = buffer == NULL ? -1 : read_up_to(fd, buffer, room);
  int error = large ? EFBIG : buffer == NULL ? ENOMEM : errno;
  close(fd);
  if (got >= 0 && (size_t)got <= max) {
    /* Copied into Lua's memory before the block is freed: a failure to do so
     * raises, which leaks the block of a process that is out of memory. */
    char *copy = luaL_buffinitsize(L, &text, (size_t)got);
    memcpy(copy, buffer, (size_t)got);
    free(buffer);
    luaL_pushresultsize(&text, (size_t)got);
    return 1;
  }
  free(buffer);
  if (large || got >= 0)
    return bind_fail(L, "too_large", "%s: larger than %I bytes", path,
                     (LUAI_UACINT)max);
  return bind_errno(L, error, path);
}

/* mkdir(path [, mode = 0755]) -> true | nil, message, code; parents too. */
static int f_mkdir(lua_State *L) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", check_path(L, 1));
  mode_t mode = (mode_t)luaL_optinteger(L, 2, 0755);
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != '\0') continue;
    char kept = *at;
    *at = '\0';
    if (mkdir(path, kept == '\0' ? mode : 0755) != 0 && errno != EEXIST)
      return bind_errno(L, errno, path);
    *at = kept;
    if (kept == '\0') break;
  }
  struct stat info;
  if (stat(path, &info) != 0) return bind_errno(L, errno, path);
  if (!S_ISDIR(info.st_mode)) return bind_errno(L, ENOTDIR, path);
  lua_pushboolean(L, 1);
  return 1;
}

static int finish(lua_State *L, int result, const char *path) {
  if (result != 0) return bind_errno(L, errno, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* remove(path) -> true | nil, message, code; a file or an empty folder. */
static int f_remove(lua_State *L) {
  const char *path = check_path(L, 1);
  return finish(L, remove(path), path);
}

/* rename(from, to) -> true | nil, message, code. */
static int f_rename(lua_State *L) {
  const char *from = check_path(L, 1);
  return finish(L, rename(from, check_path(L, 2)), from);
}

/* realpath(path) -> absolute path without links | nil, message, code. */
static int f_realpath(lua_State *L) {
  char out[PATH_MAX];
  const char *path = check_path(L, 1);
  if (realpath(path, out) == NULL) return bind_errno(L, errno, path);
  lua_pushstring(L, out);
  return 1;
}

static const char *type_name(mode_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  return "other";
}

static void set_integer(lua_State *L, const char *key, lua_Integer value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, key);
}

/* stat(path) -> {type, size, mode, uid, mtime} | nil, message, code. */
static int f_stat(lua_State *L) {
  struct stat info;
  const char *path = check_path(L, 1);
  if (stat(path, &info) != 0) return bind_errno(L, errno, path);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, type_name(info.st_mode));
  lua_setfield(L, -2, "type");
  set_integer(L, "size", info.st_size);
  set_integer(L, "mode", info.st_mode & 07777);
  set_integer(L, "uid", info.st_uid);
  set_integer(L, "mtime", info.st_mtim.tv_sec);
  return 1;
}

/* disk_free(path) -> bytes a user may still write there | nil, ... */
static int f_disk_free(lua_State *L) {
  struct statvfs info;
  const char *path = check_path(L, 1);
  if (statvfs(path, &info) != 0) return bind_errno(L, errno, path);
  lua_pushinteger(L, (lua_Integer)(info.f_bavail * info.f_frsize));
  return 1;
}

static int try_lock(int fd) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
  return errno == EINTR ? EWOULDBLOCK : errno;
}

/* lock(path [, wait = 0 s]) -> lock | nil, message, "locked". The kernel lets
 * go of it when the process ends, however it ends. */
static int f_lock(lua_State *L) {
  const char *path = check_path(L, 1);
  double left = luaL_optnumber(L, 2, 0);
  struct lock *lock = lua_newuserdatauv(L, sizeof *lock, 0);
  lock->fd = -1;
  luaL_setmetatable(L, LOCK_META);
  lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock->fd < 0) return bind_errno(L, errno, path);
  int error = try_lock(lock->fd);
  for (; error == EWOULDBLOCK && left > 0 && !bind_interrupted(); left -= 0.1) {
    poll(NULL, 0, 100);
    error = try_lock(lock->fd);
  }
  if (error == EWOULDBLOCK)
    return bind_fail(L, "locked", "%s: another process holds it", path);
  return error == 0 ? 1 : bind_errno(L, error, path);
}

static int lock_close(lua_State *L) {
  struct lock *lock = luaL_checkudata(L, 1, LOCK_META);
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
  return 0;
}

static int lock_tostring(lua_State *L) {
  const struct lock *lock = luaL_checkudata(L, 1, LOCK_META);
  lua_pushstring(L, lock->fd >= 0 ? "lock (held)" : "lock (released)");
  return 1;
}

int luaopen_core_fs(lua_State *L) {
  static const luaL_Reg writer_methods[] = {
      {"write", writer_write}, {"write_at", writer_write_at},
      {"tell", writer_tell},   {"commit", writer_commit},
      {"close", writer_close}, {NULL, NULL}};
  static const luaL_Reg lock_methods[] = {{"close", lock_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(create), BIND(write),  BIND(append),    BIND(read),
      BIND(mkdir),  BIND(remove), BIND(rename),    BIND(realpath),
      BIND(stat),   BIND(lock),   BIND(disk_free), {NULL, NULL}};
  bind_type(L, WRITER_META, writer_methods, writer_close, writer_tostring);
  bind_type(L, LOCK_META, lock_methods, lock_close, lock_tostring);
  luaL_newlib(L, functions);
  return 1;
}
