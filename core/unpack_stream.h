/* The bytes of a tar: handed out in pieces, decompressed on the way by
 * libarchive's filters and counted before anybody parses them. */
#ifndef BITTERN_UNPACK_STREAM_H
#define BITTERN_UNPACK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <archive.h>

#include "bind.h"

/* Why a stream was stopped from inside a callback. */
enum stop { STOP_NONE, STOP_SIZE, STOP_HEADER, STOP_INTERRUPT };

struct stream {
  struct bytes input;
  size_t given;           /* bytes of `input` that libarchive has been given */
  struct archive *filter; /* undoes the compression; NULL where there is none */
  int code;               /* ARCHIVE_FILTER_* */
  struct bytes pending;   /* came out of the filter, not yet handed out */
  uint64_t unpacked;      /* bytes that came out so far */
  uint64_t most;          /* and how many they may be */
  uint32_t crc;           /* of these bytes */
  bool ended;
  bool failed; /* the filter refused to go on */
  enum stop stop;
};

/* libarchive's read callback over the input; `user` is a struct stream. */
la_ssize_t stream_input(struct archive *archive, void *user, const void **out);

/* Prepares the filter; false when it refuses, see its error string. */
bool stream_open(struct stream *stream, int code);

/* Counts `size` more bytes; false, and `stop` set, past `most`. */
bool stream_count(struct stream *stream, size_t size);

/* Makes `pending` hold at least one byte unless the stream has ended. Returns 0
 * or ARCHIVE_FATAL. */
int stream_fill(struct stream *stream);

/* Hands out at most `size` bytes of `pending`. */
struct bytes stream_take(struct stream *stream, size_t size);

/* Bytes of input after the compressed stream that the filter did not use. */
uint64_t stream_unused(const struct stream *stream);

/* Whether the filter failed at the end of its input: it wanted more. A trailer
 * that is not whole stays unused. */
bool stream_is_spent(const struct stream *stream);

/* Whether the checksum and the size that end a gzip file are those of what came
 * out; true for the other filters, which check themselves. */
bool stream_is_whole(const struct stream *stream);

void stream_close(struct stream *stream);

#endif
