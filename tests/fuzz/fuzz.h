/* What the fuzz targets share: one Lua state with the readers of readers.lua,
 * whose lines count as coverage. */
#ifndef BITTERN_FUZZ_H
#define BITTERN_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives the bytes to a reader, by its name in readers.lua. Ends the process
 * when the reader raises. Returns 0, as libFuzzer wants. */
int fuzz_read(const char *reader, const uint8_t *data, size_t size);

/* libFuzzer's own mutation. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* Defined by each target; the second is optional in libFuzzer, not here. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room,
                               unsigned seed);

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Little-endian fields. */
uint32_t fuzz_get32(const uint8_t *at);
void fuzz_put(uint8_t *at, uint64_t value, int bytes);

#endif
