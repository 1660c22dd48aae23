/* Bodies that are sent in unusual ways: slowly, in chunks, broken off; plain C
 * under core.httpd. */
#ifndef BITTERN_HTTPD_STREAM_H
#define BITTERN_HTTPD_STREAM_H

#include <microhttpd.h>

#include "base.h"

struct manner {
  uint64_t cut; /* the connection breaks after so many bytes, UINT64_MAX: not */
  double pace;  /* seconds before each byte; the whole server waits */
  bool chunked; /* the length is not told */
};

/* Whether a body is sent in the usual way after all. */
bool manner_is_plain(const struct manner *manner);

/* A response with a copy of the body, or NULL when there is no memory. */
struct MHD_Response *stream_response(const uint8_t *data, size_t size,
                                     const struct manner *manner);

#endif
