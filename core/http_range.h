/* Ranges of files, several at a time, each from a server into its place in a
 * local file, or from there to a server; plain C under core.http. */
#ifndef BITTERN_HTTP_RANGE_H
#define BITTERN_HTTP_RANGE_H

#include <curl/curl.h>

#include "base.h"

/* What the head of an answer said. */
enum verdict {
  VERDICT_NONE,    /* no head yet */
  VERDICT_GOOD,    /* these bytes of this file */
  VERDICT_STATUS,  /* neither 200 nor 206 */
  VERDICT_WHOLE,   /* 200: the server does not know of ranges */
  VERDICT_OTHER,   /* a Content-Range that was not asked for */
  VERDICT_CHANGED, /* another version of the file */
  VERDICT_ENCODED, /* a Content-Encoding: not the bytes themselves */
};

/* One request. What was received lies from `first` on in the file; of one that
 * is sent, `received` counts what libcurl took, and `note` holds the answer. */
struct range {
  struct range *next;
  struct ranges *ranges;
  CURL *easy;
  struct curl_slist *headers;
  int64_t id;
  bool sends; /* to the server */
  int fd;
  uint64_t first, last; /* inclusive, as in HTTP */
  uint64_t total;       /* bytes of the whole file */
  char *etag;           /* NULL: not known */
  double stall;         /* s without a byte until it is given up; 0: never */
  uint64_t received;
  uint64_t promised; /* bytes that the head promised, or that are sent */
  enum verdict verdict;
  struct text note; /* how a refusal's body begins, or a PUT's answer */
  int file_error;   /* an errno value */
  bool too_long;    /* more bytes than its head promised */
  bool stalled;
  double waits;  /* since when, to keep to the bandwidth; 0: it does not */
  uint64_t seen; /* `received` at the time `moved` */
  double moved;
  bool ended;
  CURLcode result;
  char error[CURL_ERROR_SIZE];
};

struct ranges {
  CURLM *multi;
  struct range *all;
  size_t count;
  uint64_t received; /* bytes written since the beginning */
  uint64_t speed;    /* bytes a second for all together, 0: no limit */
  double due;        /* when the next byte may come at that speed */
};

/* Opens the multi handle. False without memory. */
bool ranges_open(struct ranges *ranges);

/* A new range with its easy handle, in the list; NULL without memory. */
struct range *range_new(struct ranges *ranges);

/* Sets what all ranges need and begins the request: sends, first, last, total,
 * etag, fd and headers are set. False when libcurl does not take it. */
bool range_begin(struct ranges *ranges, struct range *range, const char *url,
                 bool direct);

/* Adds the header lines that ask for the range. False without memory. */
bool range_add_headers(struct range *range);

/* What the head of the answer says. */
enum verdict range_judge(struct range *range);

/* Makes the request a PUT of the range. */
void range_send(struct range *range);

/* Moves bytes for at most `seconds`, or until a range has ended. Returns one
 * that has ended, which the caller drops, or NULL. */
struct range *ranges_step(struct ranges *ranges, double seconds);

/* Takes a range out and frees it; in any state. */
void range_drop(struct ranges *ranges, struct range *range);

/* Drops all; may be called again. */
void ranges_close(struct ranges *ranges);

#endif
