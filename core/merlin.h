/* Merlin transcripts over STROBE-128: what a schnorrkel signature commits to.
 */
#ifndef BITTERN_MERLIN_H
#define BITTERN_MERLIN_H

#include <stddef.h>
#include <stdint.h>

#include "keccak.h"

/* A plain value: copying the struct clones the transcript. */
struct merlin {
  uint8_t state[KECCAK_STATE];
  uint8_t position; /* next byte of the state, below the rate of 166 */
  uint8_t begin;    /* 1 + where the current operation began, 0 at the start */
};

/* A new transcript with its application's label. */
void merlin_start(struct merlin *transcript, const char *label);

/* Adds a message. `size` is below 2^32: it is absorbed as four bytes. */
void merlin_append(struct merlin *transcript, const char *label,
                   const void *message, size_t size);

/* Draws `size` bytes that depend on everything added so far. */
void merlin_challenge(struct merlin *transcript, const char *label,
                      uint8_t *out, size_t size);

/* Draws `size` secret bytes from the transcript, a secret and fresh randomness,
 * so that neither a broken generator nor a repeated message repeats them. The
 * transcript itself stays as it was. */
void merlin_witness(const struct merlin *transcript, const char *label,
                    const uint8_t secret[32], const uint8_t random[32],
                    uint8_t *out, size_t size);

#endif
