/* Ranges by libcurl's multi interface, http_range_send.c has those that go up.
 * The head of every answer is judged before one of its bytes is written: what
 * is not exactly the wanted part of the wanted version never touches the file.
 */
#include "http_range.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
  RECEIVE_SIZE = 512 << 10,
  NOTE_SIZE = 4 << 10,
  SLICE = 100 /* ms between two looks at the interrupt flag */
};

/* ---- the head ---- */

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

static enum verdict judge(struct range *range) {
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

/* ---- the body ---- */

static size_t keep_note(struct range *range, const char *data, size_t size) {
  size_t room = NOTE_SIZE - range->note.size;
  if (!text_append(&range->note, data, size < room ? size : room)) return 0;
  return size <= room ? size : 0; /* the rest of a refusal is not wanted */
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
  struct range *range = user;
  (void)one; /* always 1 */
  if (range->verdict == VERDICT_NONE) range->verdict = judge(range);
  if (range->verdict == VERDICT_STATUS || range->sends)
    return keep_note(range, data, size);
  if (range->verdict != VERDICT_GOOD) return 0;
  range->too_long = size > range->promised - range->received;
  if (range->too_long) return 0;
  range->file_error =
      base_write(range->fd, (struct bytes){(const uint8_t *)data, size},
                 (off_t)(range->first + range->received));
  if (range->file_error != 0) return 0;
  range->received += size;
  return size;
}

/* ---- ranges ---- */

bool ranges_open(struct ranges *ranges) {
  ranges->multi = curl_multi_init();
  return ranges->multi != NULL;
}

struct range *range_new(struct ranges *ranges) {
  struct range *range = calloc(1, sizeof *range);
  if (range == NULL) return NULL;
  range->fd = -1;
  range->easy = curl_easy_init();
  range->next = ranges->all;
  ranges->all = range;
  ranges->count++;
  return range;
}

static bool add_header(struct range *range, const char *line) {
  struct curl_slist *longer = curl_slist_append(range->headers, line);
  if (longer != NULL) range->headers = longer;
  return longer != NULL;
}

/* The server is told not to send a part of another version: If-Range turns
 * that into a 200, RFC 9110, 13.1.5. A weak ETag may only be compared. */
static bool add_headers(struct range *range) {
  char line[600];
  snprintf(line, sizeof line, "Range: bytes=%" PRIu64 "-%" PRIu64, range->first,
           range->last);
  if (!add_header(range, line) ||
      !add_header(range, "Accept-Encoding: identity"))
    return false;
  if (range->etag == NULL || is_weak(range->etag)) return true;
  int length = snprintf(line, sizeof line, "If-Range: %s", range->etag);
  return length < (int)sizeof line && add_header(range, line);
}

bool range_begin(struct ranges *ranges, struct range *range, const char *url,
                 bool direct) {
  CURL *easy = range->easy;
  if (easy == NULL || !(range->sends || add_headers(range))) return false;
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, range->headers);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, direct ? "*" : NULL);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, range);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, range);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, range->error);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_SIZE);
  if (range->sends) range_send(range);
  range->moved = base_now();
  if (ranges->since <= 0) ranges->since = range->moved;
  return curl_multi_add_handle(ranges->multi, easy) == CURLM_OK;
}

static void end(struct range *range, CURLcode result) {
  range->ended = true;
  range->result = result;
  /* Begins to write now what a commit will have to wait for. */
  if (!range->sends)
    sync_file_range(range->fd, (off_t)range->first, (off_t)range->received,
                    SYNC_FILE_RANGE_WRITE);
  /* An answer without a body was not judged yet. */
  if (range->verdict == VERDICT_NONE && result == CURLE_OK)
    range->verdict = judge(range);
}

/* Gives up a range whose bytes stand still, unless it is us who hold them. */
static void watch(struct range *range, double time, bool held) {
  if (range->received != range->seen || held) range->moved = time;
  range->seen = range->received;
  range->stalled = range->stall > 0 && time - range->moved >= range->stall;
  if (range->stalled) end(range, CURLE_OPERATION_TIMEDOUT);
}

static struct range *find_ended(struct ranges *ranges, bool held) {
  int left = 0;
  for (CURLMsg *message;
       (message = curl_multi_info_read(ranges->multi, &left));) {
    char *range = NULL;
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &range);
    end((struct range *)(void *)range, result);
  }
  double time = base_now();
  for (struct range *range = ranges->all; range != NULL; range = range->next) {
    if (!range->ended) watch(range, time, held);
    if (range->ended) return range;
  }
  return NULL;
}

static uint64_t count_received(const struct ranges *ranges) {
  uint64_t sum = 0;
  for (struct range *range = ranges->all; range != NULL; range = range->next)
    sum += range->received;
  return sum;
}

/* Lets libcurl move bytes once. */
static void perform(struct ranges *ranges) {
  uint64_t before = count_received(ranges);
  int running = 0;
  curl_multi_perform(ranges->multi, &running);
  ranges->received += count_received(ranges) - before;
}

/* Seconds until the next byte may come: what is not read waits in the sockets,
 * and the servers with it. */
static double ahead(const struct ranges *ranges) {
  if (ranges->speed == 0) return 0;
  double due = (double)ranges->received / (double)ranges->speed;
  return ranges->since + due - base_now();
}

struct range *ranges_step(struct ranges *ranges, double seconds) {
  double until = base_now() + seconds;
  struct range *ended = NULL;
  while (!bind_interrupted()) {
    double early = ahead(ranges);
    if (early <= 0) perform(ranges);
    ended = find_ended(ranges, early > 0);
    double left = until - base_now();
    if (ended != NULL || ranges->count == 0 || left <= 0) break;
    if (early > 0 && early < left) left = early;
    int wait = left * 1000 < SLICE ? (int)(left * 1000) + 1 : SLICE;
    if (early > 0)
      poll(NULL, 0, wait);
    else
      curl_multi_poll(ranges->multi, NULL, 0, wait, NULL);
  }
  return ended;
}

void range_drop(struct ranges *ranges, struct range *range) {
  struct range **at = &ranges->all;
  while (*at != range)
    at = &(*at)->next;
  *at = range->next;
  ranges->count--;
  if (range->easy != NULL) curl_multi_remove_handle(ranges->multi, range->easy);
  curl_easy_cleanup(range->easy);
  curl_slist_free_all(range->headers);
  if (range->fd >= 0) close(range->fd);
  text_free(&range->note);
  free(range->etag);
  free(range);
}

void ranges_close(struct ranges *ranges) {
  while (ranges->all != NULL)
    range_drop(ranges, ranges->all);
  if (ranges->multi != NULL) curl_multi_cleanup(ranges->multi);
  ranges->multi = NULL;
}
