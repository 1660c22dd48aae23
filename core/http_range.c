/* Ranges by libcurl's multi interface, http_range_send.c has those that go up.
 * The head of every answer is judged before one of its bytes is written: what
 * is not exactly the wanted part of the wanted version never touches the file.
 */
#include "http_range.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  RECEIVE_SIZE = 512 << 10,
  NOTE_SIZE = 4 << 10,
  SLICE = 100 /* ms between two looks at the interrupt flag */
};

/* Seconds for which an unused bandwidth may be made up for. */
#define CREDIT 0.1

/* ---- the bandwidth ---- */

/* Seconds until the next byte may come. */
static double ahead(const struct ranges *ranges) {
  return ranges->speed == 0 ? 0 : ranges->due - base_now();
}

/* Bytes that came move the time at which the next may come; a bandwidth that
 * was not used is no credit for later. */
static void pace(struct ranges *ranges, size_t bytes) {
  if (ranges->speed == 0) return;
  double earliest = base_now() - CREDIT;
  if (ranges->due < earliest) ranges->due = earliest;
  ranges->due += (double)bytes / (double)ranges->speed;
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
  if (range->verdict == VERDICT_NONE) range->verdict = range_judge(range);
  if (range->verdict == VERDICT_STATUS || range->sends)
    return keep_note(range, data, size);
  if (range->verdict != VERDICT_GOOD) return 0;
  range->too_long = size > range->promised - range->received;
  if (range->too_long) return 0;
  if (ahead(range->ranges) > 0) { /* the rest waits in the socket */
    range->waits = base_now();
    return CURL_WRITEFUNC_PAUSE;
  }
  range->file_error =
      base_write(range->fd, (struct bytes){(const uint8_t *)data, size},
                 (off_t)(range->first + range->received));
  if (range->file_error != 0) return 0;
  range->received += size;
  range->ranges->received += size;
  pace(range->ranges, size);
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
  range->ranges = ranges;
  range->easy = curl_easy_init();
  range->next = ranges->all;
  ranges->all = range;
  ranges->count++;
  return range;
}

bool range_begin(struct ranges *ranges, struct range *range, const char *url,
                 bool direct) {
  CURL *easy = range->easy;
  if (easy == NULL || !(range->sends || range_add_headers(range))) return false;
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
    range->verdict = range_judge(range);
}

/* Gives up a range whose bytes stand still, unless it is us who hold them. */
static void watch(struct range *range, double time) {
  if (range->received != range->seen || range->waits > 0) range->moved = time;
  range->seen = range->received;
  range->stalled = range->stall > 0 && time - range->moved >= range->stall;
  if (range->stalled) end(range, CURLE_OPERATION_TIMEDOUT);
}

static struct range *find_ended(struct ranges *ranges) {
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
    if (!range->ended) watch(range, time);
    if (range->ended) return range;
  }
  return NULL;
}

/* Of those that were told to wait, the one that has waited longest. */
static struct range *find_waiting(const struct ranges *ranges) {
  struct range *found = NULL;
  for (struct range *at = ranges->all; at != NULL; at = at->next)
    if (at->waits > 0 && (found == NULL || at->waits < found->waits))
      found = at;
  return found;
}

/* Lets libcurl move bytes once. */
static void perform(struct ranges *ranges) {
  int running = 0;
  struct range *range;
  while (ahead(ranges) <= 0 && (range = find_waiting(ranges)) != NULL) {
    range->waits = 0;
    curl_easy_pause(range->easy, CURLPAUSE_CONT);
  }
  curl_multi_perform(ranges->multi, &running);
}

struct range *ranges_step(struct ranges *ranges, double seconds) {
  double until = base_now() + seconds;
  struct range *ended = NULL;
  while (!bind_interrupted()) {
    perform(ranges);
    ended = find_ended(ranges);
    double left = until - base_now(), early = ahead(ranges);
    if (ended != NULL || ranges->count == 0 || left <= 0) break;
    if (early > 0 && early < left) left = early;
    int wait = left * 1000 < SLICE ? (int)(left * 1000) + 1 : SLICE;
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
