/* Safetensors files whose length in front is right. */
#include "mutate.h"

#include <string.h>

enum { LENGTH = 8, ROOM = 16 << 10 };

static size_t mutate_any(uint8_t *data, size_t size, size_t room) {
  size = LLVMFuzzerMutate(data, size, room);
  if (size <= LENGTH) return size;
  size_t end = size;
  while (end > LENGTH && data[end - 1] != '}')
    end--;
  mutate_put(data, end - LENGTH, LENGTH);
  return size;
}

/* The header alone, whose tensors stay behind it. */
static size_t mutate_header(uint8_t *data, size_t size, size_t room,
                            size_t header) {
  static uint8_t rest[ROOM];
  size_t tail = size - LENGTH - header;
  if (tail > sizeof rest || room < LENGTH + 1 + tail) return size;
  memcpy(rest, data + LENGTH + header, tail);
  header = LLVMFuzzerMutate(data + LENGTH, header, room - LENGTH - tail);
  mutate_put(data, header, LENGTH);
  memcpy(data + LENGTH + header, rest, tail);
  return LENGTH + header + tail;
}

/* The tensors alone, which keep their size, so that the header still fits. */
static size_t mutate_tensors(uint8_t *data, size_t size, size_t header) {
  size_t tail = size - LENGTH - header;
  if (tail > 0) LLVMFuzzerMutate(data + LENGTH + header, tail, tail);
  return size;
}

size_t mutate_safetensors(uint8_t *data, size_t size, size_t room,
                          unsigned seed) {
  uint64_t header = size > LENGTH ? mutate_get(data, LENGTH) : 0;
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, room);
  if (header == 0 || header > size - LENGTH || seed % 4 == 1)
    return mutate_any(data, size, room);
  if (seed % 4 == 2) return mutate_header(data, size, room, header);
  return mutate_tensors(data, size, header);
}
