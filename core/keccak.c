/* Keccak-f[1600] as FIPS 202 section 3 defines it, step by step: it runs a few
 * times per signature, so that plain text beats speed. libsodium has none. */
#include "keccak.h"

#include <endian.h>
#include <string.h>

#include <sodium.h>

enum { LANES = 25, ROUNDS = 24 };

static const uint64_t round_constants[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
    0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a,
    0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081,
    0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* rho and pi walk the lanes in one cycle that starts at lane 1: the n-th step
 * moves its lane to `lane_order[n]`, rotated by `rotations[n]`. */
static const uint8_t lane_order[LANES - 1] = {10, 7,  11, 17, 18, 3,  5,  16,
                                              8,  21, 24, 4,  15, 23, 19, 13,
                                              12, 2,  20, 14, 22, 9,  6,  1};
static const uint8_t rotations[LANES - 1] = {1,  3,  6,  10, 15, 21, 28, 36,
                                             45, 55, 2,  14, 27, 41, 56, 8,
                                             25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t rotate(uint64_t lane, unsigned count) {
  return lane << count | lane >> (64 - count);
}

static void theta(uint64_t a[LANES]) {
  uint64_t parity[5];
  for (int x = 0; x < 5; x++)
    parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  for (int x = 0; x < 5; x++) {
    uint64_t mix = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1);
    for (int y = 0; y < LANES; y += 5)
      a[y + x] ^= mix;
  }
}

static void rho_and_pi(uint64_t a[LANES]) {
  uint64_t carried = a[1];
  for (int n = 0; n < LANES - 1; n++) {
    uint64_t next = a[lane_order[n]];
    a[lane_order[n]] = rotate(carried, rotations[n]);
    carried = next;
  }
}

static void chi(uint64_t a[LANES]) {
  for (int y = 0; y < LANES; y += 5) {
    uint64_t row[5];
    memcpy(row, a + y, sizeof row);
    for (int x = 0; x < 5; x++)
      a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
  }
}

void keccak_f1600(uint8_t state[KECCAK_STATE]) {
  uint64_t a[LANES];
  memcpy(a, state, sizeof a);
  for (int i = 0; i < LANES; i++)
    a[i] = le64toh(a[i]);
  for (int round = 0; round < ROUNDS; round++) {
    theta(a);
    rho_and_pi(a);
    chi(a);
    a[0] ^= round_constants[round];
  }
  for (int i = 0; i < LANES; i++)
    a[i] = htole64(a[i]);
  memcpy(state, a, sizeof a);
  sodium_memzero(a, sizeof a); /* the state of a nonce may have passed here */
}
