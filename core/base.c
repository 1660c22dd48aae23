/* The helpers of base.h that are not the interrupt flag. */
#include "base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bytes of one write: at most so much passes before a stop is noticed. */
enum { WRITE_SLICE = 8 << 20 };

bool text_append(struct text *text, const char *bytes, size_t size) {
  if (size > text->room - text->size) {
    if (size > SIZE_MAX / 2 - text->size) return false;
    size_t room = text->size + size;
    if (room < text->room * 2) room = text->room * 2;
    char *data = realloc(text->data, room);
    if (data == NULL) return false;
    text->data = data;
    text->room = room;
  }
  if (size > 0) memcpy(text->data + text->size, bytes, size);
  text->size += size;
  return true;
}

void text_free(struct text *text) {
  free(text->data);
  *text = (struct text){0};
}

double base_now(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int base_write(int fd, struct bytes bytes, off_t at) {
  while (bytes.size > 0) {
    size_t slice = bytes.size < WRITE_SLICE ? bytes.size : WRITE_SLICE;
    ssize_t put = at < 0 ? write(fd, bytes.data, slice)
                         : pwrite(fd, bytes.data, slice, at);
    if (bind_interrupted()) return EINTR;
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.data += put;
    bytes.size -= (size_t)put;
    if (at >= 0) at += put;
  }
  return 0;
}
