/* SS58 on libsodium's BLAKE2b, with base58 of exactly 35 bytes. */
#include "ss58.h"

#include <string.h>

#include <sodium.h>

enum { RAW = 35, KEY = 32, SUM = 2 };

static const char alphabet[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static void checksum(const uint8_t raw[RAW], uint8_t out[SUM]) {
  crypto_generichash_blake2b_state state;
  uint8_t hash[64];
  crypto_generichash_blake2b_init(&state, NULL, 0, sizeof hash);
  crypto_generichash_blake2b_update(&state, (const uint8_t *)"SS58PRE", 7);
  crypto_generichash_blake2b_update(&state, raw, 1 + KEY);
  crypto_generichash_blake2b_final(&state, hash, sizeof hash);
  memcpy(out, hash, SUM);
}

/* Divides the big-endian number by 58 in place; returns the remainder. */
static unsigned divide(uint8_t number[RAW]) {
  unsigned rest = 0;
  for (int i = 0; i < RAW; i++) {
    unsigned value = rest << 8 | number[i];
    number[i] = (uint8_t)(value / 58);
    rest = value % 58;
  }
  return rest;
}

void ss58_encode(const uint8_t public_key[KEY], char out[SS58_TEXT]) {
  uint8_t raw[RAW] = {SS58_PREFIX};
  char reversed[SS58_TEXT];
  int length = 0;
  memcpy(raw + 1, public_key, KEY);
  checksum(raw, raw + 1 + KEY);
  /* The first byte is not zero, so no leading zeros need their own letter. */
  while (!sodium_is_zero(raw, RAW))
    reversed[length++] = alphabet[divide(raw)];
  for (int i = 0; i < length; i++)
    out[i] = reversed[length - 1 - i];
  out[length] = '\0';
}

/* number = number x 58 + digit; -1 when it outgrows its bytes. */
static int multiply_add(uint8_t number[RAW], unsigned digit) {
  unsigned carry = digit;
  for (int i = RAW - 1; i >= 0; i--) {
    unsigned value = number[i] * 58u + carry;
    number[i] = (uint8_t)value;
    carry = value >> 8;
  }
  return carry == 0 ? 0 : -1;
}

int ss58_decode(const char *text, size_t size, uint8_t public_key[KEY]) {
  uint8_t raw[RAW] = {0}, sum[SUM];
  if (size == 0 || size >= SS58_TEXT) return SS58_LENGTH;
  for (size_t i = 0; i < size; i++) {
    const char *at = memchr(alphabet, text[i], sizeof alphabet - 1);
    if (at == NULL) return SS58_LETTER;
    if (multiply_add(raw, (unsigned)(at - alphabet)) != 0) return SS58_LENGTH;
  }
  /* A leading 1 stands for a leading zero byte: prefix 0 is Polkadot's. */
  if (raw[0] == 0) return text[0] == '1' ? SS58_NETWORK : SS58_LENGTH;
  if (text[0] == '1') return SS58_LENGTH;
  if (raw[0] != SS58_PREFIX) return SS58_NETWORK;
  checksum(raw, sum);
  if (memcmp(sum, raw + 1 + KEY, SUM) != 0) return SS58_SUM;
  memcpy(public_key, raw + 1, KEY);
  return 0;
}
