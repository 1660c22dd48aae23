/* One exchange by libcurl; plain C under core.http. The owner's two calls are
 * the only way back to Lua. */
#ifndef BITTERN_HTTP_TRANSFER_H
#define BITTERN_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base.h"

/* Why a transfer was stopped from inside a callback. */
enum stop { STOP_NONE, STOP_RAISED, STOP_SINK, STOP_SIZE, STOP_MEMORY };

struct transfer {
  CURLM *multi; /* keeps connections alive between requests; NULL: closed */
  CURL *easy;
  bool attached; /* `easy` is in `multi` */
  bool http2;    /* where the server offers it */
  struct curl_slist *headers;
  const struct source *source; /* of the body, unless it is a string */
  struct bytes body;
  size_t sent;                     /* bytes of the body */
  struct text head;                /* header lines of the last response */
  struct text text;                /* its body, where there is no sink */
  uint64_t received;               /* bytes of its body */
  uint64_t max;                    /* bytes of a body, 0 for no limit */
  long redirects;                  /* still allowed */
  double deadline, connect, stall; /* base_now's clock, s, s; 0 for none */
  bool in_body, skip_body; /* skipped: that of a redirect to be followed */
  enum stop stop;
  char error[CURL_ERROR_SIZE];
  void *owner;
  /* Takes a piece of the body, if set. libcurl calls it: it must not raise. */
  enum stop (*sink)(void *owner, struct bytes piece);
  /* Hears now and then of bytes done and in all (0: unknown), if set. May
   * raise; http_close still ends the transfer. */
  void (*progress)(void *owner, uint64_t done, uint64_t total);
};

/* Prepares `easy`; the fields above are set. */
void http_prepare(struct transfer *transfer, const char *method, bool has_body,
                  const char *ca_file);

/* What every exchange has: HTTP/1.1, or 2 where the server offers it over TLS
 * and it is wanted; TLS 1.2 or later, verified; nothing decoded; `connect` s to
 * connect (0: no limit); NULL: the system's roots. */
void http_transport(CURL *easy, bool http2, double connect,
                    const char *ca_file);

/* One hop: sends and receives until the end, a limit or an interrupt. What goes
 * to this machine (`direct`) never goes by way of another. */
CURLcode http_exchange(struct transfer *transfer, const char *url, bool direct);

/* Ends it, frees what it holds, leaves `easy` as new; may be called again. */
void http_close(struct transfer *transfer);

#endif
