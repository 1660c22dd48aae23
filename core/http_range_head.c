/* Heads of ranges: what is asked for, and the verdict on the answer, which
 * comes before one of its bytes is written: what is not exactly the wanted part
 * of the wanted version never touches the file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_range.h"

/* Value of a header of the last response, or NULL. */
static const char *field(const struct range *range, const char *name) {
  struct curl_header *header;
  return curl_easy_header(range->easy, name, 0, CURLH_HEADER, -1, &header) ==
                 CURLHE_OK
             ? header->value
             : NULL;
}

/* Decimal digits at *at, which is moved behind them. */
static bool take_number(const char **at, uint64_t *out) {
  uint64_t value = 0;
  const char *start = *at;
  for (; **at >= '0' && **at <= '9'; (*at)++) {
    uint64_t digit = (uint64_t)(**at - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  *out = value;
  return *at > start;
}

/* "bytes FIRST-LAST/TOTAL": RFC 9110, 14.4. */
static bool read_content_range(const char *text, uint64_t *first,
                               uint64_t *last, uint64_t *total) {
  if (text == NULL || strncasecmp(text, "bytes ", 6) != 0) return false;
  text += 6;
  if (!take_number(&text, first) || *text++ != '-') return false;
  if (!take_number(&text, last) || *text++ != '/') return false;
  return take_number(&text, total) && *text == '\0' && *first <= *last;
}

/* Of a 206: a server may send less than was asked for, never anything else. */
static enum verdict judge_part(struct range *range) {
  uint64_t first, last, total;
  if (!read_content_range(field(range, "Content-Range"), &first, &last,
                          &total) ||
      first != range->first || last > range->last)
    return VERDICT_OTHER;
  if (total != range->total) return VERDICT_CHANGED;
  range->promised = last - first + 1;
  return VERDICT_GOOD;
}

/* Of a 200: good where the whole file was wanted. */
static enum verdict judge_whole(struct range *range) {
  const char *length = field(range, "Content-Length");
  uint64_t size = range->total;
  if (range->first != 0 || range->last != range->total - 1)
    return VERDICT_WHOLE;
  if (length != NULL && (!take_number(&length, &size) || *length != '\0'))
    return VERDICT_OTHER;
  range->promised = size;
  return size == range->total ? VERDICT_GOOD : VERDICT_CHANGED;
}

static bool is_weak(const char *etag) { return strncmp(etag, "W/", 2) == 0; }

/* A server that compresses marks its ETag as weak, W/"...": the same version.
 */
static bool same_version(const char *etag, const char *wanted) {
  return strcmp(etag + (is_weak(etag) ? 2 : 0),
                wanted + (is_weak(wanted) ? 2 : 0)) == 0;
}

/* Of a PUT: the server has the bytes, or it says why not. */
static enum verdict judge_sent(struct range *range, long status) {
  range->promised = range->last - range->first + 1;
  return status >= 200 && status < 300 ? VERDICT_GOOD : VERDICT_STATUS;
}

enum verdict range_judge(struct range *range) {
  long status = 0;
  curl_easy_getinfo(range->easy, CURLINFO_RESPONSE_CODE, &status);
  if (range->sends) return judge_sent(range, status);
  if (status != 200 && status != 206) return VERDICT_STATUS;
  const char *encoding = field(range, "Content-Encoding");
  if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
    return VERDICT_ENCODED;
  const char *etag = field(range, "ETag");
  if (range->etag != NULL && etag != NULL && !same_version(etag, range->etag))
    return VERDICT_CHANGED;
  return status == 206 ? judge_part(range) : judge_whole(range);
}

static bool add_header(struct range *range, const char *line) {
  struct curl_slist *longer = curl_slist_append(range->headers, line);
  if (longer != NULL) range->headers = longer;
  return longer != NULL;
}

/* The server is told not to send a part of another version: If-Range turns
 * that into a 200, RFC 9110, 13.1.5. A weak ETag may only be compared. */
bool range_add_headers(struct range *range) {
  char line[600];
  snprintf(line, sizeof line, "Range: bytes=%" PRIu64 "-%" PRIu64, range->first,
           range->last);
  if (!add_header(range, line) ||
      !add_header(range, "Accept-Encoding: identity"))
    return false;
  if (range->etag == NULL || is_weak(range->etag)) return true;
  int length = snprintf(line, sizeof line, "If-Range: %s", range->etag);
  /* One that is too long is compared only. */
  return length >= (int)sizeof line || add_header(range, line);
}
