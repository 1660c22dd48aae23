/* What may be asked and sent: URLs and header lines; plain C under core.http.
 */
#ifndef BITTERN_HTTP_CHECK_H
#define BITTERN_HTTP_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_ORIGIN_SIZE = 300 };

/* Where a URL leads: what decides about plain http and about headers. */
struct target {
  bool https;
  bool loopback;
  char origin[HTTP_ORIGIN_SIZE]; /* scheme://host:port */
};

/* Fills `target`. Returns NULL or what is wrong with the URL. */
const char *http_check_url(const char *url, struct target *target);

/* Returns NULL or why the header line, `length` bytes and a zero, must not be
 * sent as it is. */
const char *http_check_header(const char *line, size_t length);

#endif
