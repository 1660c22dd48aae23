/* Fuzzes bittern.model.zip and what inflates its members. */
#include "fuzz.h"

#include <string.h>

enum { END = 22, CENTRAL = 46 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return fuzz_read("zip", data, size);
}

static size_t find(const uint8_t *data, size_t size, const char *mark) {
  size_t at = 0;
  while (at + 4 <= size && memcmp(data + at, mark, 4) != 0)
    at++;
  return at + 4 <= size ? at : size;
}

/* Headers of the directory that begins at `at`, one after the other. */
static uint64_t count_headers(const uint8_t *data, size_t size, size_t at) {
  uint64_t count = 0;
  while (size - at >= CENTRAL && memcmp(data + at, "PK\1\2", 4) == 0) {
    uint32_t lengths = fuzz_get32(data + at + 28);
    size_t next = at + CENTRAL + (lengths & 0xFFFF) + (lengths >> 16) +
                  (fuzz_get32(data + at + 32) & 0xFFFF);
    count++;
    if (next > size) break;
    at = next;
  }
  return count;
}

/* Half of the time the end record is made to fit what stands before it, else
 * hardly an input would come past it. At 8 and 10 the entries (2), at 12 the
 * size and at 16 the offset of the directory (4), at 20 the comment (2). */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, room);
  if (seed % 2 == 0 || room < END) return size;
  size_t end = find(data, size, "PK\5\6");
  if (end > room - END) return size;
  size_t start = find(data, end, "PK\1\2");
  uint64_t count = count_headers(data, end, start);
  memset(data + end, 0, END);
  memcpy(data + end, "PK\5\6", 4);
  fuzz_put(data + end + 8, count, 2);
  fuzz_put(data + end + 10, count, 2);
  fuzz_put(data + end + 12, end - start, 4);
  fuzz_put(data + end + 16, start, 4);
  return end + END;
}
