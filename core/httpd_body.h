/* The body of a request as it arrives: in memory up to a limit, then in a file;
 * plain C under core.httpd. */
#ifndef BITTERN_HTTPD_BODY_H
#define BITTERN_HTTPD_BODY_H

#include <limits.h>

#include "base.h"

struct body_limits {
  uint64_t memory;            /* larger ones go to a file */
  uint64_t file;              /* larger ones are refused */
  char folder[PATH_MAX - 32]; /* of these files; "" for none */
};

/* Starts with `fd` -1 and the rest zero. */
struct body {
  uint64_t size;
  struct text text;    /* all of it while `fd` is -1 */
  int fd;              /* of the file, or -1 */
  char path[PATH_MAX]; /* of the file */
};

/* The largest body that is taken. */
uint64_t body_limit(const struct body_limits *limits);

/* Adds a piece that is within body_limit. Returns 0, or -1 when there is no
 * room for it. */
int body_add(struct body *body, const struct body_limits *limits,
             const char *data, size_t size);

/* Frees it and removes the file, unless somebody moved that away. */
void body_free(struct body *body);

#endif
