/* Fuzzes bittern.model.safetensors. */
#include "fuzz.h"

enum { LENGTH = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return fuzz_read("safetensors", data, size);
}

/* Half of the time the length in front is made that of a header which ends at
 * the last brace, else hardly an input would come past it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, room);
  if (seed % 2 == 0 || size <= LENGTH) return size;
  size_t end = size;
  while (end > LENGTH && data[end - 1] != '}')
    end--;
  fuzz_put(data, end - LENGTH, LENGTH);
  return size;
}
