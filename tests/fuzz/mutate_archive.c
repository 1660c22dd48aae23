/* Tars, also in gzip, whose checksums are right. */
#include "mutate.h"

#include <stdio.h>
#include <string.h>

#include <libdeflate.h>

enum { BLOCK = 512, ROOM = 64 << 10, GZIP_HEAD = 10, GZIP_TAIL = 8 };

static size_t octal(const uint8_t *field, int length) {
  size_t value = 0;
  for (int i = 0; i < length && field[i] >= '0' && field[i] <= '7'; i++)
    value = value * 8 + field[i] - '0';
  return value;
}

/* Gives every header block of a tar the checksum that it needs. Offset 124 is
 * the size (12), 148 the checksum (8), the sum of all bytes with its own field
 * taken as spaces. */
static void repair_tar(uint8_t *data, size_t size) {
  size_t at = 0;
  while (size - at >= BLOCK) {
    uint8_t *header = data + at;
    unsigned sum = 0;
    if (header[0] == 0) return;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
      sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
    size_t length = octal(header + 124, 11);
    at += BLOCK;
    if (length > size - at) return;
    length += (BLOCK - length % BLOCK) % BLOCK;
    if (length > size - at) return;
    at += length;
  }
}

/* Wraps a tar into one gzip member; 0 when it has no room. */
static size_t wrap(const uint8_t *tar, size_t size, uint8_t *out, size_t room) {
  static const uint8_t head[GZIP_HEAD] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3};
  if (room < GZIP_HEAD + GZIP_TAIL) return 0;
  struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(1);
  size_t length = libdeflate_deflate_compress(
      deflater, tar, size, out + GZIP_HEAD, room - GZIP_HEAD - GZIP_TAIL);
  libdeflate_free_compressor(deflater);
  if (length == 0) return 0;
  memcpy(out, head, GZIP_HEAD);
  mutate_put(out + GZIP_HEAD + length, libdeflate_crc32(0, tar, size), 4);
  mutate_put(out + GZIP_HEAD + length + 4, size, 4);
  return GZIP_HEAD + length + GZIP_TAIL;
}

/* Mutates the tar inside of a gzip file; 0 when it holds none. */
static size_t mutate_inside(uint8_t *data, size_t size, size_t room) {
  static uint8_t tar[ROOM];
  size_t length = 0;
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  enum libdeflate_result result = libdeflate_gzip_decompress(
      inflater, data, size, tar, sizeof tar, &length);
  libdeflate_free_decompressor(inflater);
  if (result != LIBDEFLATE_SUCCESS) return 0;
  length = LLVMFuzzerMutate(tar, length, sizeof tar);
  repair_tar(tar, length);
  return wrap(tar, length, data, room);
}

/* Three of four mutations keep the checksums right. */
size_t mutate_archive(uint8_t *data, size_t size, size_t room, unsigned seed) {
  bool is_gzip = size > 2 && data[0] == 0x1F && data[1] == 0x8B;
  size_t changed = 0;
  if (is_gzip && seed % 4 != 0) changed = mutate_inside(data, size, room);
  if (changed > 0) return changed;
  size = LLVMFuzzerMutate(data, size, room);
  if (!is_gzip && seed % 4 != 0 && size > 0 && data[0] != 'P')
    repair_tar(data, size);
  return size;
}
