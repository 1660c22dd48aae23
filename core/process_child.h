/* One child program, its streams and its end; plain C under core.process. */
#ifndef BITTERN_PROCESS_CHILD_H
#define BITTERN_PROCESS_CHILD_H

#include "base.h"

struct child {
  pid_t pid;           /* 0 before the start and once reaped */
  bool ended;          /* and reaped */
  int status;          /* waitpid's, or -1 when the kernel no longer knew */
  long peak;           /* largest resident size in KiB, once reaped */
  int pipes[3];        /* our ends of its standard streams, or -1 */
  struct text text[3]; /* what was read from pipes 1 and 2 */
};

/* What execve needs, and for each stream "inherit", "null", "pipe" or the path
 * of a file to append to. `cwd` may be NULL. */
struct launch {
  const char *path, *cwd;
  char **argv, **envp;
  const char *streams[3];
};

/* How process_serve shall treat a child, and how it went. */
struct service {
  struct bytes input; /* for its pipe 0 */
  size_t max;         /* bytes kept of each output */
  double deadline;    /* on base_now's clock, 0: none */
  bool timed_out, truncated;
};

/* Starts `child`, whose pipes are -1 and the rest zero. Returns 0, or an errno
 * value with `what` set to what it concerns: a stream, the cwd, the program. */
int process_start(struct child *child, const struct launch *launch,
                  const char **what);

/* Feeds and reads the pipes until the child has ended, by itself or asked to at
 * the deadline or an interrupt, and its output was read; reaps it. */
void process_serve(struct child *child, struct service *service);

/* Waits at most so long for pipe 1, and reads once. False when bytes past `max`
 * were dropped; pipes[1] is -1 after the last byte. */
bool process_read(struct child *child, int milliseconds, size_t max);

/* Reaps a child that ends before `deadline` (0: none) and an interrupt; false
 * when it runs on. */
bool process_wait(struct child *child, double deadline);

/* Ends the whole group and frees what `child` holds; may be called again. */
void process_close(struct child *child);

#endif
