/* GGUF files whose counts a small file may have. */
#include "mutate.h"

#include <string.h>

/* Most of the time the file keeps its mark, a version that is read, and counts
 * that a file of this size may have. Bytes 0..3 mark, 4..7 version, 8..15
 * tensors, 16..23 entries. */
size_t mutate_gguf(uint8_t *data, size_t size, size_t room, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, room);
  if (seed % 8 == 0 || size < 24) return size;
  memcpy(data, "GGUF", 4);
  mutate_put(data + 4, seed % 3 == 0 ? 2 : 3, 4);
  mutate_put(data + 8, data[8] % 8, 8);
  mutate_put(data + 16, data[16] % 16, 8);
  return size;
}
