/* Files that appear under their name whole or not at all; plain C under
 * core.fs. */
#ifndef BITTERN_FS_FILE_H
#define BITTERN_FS_FILE_H

#include <limits.h>

#include "base.h"

struct writer {
  int fd;                   /* of the temporary file; -1 once it is gone */
  bool exclusive;           /* the final name must be free */
  bool part;                /* the file is `<path>.part` and stays */
  uint64_t written;         /* bytes, for who writes to keep */
  uint64_t started;         /* of them, those that are on their way to disk */
  uint64_t scattered;       /* bytes written anywhere that wait for the disk */
  char path[PATH_MAX];      /* the final name */
  char temporary[PATH_MAX]; /* `.<name>.tmp-<random>` beside it */
};

/* Opens the temporary file of a writer whose `path` is set and whose `fd` is
 * -1. Returns 0 or an errno value. */
int fs_open(struct writer *writer, mode_t mode);

/* The same for `<path>.part`, which may be there with what an earlier run
 * wrote; sets `part`. EWOULDBLOCK where another writer has it open. */
int fs_open_part(struct writer *writer, mode_t mode);

/* Notes that `size` more bytes were written one after the other. Long files are
 * on their way to the disk while they are written, not all at the end. */
void fs_note(struct writer *writer, size_t size);

/* The same of bytes that were written anywhere: once there are enough of them,
 * whatever waits is on its way. */
void fs_note_at(struct writer *writer, size_t size);

/* Gives the bytes their final name. Returns 0 or an errno value; the temporary
 * file is gone either way. */
int fs_commit(struct writer *writer);

/* Drops what was written, but for a part; does nothing the second time and
 * after a commit. */
void fs_discard(struct writer *writer);

#endif
