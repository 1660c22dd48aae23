/* Durable writes: the bytes are synced before they get their name, and the
 * folder after, since a rename without that may be lost or come back empty. */
#include "fs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

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

int fs_open(struct writer *writer, mode_t mode) {
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

/* Whether `path` still names the open file: who held the lock before may have
 * given it another name. */
static bool is_at(int fd, const char *path) {
  struct stat open_one, named;
  return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 &&
         open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

int fs_open_part(struct writer *writer, mode_t mode) {
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  int length = snprintf(writer->temporary, PATH_MAX, "%s.part", writer->path);
  if (length < 0 || length >= PATH_MAX) return ENAMETOOLONG;
  int fd = open(writer->temporary, flags, mode);
  if (fd < 0) return errno;
  int error = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (error == 0 && !is_at(fd, writer->temporary)) error = EWOULDBLOCK;
  if (error != 0) {
    close(fd);
    return error;
  }
  writer->fd = fd;
  writer->part = true;
  return 0;
}

/* Bytes that are sent on their way to the disk together. */
enum { PORTION = 32 << 20 };

void fs_note_at(struct writer *writer, size_t size) {
  writer->scattered += size;
  if (writer->scattered < PORTION) return;
  (void)sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  writer->scattered = 0;
}

void fs_note(struct writer *writer, size_t size) {
  writer->written += size;
  uint64_t waiting = writer->written - writer->started;
  if (waiting < PORTION) return;
  /* A file system that cannot do it does it at the end. */
  (void)sync_file_range(writer->fd, (off_t)writer->started, (off_t)waiting,
                        SYNC_FILE_RANGE_WRITE);
  writer->started = writer->written;
}

int fs_commit(struct writer *writer) {
  int error = fsync(writer->fd) == 0 ? 0 : errno;
  if (close(writer->fd) != 0 && error == 0) error = errno;
  writer->fd = -1;
  unsigned flags = writer->exclusive ? RENAME_NOREPLACE : 0;
  if (error == 0 && renameat2(AT_FDCWD, writer->temporary, AT_FDCWD,
                              writer->path, flags) != 0)
    error = errno;
  if (error != 0 && !writer->part) unlink(writer->temporary);
  return error != 0 ? error : sync_folder(writer->path);
}

void fs_discard(struct writer *writer) {
  if (writer->fd < 0) return;
  close(writer->fd);
  writer->fd = -1;
  if (!writer->part) unlink(writer->temporary);
}
