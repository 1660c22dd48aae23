/* What all of core shares and what knows nothing of Lua: runs of bytes, text
 * that grows, a clock, whole writes, the interrupt flag. bind.h includes it. */
#ifndef BITTERN_BASE_H
#define BITTERN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A run of bytes that somebody else owns. */
struct bytes {
  const uint8_t *data;
  size_t size;
};

/* First member of every userdata that lends bytes (map, slice, buffer). `get`
 * fills `out` and returns 0, or returns -1 when the owner is closed. */
struct source {
  int (*get)(const struct source *self, struct bytes *out);
};

/* Bytes that grow at the end; all zero is empty. `data` is NULL while `room`
 * is 0, and no zero byte follows the last one. */
struct text {
  char *data;
  size_t size;
  size_t room;
};

/* Adds a copy of `size` bytes; false, with nothing added, without memory. */
bool text_append(struct text *text, const char *bytes, size_t size);

/* Frees what it holds; empty afterwards. */
void text_free(struct text *text);

/* Seconds of a clock that never jumps. */
double base_now(void);

/* Writes all of `bytes` to `fd`: at offset `at`, or where the descriptor stands
 * when it is negative. Returns 0 or an errno value; EINTR only when the user
 * asked to stop. */
int base_write(int fd, struct bytes bytes, off_t at);

/* True once the user asked to stop (SIGINT, SIGTERM). Kernels and loops that
 * may run longer than 0.1 s poll it; a binding that stopped for it returns
 * bind_fail(L, "interrupted", "interrupted"). host.c owns the flag. */
bool bind_interrupted(void);

#endif
