/* Ranges that go up: a PUT each. The bytes are read from the file as they are
 * sent, so that memory does not grow with what is under way. */
#include <errno.h>
#include <unistd.h>

#include "http_range.h"

/* libcurl asks for bytes; the file may have been cut since it was opened. */
static size_t on_send(char *out, size_t one, size_t room, void *user) {
  struct range *range = user;
  uint64_t left = range->last - range->first + 1 - range->received;
  (void)one; /* always 1 */
  if (left < room) room = (size_t)left;
  if (room == 0) return 0;
  ssize_t got =
      pread(range->fd, out, room, (off_t)(range->first + range->received));
  if (got <= 0) {
    range->file_error = got < 0 ? errno : EIO;
    return CURL_READFUNC_ABORT;
  }
  range->received += (uint64_t)got;
  range->ranges->received += (uint64_t)got;
  return (size_t)got;
}

/* A kept connection that turned out to be closed: once more from `offset`. */
static int on_rewind(void *user, curl_off_t offset, int origin) {
  struct range *range = user;
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  range->ranges->received -= range->received - (uint64_t)offset;
  range->received = (uint64_t)offset;
  return CURL_SEEKFUNC_OK;
}

void range_send(struct range *range) {
  CURL *easy = range->easy;
  curl_off_t size = (curl_off_t)(range->last - range->first + 1);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
  curl_easy_setopt(easy, CURLOPT_READDATA, range);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_rewind);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, range);
}
