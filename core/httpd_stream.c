/* Bodies that libmicrohttpd asks for piece by piece. */
#include "httpd_stream.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

struct stream {
  struct manner manner;
  uint64_t size;
  uint8_t data[];
};

bool manner_is_plain(const struct manner *manner) {
  return manner->cut == UINT64_MAX && manner->pace <= 0 && !manner->chunked;
}

/* Gives the bytes at `at`, one at a time when there is a pace. */
static ssize_t on_read(void *user, uint64_t at, char *out, size_t room) {
  const struct stream *stream = user;
  const struct manner *manner = &stream->manner;
  if (at >= manner->cut) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (at >= stream->size) return MHD_CONTENT_READER_END_OF_STREAM;
  uint64_t end = manner->cut < stream->size ? manner->cut : stream->size;
  uint64_t count = end - at < room ? end - at : room;
  if (manner->pace > 0) {
    count = 1;
    poll(NULL, 0, (int)(manner->pace * 1000));
  }
  memcpy(out, stream->data + at, (size_t)count);
  return (ssize_t)count;
}

struct MHD_Response *stream_response(const uint8_t *data, size_t size,
                                     const struct manner *manner) {
  if (size > SIZE_MAX - sizeof(struct stream)) return NULL;
  struct stream *stream = malloc(sizeof *stream + size);
  if (stream == NULL) return NULL;
  stream->manner = *manner;
  stream->size = size;
  if (size > 0) memcpy(stream->data, data, size);
  struct MHD_Response *response = MHD_create_response_from_callback(
      manner->chunked ? MHD_SIZE_UNKNOWN : size, BLOCK, on_read, stream, free);
  if (response == NULL) free(stream);
  return response;
}
