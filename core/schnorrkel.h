/* schnorrkel keys and signatures over ristretto255, as Substrate uses them
 * (contract.md 2.5). Callers have run sodium_init. */
#ifndef BITTERN_SCHNORRKEL_H
#define BITTERN_SCHNORRKEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCHNORRKEL_KEY = 32, SCHNORRKEL_SIGNATURE = 64 };

struct schnorrkel_key {
  uint8_t scalar[32];     /* reduced, not zero; secret */
  uint8_t nonce[32];      /* mixed into every signature's nonce; secret */
  uint8_t public_key[32]; /* scalar x base point, compressed */
};

/* The key of a 32-byte mini secret (ExpandEd25519). 0 or -1. */
int schnorrkel_from_seed(struct schnorrkel_key *key, const uint8_t seed[32]);

/* The key of a keyfile's private key: scalar || nonce. -1 when the scalar is
 * zero or not reduced. */
int schnorrkel_from_private(struct schnorrkel_key *key,
                            const uint8_t bytes[64]);

/* Signs in the context "substrate". `random` is fresh for each call; `size` is
 * below 2^32. 0 or -1. */
int schnorrkel_sign(const struct schnorrkel_key *key, const void *message,
                    size_t size, const uint8_t random[32],
                    uint8_t signature[SCHNORRKEL_SIGNATURE]);

/* Whether the signature is valid. False too for one without the marker bit or
 * with an unreduced s, and for a public key that is no point or is zero. */
bool schnorrkel_verify(const uint8_t public_key[SCHNORRKEL_KEY],
                       const void *message, size_t size,
                       const uint8_t signature[SCHNORRKEL_SIGNATURE]);

#endif
