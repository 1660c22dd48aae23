/* Collecting bodies. Their file gets a name that nobody can guess, and is made
 * anew: a link that waits there is not followed. */
#include "httpd_body.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

uint64_t body_limit(const struct body_limits *limits) {
  return limits->folder[0] != '\0' ? limits->file : limits->memory;
}

static int put(int fd, const char *data, size_t size) {
  struct bytes bytes = {(const uint8_t *)data, size};
  return base_write(fd, bytes, -1) == 0 ? 0 : -1;
}

/* Moves what is in memory to a new file. */
static int open_file(struct body *body, const char *folder) {
  uint64_t salt;
  if (getrandom(&salt, sizeof salt, 0) != sizeof salt) return -1;
  snprintf(body->path, sizeof body->path, "%s/.body-%016llx", folder,
           (unsigned long long)salt);
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  body->fd = open(body->path, flags, 0600);
  if (body->fd < 0) return -1;
  int error = put(body->fd, body->text.data, body->text.size);
  text_free(&body->text);
  return error;
}

int body_add(struct body *body, const struct body_limits *limits,
             const char *data, size_t size) {
  bool fits = size <= limits->memory && body->size <= limits->memory - size;
  if (body->fd < 0 && !fits && open_file(body, limits->folder) != 0) return -1;
  if (body->fd >= 0 ? put(body->fd, data, size) != 0
                    : !text_append(&body->text, data, size))
    return -1;
  body->size += size;
  return 0;
}

void body_free(struct body *body) {
  text_free(&body->text);
  if (body->fd < 0) return;
  close(body->fd);
  body->fd = -1;
  unlink(body->path);
}
