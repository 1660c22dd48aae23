/* core.fs: reading small files, durable writes, folders, locks.
 *
 * A file under its final name is always whole: bytes go to a temporary file in
 * the same folder and are renamed into place (fs_file.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"
#include "fs_file.h"

#define WRITER_META "bittern.writer"
#define LOCK_META   "bittern.lock"
#define FILE_META   "bittern.file"

enum { READ_LIMIT = 64 << 20, READ_SLICE = 64 << 10, LIST_SLICE = 32 << 10 };

/* An open file in the hands of Lua, which closes it whatever is raised. */
struct handle {
  int fd; /* -1 once closed */
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

/* Pushes a writer that is not open yet. [-0, +1, m] */
static struct writer *push_closed(lua_State *L, const char *path) {
  struct writer *writer = lua_newuserdatauv(L, sizeof *writer, 0);
  writer->fd = -1;
  writer->exclusive = writer->part = false;
  writer->written = writer->started = writer->scattered = 0;
  luaL_setmetatable(L, WRITER_META);
  snprintf(writer->path, sizeof writer->path, "%s", path);
  return writer;
}

/* Pushes an open writer, or nil and the rest. [-0, +1|3, m] */
static struct writer *push_writer(lua_State *L, const char *path, mode_t mode,
                                  bool exclusive) {
  struct writer *writer = push_closed(L, path);
  writer->exclusive = exclusive;
  int error = fs_open(writer, mode);
  if (error == 0) return writer;
  bind_errno(L, error, path);
  return NULL;
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

/* part(path [, {mode = 0644}]) -> writer | nil, message, code. Its bytes lie in
 * `<path>.part`, which stays when the writer is closed: work that goes on later
 * opens it again. A commit gives it its final name. "locked" where another
 * writer has it open. */
static int f_part(lua_State *L) {
  const char *path = check_path(L, 1);
  mode_t mode = opt_mode(L, 2, 0644);
  struct writer *writer = push_closed(L, path);
  int error = fs_open_part(writer, mode);
  if (error == EWOULDBLOCK)
    return bind_fail(L, "locked", "%s: another process holds it",
                     writer->temporary);
  return error == 0 ? 1 : bind_errno(L, error, writer->path);
}

static struct writer *check_writer(lua_State *L) {
  struct writer *writer = luaL_checkudata(L, 1, WRITER_META);
  luaL_argcheck(L, writer->fd >= 0, 1, "writer is closed");
  return writer;
}

static int finish(lua_State *L, int result, const char *path) {
  if (result != 0) return bind_errno(L, errno, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:write(bytes) -> true | nil, message, code. */
static int writer_write(lua_State *L) {
  struct writer *writer = check_writer(L);
  struct bytes bytes = bind_bytes(L, 2);
  int error = base_write(writer->fd, bytes, -1);
  if (error != 0) return bind_errno(L, error, writer->path);
  fs_note(writer, bytes.size);
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:write_at(offset, bytes) -> true | nil, message, code: a file whose
 * layout is known is filled in any order. write() and tell() do not notice. */
static int writer_write_at(lua_State *L) {
  struct writer *writer = check_writer(L);
  uint64_t offset = bind_size(L, 2);
  struct bytes bytes = bind_bytes(L, 3);
  int error = base_write(writer->fd, bytes, (off_t)offset);
  if (error != 0) return bind_errno(L, error, writer->path);
  fs_note_at(writer, bytes.size);
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:tell() -> integer: bytes written so far. */
static int writer_tell(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_writer(L)->written);
  return 1;
}

/* writer:temporary() -> string: path of the file that is filled, until it is
 * committed. */
static int writer_temporary(lua_State *L) {
  lua_pushstring(L, check_writer(L)->temporary);
  return 1;
}

/* writer:size() -> integer: bytes that the file has now | nil, message, code.
 */
static int writer_size(lua_State *L) {
  struct stat info;
  const struct writer *writer = check_writer(L);
  if (fstat(writer->fd, &info) != 0) return bind_errno(L, errno, writer->path);
  lua_pushinteger(L, info.st_size);
  return 1;
}

/* writer:truncate(size) -> true | nil, message, code: cuts the file, or makes
 * it longer by a hole. */
static int writer_truncate(lua_State *L) {
  const struct writer *writer = check_writer(L);
  int result = ftruncate(writer->fd, (off_t)bind_size(L, 2));
  return finish(L, result, writer->path);
}

/* writer:sync() -> true | nil, message, code: the bytes so far are on disk. */
static int writer_sync(lua_State *L) {
  const struct writer *writer = check_writer(L);
  return finish(L, fsync(writer->fd), writer->path);
}

/* writer:commit() -> true | nil, message, code: the bytes are on disk, and the
 * file has its name. */
static int writer_commit(lua_State *L) {
  struct writer *writer = check_writer(L);
  int error = fs_commit(writer);
  if (error != 0) return bind_errno(L, error, writer->path);
  lua_pushboolean(L, 1);
  return 1;
}

/* writer:close(): drops what was written and not committed, but for a part.
 * The end of a scope (`<close>`) does the same. */
static int writer_close(lua_State *L) {
  fs_discard(luaL_checkudata(L, 1, WRITER_META));
  return 0;
}

static int writer_tostring(lua_State *L) {
  const struct writer *writer = luaL_checkudata(L, 1, WRITER_META);
  lua_pushfstring(L, "writer (%s, %s)", writer->path,
                  writer->fd >= 0 ? "open" : "closed");
  return 1;
}

/* write(path, bytes [, {mode = 0644, exclusive = false}]) -> true | nil,
 * message, code. The file is there as a whole or not at all. */
static int f_write(lua_State *L) {
  const char *path = check_path(L, 1);
  struct bytes bytes = bind_bytes(L, 2);
  mode_t mode = opt_mode(L, 3, 0644);
  bool exclusive = bind_opt_boolean(L, 3, "exclusive", false);
  struct writer *writer = push_writer(L, path, mode, exclusive);
  if (writer == NULL) return 3;
  int error = base_write(writer->fd, bytes, -1);
  if (error == 0) error = fs_commit(writer);
  fs_discard(writer);
  if (error != 0) return bind_errno(L, error, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* Pushes a handle of type `meta` and opens `path` in it. Returns the
 * descriptor, or -1 with errno. [-0, +1, m] */
static int push_open(lua_State *L, const char *meta, const char *path,
                     int flags) {
  struct handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  handle->fd = -1;
  luaL_setmetatable(L, meta);
  handle->fd = open(path, flags, 0600);
  return handle->fd;
}

static void close_handle(struct handle *handle) {
  if (handle->fd >= 0) close(handle->fd);
  handle->fd = -1;
}

static int file_close(lua_State *L) {
  close_handle(luaL_checkudata(L, 1, FILE_META));
  return 0;
}

static int file_tostring(lua_State *L) {
  lua_pushliteral(L, "file");
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

/* Bytes to ask for after `have`: the whole of a file of known size and one
 * more, to see its end; else as much again. Never past `max` and one more. */
static size_t next_slice(size_t have, size_t known, size_t max) {
  size_t slice = known >= have ? known - have + 1 : have;
  if (known == 0 && slice < READ_SLICE) slice = READ_SLICE;
  return slice <= max - have ? slice : max - have + 1;
}

/* read(path [, max = 64 MiB]) -> string | nil, message, code; a larger file is
 * "too_large". Reads devices and pipes too, whose size nobody knows before. */
static int f_read(lua_State *L) {
  const char *path = check_path(L, 1);
  size_t max = lua_isnoneornil(L, 2) ? READ_LIMIT : (size_t)bind_size(L, 2);
  luaL_Buffer text;
  struct stat info;
  int fd = push_open(L, FILE_META, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bind_errno(L, errno, path);
  lua_toclose(L, -1);
  bool known = fstat(fd, &info) == 0 && info.st_size > 0;
  size_t size = known ? (size_t)info.st_size : 0;
  size_t slice = 0, have = 0;
  ssize_t got = 0;
  luaL_buffinit(L, &text);
  for (bool more = size <= max; more; more = (size_t)got == slice) {
    slice = next_slice(have, size, max);
    got = read_up_to(fd, luaL_prepbuffsize(&text, slice), slice);
    if (got < 0) return bind_errno(L, errno, path);
    luaL_addsize(&text, (size_t)got);
    have += (size_t)got;
    if (have > max) break;
  }
  if (size > max || have > max)
    return bind_fail(L, "too_large", "%s: larger than %I bytes", path,
                     (LUAI_UACINT)max);
  luaL_pushresult(&text);
  return 1;
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

/* remove(path) -> true | nil, message, code; a file or an empty folder. */
static int f_remove(lua_State *L) {
  const char *path = check_path(L, 1);
  return finish(L, remove(path), path);
}

/* rename(from (path), to (path)) -> true | nil, message, code. */
static int f_rename(lua_State *L) {
  const char *from = check_path(L, 1);
  return finish(L, rename(from, check_path(L, 2)), from);
}

/* realpath(path) -> string: absolute, without links | nil, message, code. */
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

/* stat(path) -> {type, size, mode, uid, mtime, mtime_ns = its fraction} | nil,
 * message, code. */
static int f_stat(lua_State *L) {
  struct stat info;
  const char *path = check_path(L, 1);
  if (stat(path, &info) != 0) return bind_errno(L, errno, path);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, type_name(info.st_mode));
  lua_setfield(L, -2, "type");
  set_integer(L, "size", info.st_size);
  set_integer(L, "mode", info.st_mode & 07777);
  set_integer(L, "uid", info.st_uid);
  set_integer(L, "mtime", info.st_mtim.tv_sec);
  set_integer(L, "mtime_ns", info.st_mtim.tv_nsec);
  return 1;
}

/* Adds the names of `size` bytes of entries to the list on the top; "." and
 * ".." are none. [-0, +0, m] */
static void add_names(lua_State *L, const char *entries, size_t size) {
  const struct dirent64 *entry;
  for (size_t at = 0; at < size; at += entry->d_reclen) {
    entry = (const void *)(entries + at);
    bool is_self = strcmp(entry->d_name, ".") == 0;
    if (is_self || strcmp(entry->d_name, "..") == 0) continue;
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
  }
}

/* list(path) -> array of names, in no order | nil, message, code. Unlike
 * lfs.dir, it fails when the listing breaks off. */
static int f_list(lua_State *L) {
  _Alignas(struct dirent64) char entries[LIST_SLICE];
  const char *path = check_path(L, 1);
  int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int fd = push_open(L, FILE_META, path, flags);
  if (fd < 0) return bind_errno(L, errno, path);
  lua_toclose(L, -1);
  lua_newtable(L);
  ssize_t got;
  while ((got = getdents64(fd, entries, sizeof entries)) > 0)
    add_names(L, entries, (size_t)got);
  return got == 0 ? 1 : bind_errno(L, errno, path);
}

/* disk_free(path) -> integer: bytes a user may still write there | nil,
 * message, code. */
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
  int fd = push_open(L, LOCK_META, path, O_RDWR | O_CREAT | O_CLOEXEC);
  if (fd < 0) return bind_errno(L, errno, path);
  int error = try_lock(fd);
  for (; error == EWOULDBLOCK && left > 0 && !bind_interrupted(); left -= 0.1) {
    poll(NULL, 0, 100);
    error = try_lock(fd);
  }
  if (error == EWOULDBLOCK)
    return bind_fail(L, "locked", "%s: another process holds it", path);
  return error == 0 ? 1 : bind_errno(L, error, path);
}

/* lock:close(): lets go of the lock. */
static int lock_close(lua_State *L) {
  close_handle(luaL_checkudata(L, 1, LOCK_META));
  return 0;
}

static int lock_tostring(lua_State *L) {
  const struct handle *lock = luaL_checkudata(L, 1, LOCK_META);
  lua_pushstring(L, lock->fd >= 0 ? "lock (held)" : "lock (released)");
  return 1;
}

int luaopen_core_fs(lua_State *L) {
  static const luaL_Reg writer_methods[] = {
      {"write", writer_write}, {"write_at", writer_write_at},
      {"tell", writer_tell},   {"temporary", writer_temporary},
      {"size", writer_size},   {"truncate", writer_truncate},
      {"sync", writer_sync},   {"commit", writer_commit},
      {"close", writer_close}, {NULL, NULL}};
  static const luaL_Reg file_methods[] = {{NULL, NULL}};
  static const luaL_Reg lock_methods[] = {{"close", lock_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(create),    BIND(part),   BIND(write),    BIND(read), BIND(mkdir),
      BIND(remove),    BIND(rename), BIND(realpath), BIND(stat), BIND(lock),
      BIND(disk_free), BIND(list),   {NULL, NULL}};
  bind_type(L, WRITER_META, writer_methods, writer_close, writer_tostring);
  bind_type(L, FILE_META, file_methods, file_close, file_tostring);
  bind_type(L, LOCK_META, lock_methods, lock_close, lock_tostring);
  luaL_newlib(L, functions);
  return 1;
}
