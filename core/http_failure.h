/* What went wrong in an exchange; plain C under core.http. */
#ifndef BITTERN_HTTP_FAILURE_H
#define BITTERN_HTTP_FAILURE_H

#include <curl/curl.h>

struct failure {
  const char *code; /* "tls", "unreachable", "timeout", "network", "proxy",
                       "config" */
  const char *text; /* `error`, or a literal */
};

/* Of an exchange that ended with `result`; `error` is its error buffer. */
struct failure http_failure(CURL *easy, CURLcode result, const char *error);

#endif
