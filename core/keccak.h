/* Keccak-f[1600], the permutation under STROBE and SHA-3. */
#ifndef BITTERN_KECCAK_H
#define BITTERN_KECCAK_H

#include <stdint.h>

enum { KECCAK_STATE = 200 };

/* Permutes the state in place: 25 lanes of 64 bits, little-endian, lane x + 5y
 * at byte 8(x + 5y). */
void keccak_f1600(uint8_t state[KECCAK_STATE]);

#endif
