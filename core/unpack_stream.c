/* The counted stream of unpack_stream.h. The filter undoes exactly the one
 * compression it was asked for, so that no archive is unwrapped more often than
 * its reader expects. */
#include "unpack_stream.h"

#include <errno.h>
#include <string.h>

#include <archive_entry.h>
#include <libdeflate.h>

enum { STEP = 1 << 20, GZIP_TRAILER = 8 };

la_ssize_t stream_input(struct archive *archive, void *user, const void **out) {
  struct stream *stream = user;
  size_t left = stream->input.size - stream->given;
  size_t step = left < STEP ? left : STEP;
  if (bind_interrupted()) {
    stream->stop = STOP_INTERRUPT;
    archive_set_error(archive, EINTR, "interrupted");
    return ARCHIVE_FATAL;
  }
  *out = stream->input.data + stream->given;
  stream->given += step;
  return (la_ssize_t)step;
}

bool stream_open(struct stream *stream, int code) {
  struct archive_entry *entry = NULL;
  stream->code = code;
  if (code == ARCHIVE_FILTER_NONE) return true;
  stream->filter = archive_read_new();
  stream->failed =
      stream->filter == NULL ||
      archive_read_append_filter(stream->filter, code) != ARCHIVE_OK ||
      archive_read_support_format_raw(stream->filter) != ARCHIVE_OK ||
      archive_read_open(stream->filter, stream, NULL, stream_input, NULL) !=
          ARCHIVE_OK ||
      archive_read_next_header(stream->filter, &entry) != ARCHIVE_OK;
  return !stream->failed;
}

bool stream_count(struct stream *stream, size_t size) {
  if (size > stream->most - stream->unpacked) {
    stream->stop = STOP_SIZE;
    return false;
  }
  stream->unpacked += size;
  return true;
}

/* The next run of bytes without a filter; empty at the end. */
static int next_plain(struct stream *stream, struct bytes *out) {
  if (bind_interrupted()) {
    stream->stop = STOP_INTERRUPT;
    return ARCHIVE_FATAL;
  }
  size_t left = stream->input.size - stream->given;
  *out = (struct bytes){stream->input.data + stream->given,
                        left < STEP ? left : STEP};
  stream->given += out->size;
  return ARCHIVE_OK;
}

/* The next run of bytes behind the filter; empty at the end. */
static int next_filtered(struct stream *stream, struct bytes *out) {
  const void *data = NULL;
  size_t size = 0;
  la_int64_t offset = 0;
  int result = ARCHIVE_OK;
  do
    result = archive_read_data_block(stream->filter, &data, &size, &offset);
  while (result == ARCHIVE_OK && size == 0);
  *out = (struct bytes){data, result == ARCHIVE_OK ? size : 0};
  return result == ARCHIVE_EOF ? ARCHIVE_OK : result;
}

int stream_fill(struct stream *stream) {
  if (stream->pending.size > 0 || stream->ended) return ARCHIVE_OK;
  int result = stream->filter == NULL ? next_plain(stream, &stream->pending)
                                      : next_filtered(stream, &stream->pending);
  stream->failed = result != ARCHIVE_OK;
  if (stream->failed) return ARCHIVE_FATAL;
  struct bytes pending = stream->pending;
  stream->ended = pending.size == 0;
  if (!stream_count(stream, pending.size)) return ARCHIVE_FATAL;
  if (stream->code == ARCHIVE_FILTER_GZIP && pending.size > 0)
    stream->crc = libdeflate_crc32(stream->crc, pending.data, pending.size);
  return ARCHIVE_OK;
}

struct bytes stream_take(struct stream *stream, size_t size) {
  struct bytes out = stream->pending;
  if (out.size > size) out.size = size;
  stream->pending.data += out.size;
  stream->pending.size -= out.size;
  return out;
}

uint64_t stream_unused(const struct stream *stream) {
  if (stream->filter == NULL) return stream->input.size - stream->given;
  return stream->input.size -
         (uint64_t)archive_filter_bytes(stream->filter, -1);
}

bool stream_is_spent(const struct stream *stream) {
  return stream->failed && stream_unused(stream) < GZIP_TRAILER;
}

/* The last 8 bytes of a gzip file: CRC-32 (4), size modulo 2^32 (4). */
bool stream_is_whole(const struct stream *stream) {
  uint8_t expected[GZIP_TRAILER];
  uint64_t sum = stream->crc | (stream->unpacked & UINT32_MAX) << 32;
  if (stream->code != ARCHIVE_FILTER_GZIP) return true;
  for (int i = 0; i < GZIP_TRAILER; i++)
    expected[i] = (uint8_t)(sum >> 8 * i);
  return stream->input.size >= GZIP_TRAILER &&
         memcmp(stream->input.data + stream->input.size - GZIP_TRAILER,
                expected, GZIP_TRAILER) == 0;
}

void stream_close(struct stream *stream) {
  archive_read_free(stream->filter);
  stream->filter = NULL;
}
