/* A listening socket and its connections, by libmicrohttpd; plain C under
 * core.httpd. The owner that answers is the only way to Lua. */
#ifndef BITTERN_HTTPD_DAEMON_H
#define BITTERN_HTTPD_DAEMON_H

#include <microhttpd.h>

#include "httpd_body.h"

enum { HTTPD_HEADERS_MAX = 128 };

struct header {
  const char *name, *value;
  size_t name_size, value_size;
};

/* A whole request and, once it is answered, the response. */
struct call {
  const char *method, *uri; /* the latter as it was sent, with the query */
  const struct body *body;
  struct header headers[HTTPD_HEADERS_MAX];
  size_t count;
  bool too_many;
  struct MHD_Response *response; /* the daemon frees it, whatever the outcome */
  unsigned status;
  bool drop; /* close the connection in place of the answer */
};

/* FAILED is answered with 500, DROPPED by closing the connection. */
enum outcome { ANSWERED, FAILED, DROPPED };

struct httpd {
  struct MHD_Daemon *daemon; /* NULL before the start and once stopped */
  struct body_limits limits;
  void *owner;
  enum outcome (*answer)(void *owner, struct call *call); /* must not raise */
};

/* What httpd_start returns where errno has no word for it. */
enum { HTTPD_BAD_HOST = -1, HTTPD_NO_DAEMON = -2 };

/* Listens on a numeric `host` or "localhost"; port 0 becomes a free one.
 * Returns 0, an errno value or one of the above. */
int httpd_start(struct httpd *httpd, const char *host, int *port);

/* Waits a moment, until `end` at most, for something to do, and does it. */
void httpd_run(struct httpd *httpd, double end);

/* Closes every connection; may be called again. */
void httpd_stop(struct httpd *httpd);

#endif
