/* schnorrkel on top of libsodium's ristretto255: s x B == R + k x A, where k is
 * drawn from a transcript of context, message, A and R.
 *
 *   signature: R (32 bytes, compressed) || s (32 bytes, little-endian, its top
 *              bit set to mark the scheme)
 */
#include "schnorrkel.h"

#include <string.h>

#include <sodium.h>

#include "merlin.h"

static const uint8_t MARKER = 0x80;

/* s < group order, the one form that may be signed or verified. */
static bool is_reduced(const uint8_t scalar[32]) {
  uint8_t wide[64] = {0}, reduced[32];
  memcpy(wide, scalar, 32);
  crypto_core_ristretto255_scalar_reduce(reduced, wide);
  bool same = sodium_memcmp(reduced, scalar, 32) == 0;
  sodium_memzero(wide, sizeof wide);
  sodium_memzero(reduced, sizeof reduced);
  return same;
}

/* x = clamped scalar / 8. The division only moves the bits that clamping left:
 * ristretto has no cofactor to clear. */
static void divide_by_cofactor(uint8_t scalar[32]) {
  for (int i = 0; i < 31; i++)
    scalar[i] = (uint8_t)(scalar[i] >> 3 | scalar[i + 1] << 5);
  scalar[31] >>= 3;
}

int schnorrkel_from_seed(struct schnorrkel_key *key, const uint8_t seed[32]) {
  uint8_t hash[64];
  crypto_hash_sha512(hash, seed, 32);
  hash[0] &= 248;
  hash[31] &= 63;
  hash[31] |= 64;
  divide_by_cofactor(hash);
  memcpy(key->scalar, hash, 32);
  memcpy(key->nonce, hash + 32, 32);
  sodium_memzero(hash, sizeof hash);
  return crypto_scalarmult_ristretto255_base(key->public_key, key->scalar);
}

int schnorrkel_from_private(struct schnorrkel_key *key,
                            const uint8_t bytes[64]) {
  if (!is_reduced(bytes)) return -1;
  memcpy(key->scalar, bytes, 32);
  memcpy(key->nonce, bytes + 32, 32);
  return crypto_scalarmult_ristretto255_base(key->public_key, key->scalar);
}

static void start(struct merlin *transcript, const void *message, size_t size,
                  const uint8_t public_key[32]) {
  merlin_start(transcript, "SigningContext");
  merlin_append(transcript, "", "substrate", strlen("substrate"));
  merlin_append(transcript, "sign-bytes", message, size);
  merlin_append(transcript, "proto-name", "Schnorr-sig", strlen("Schnorr-sig"));
  merlin_append(transcript, "sign:pk", public_key, 32);
}

/* k, reduced. */
static void challenge(struct merlin *transcript, const uint8_t point[32],
                      uint8_t out[32]) {
  uint8_t wide[64];
  merlin_append(transcript, "sign:R", point, 32);
  merlin_challenge(transcript, "sign:c", wide, sizeof wide);
  crypto_core_ristretto255_scalar_reduce(out, wide);
}

int schnorrkel_sign(const struct schnorrkel_key *key, const void *message,
                    size_t size, const uint8_t random[32],
                    uint8_t signature[SCHNORRKEL_SIGNATURE]) {
  struct merlin transcript;
  uint8_t wide[64], nonce[32], k[32], product[32];
  start(&transcript, message, size, key->public_key);
  merlin_witness(&transcript, "signing", key->nonce, random, wide, sizeof wide);
  crypto_core_ristretto255_scalar_reduce(nonce, wide);
  int result = crypto_scalarmult_ristretto255_base(signature, nonce);
  challenge(&transcript, signature, k);
  crypto_core_ristretto255_scalar_mul(product, k, key->scalar);
  crypto_core_ristretto255_scalar_add(signature + 32, product, nonce);
  signature[63] |= MARKER;
  sodium_memzero(wide, sizeof wide);
  sodium_memzero(nonce, sizeof nonce);
  sodium_memzero(product, sizeof product);
  return result;
}

/* R is never decompressed: the bytes computed are the only encoding of their
 * point, so that an R that is no point equals none of them. */
bool schnorrkel_verify(const uint8_t public_key[SCHNORRKEL_KEY],
                       const void *message, size_t size,
                       const uint8_t signature[SCHNORRKEL_SIGNATURE]) {
  struct merlin transcript;
  uint8_t s[32], k[32], left[32], right[32], point[32];
  memcpy(s, signature + 32, 32);
  if ((s[31] & MARKER) == 0) return false;
  s[31] &= (uint8_t)~MARKER;
  if (!is_reduced(s) || sodium_is_zero(signature, 32)) return false;
  if (sodium_is_zero(public_key, 32)) return false;
  if (crypto_core_ristretto255_is_valid_point(public_key) != 1) return false;
  start(&transcript, message, size, public_key);
  challenge(&transcript, signature, k);
  if (crypto_scalarmult_ristretto255_base(left, s) != 0) return false;
  if (crypto_scalarmult_ristretto255(right, k, public_key) != 0) return false;
  if (crypto_core_ristretto255_sub(point, left, right) != 0) return false;
  return sodium_memcmp(point, signature, 32) == 0;
}
