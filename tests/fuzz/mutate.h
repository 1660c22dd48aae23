/* Mutators that keep the lengths and checksums of a format right, which chance
 * never hits; fuzz.c has the table of them. */
#ifndef BITTERN_FUZZ_MUTATE_H
#define BITTERN_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's own mutation. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* Each changes `size` bytes in place, which may become up to `room`. Returns
 * the new size. */
size_t mutate_archive(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t mutate_gguf(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t mutate_safetensors(uint8_t *data, size_t size, size_t room,
                          unsigned seed);
size_t mutate_zip(uint8_t *data, size_t size, size_t room, unsigned seed);

/* Little-endian fields. */
uint64_t mutate_get(const uint8_t *at, int bytes);
void mutate_put(uint8_t *at, uint64_t value, int bytes);

#endif
