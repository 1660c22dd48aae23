/* Archives whose directory, end record and checksums fit. */
#include "mutate.h"

#include <string.h>

#include <libdeflate.h>

/* Of the directory's headers:  10 method (2)  16 CRC-32 (4)  20 stored size (4)
 *   24 size (4)  28 lengths of name, extra, comment (2 each)  42 offset (4)
 * of local headers:            14 CRC-32 (4)  26 lengths of name, extra (2
 * each) of the end record:           8, 10 entries (2)  12 size and 16 offset
 * of the directory (4)  20 comment (2) */
enum { END = 22, CENTRAL = 46, LOCAL = 30, INFLATED = 64 << 10 };

static size_t find(const uint8_t *data, size_t size, const char *mark) {
  size_t at = 0;
  while (at + 4 <= size && memcmp(data + at, mark, 4) != 0)
    at++;
  return at + 4 <= size ? at : size;
}

/* The header after the one at `at`; `size` when there is none. */
static size_t next_header(const uint8_t *data, size_t size, size_t at) {
  size_t next = at + CENTRAL + mutate_get(data + at + 28, 2) +
                mutate_get(data + at + 30, 2) + mutate_get(data + at + 32, 2);
  return next < size ? next : size;
}

static bool is_header(const uint8_t *data, size_t size, size_t at) {
  return size - at >= CENTRAL && memcmp(data + at, "PK\1\2", 4) == 0;
}

/* CRC-32 of what is stored or deflated there; false when it cannot be read. */
static bool checksum(const uint8_t *data, size_t size, uint64_t method,
                     uint32_t *out) {
  static uint8_t plain[INFLATED];
  size_t length = size;
  if (method == 8) {
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    enum libdeflate_result result = libdeflate_deflate_decompress(
        inflater, data, size, plain, sizeof plain, &length);
    libdeflate_free_decompressor(inflater);
    if (result != LIBDEFLATE_SUCCESS) return false;
    data = plain;
  }
  *out = libdeflate_crc32(0, data, length);
  return true;
}

/* Gives an entry the checksum of its bytes, in both of its headers. */
static void repair_entry(uint8_t *data, size_t size, uint8_t *header) {
  uint32_t crc;
  uint64_t stored = mutate_get(header + 20, 4);
  uint64_t local = mutate_get(header + 42, 4);
  if (local + LOCAL > size) return;
  uint64_t start = local + LOCAL + mutate_get(data + local + 26, 2) +
                   mutate_get(data + local + 28, 2);
  if (start > size || stored > size - start) return;
  if (!checksum(data + start, stored, mutate_get(header + 10, 2), &crc)) return;
  mutate_put(header + 16, crc, 4);
  mutate_put(data + local + 14, crc, 4);
}

/* Repairs the entries of the directory that begins at `at`; their number. */
static uint64_t repair_entries(uint8_t *data, size_t size, size_t at) {
  uint64_t count = 0;
  for (; is_header(data, size, at); at = next_header(data, size, at)) {
    repair_entry(data, size, data + at);
    count++;
  }
  return count;
}

/* Half of the time all is made to fit, else hardly an input would come past
 * the end record. */
size_t mutate_zip(uint8_t *data, size_t size, size_t room, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, room);
  if (seed % 2 == 0 || room < END) return size;
  size_t end = find(data, size, "PK\5\6");
  if (end > room - END) return size;
  size_t start = find(data, end, "PK\1\2");
  uint64_t count = repair_entries(data, end, start);
  memset(data + end, 0, END);
  memcpy(data + end, "PK\5\6", 4);
  mutate_put(data + end + 8, count, 2);
  mutate_put(data + end + 10, count, 2);
  mutate_put(data + end + 12, end - start, 4);
  mutate_put(data + end + 16, start, 4);
  return end + END;
}
