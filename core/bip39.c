/* BIP39: 11 bits of entropy and checksum a word.
 *
 *   bits:  entropy (32 n bits) || first n bits of SHA-256(entropy),  n = 4..8
 *   words: 3 n, each naming the next 11 bits, most significant first
 *
 * Substrate derives from the entropy bytes, not from the sentence. */
#include "bip39.h"

#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "bip39_words.h"

enum { WORD_BITS = 11, MAX_WORDS = 24, ROUNDS = 2048 };

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The number of a word that ends in a zero, or -1. */
static int find_word(const char *word) {
  int low = 0, high = BIP39_WORDS - 1;
  while (low <= high) {
    int middle = (low + high) / 2;
    int order = strcmp(word, bip39_words[middle]);
    if (order == 0) return middle;
    if (order < 0)
      high = middle - 1;
    else
      low = middle + 1;
  }
  return -1;
}

/* Copies the next word, lower case; an overlong one is cut to a length that no
 * word has; a zero byte does not end it. Returns how far `text` was read, 0
 * when there is no word left. */
static size_t next_word(const char *text, size_t size, char out[16]) {
  size_t at = 0, length = 0;
  memset(out, 0, 16);
  while (at < size && is_space(text[at]))
    at++;
  for (; at < size && !is_space(text[at]); at++)
    if (length < 15) out[length++] = text[at] == '\0' ? '?' : lower(text[at]);
  return length == 0 ? 0 : at;
}

bool bip39_is_word(const char *text, size_t size) {
  char word[16];
  bool found = next_word(text, size, word) == size && find_word(word) >= 0;
  sodium_memzero(word, sizeof word);
  return found;
}

static void put_bits(uint8_t *bits, size_t word, unsigned number) {
  for (size_t i = 0; i < WORD_BITS; i++) {
    size_t bit = word * WORD_BITS + i;
    if (number >> (WORD_BITS - 1 - i) & 1)
      bits[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
  }
}

static unsigned get_bits(const uint8_t *bits, size_t word) {
  unsigned number = 0;
  for (size_t bit = word * WORD_BITS; bit < (word + 1) * WORD_BITS; bit++)
    number = number << 1 | ((unsigned)bits[bit / 8] >> (7 - bit % 8) & 1);
  return number;
}

/* Bits of all words into `bits`; fills `count`. 0, or what is wrong. */
static int read_words(const char *text, size_t size, uint8_t bits[33],
                      size_t *count, size_t *unknown) {
  char word[16];
  size_t words = 0, step;
  *unknown = 0;
  for (; (step = next_word(text, size, word)) > 0; words++) {
    int number = find_word(word);
    if (number < 0 && *unknown == 0) *unknown = words + 1;
    if (number >= 0 && words < MAX_WORDS)
      put_bits(bits, words, (unsigned)number);
    text += step;
    size -= step;
  }
  sodium_memzero(word, sizeof word);
  *count = words;
  if (words < 12 || words > MAX_WORDS || words % 3 != 0) return BIP39_COUNT;
  return *unknown == 0 ? 0 : BIP39_WORD;
}

/* The checksum bits of the entropy, at the top of the byte. */
static uint8_t checksum(const uint8_t *entropy, size_t size) {
  uint8_t hash[32];
  crypto_hash_sha256(hash, entropy, size);
  uint8_t mask = (uint8_t)(0xff << (8 - size / 4));
  uint8_t bits = hash[0] & mask;
  sodium_memzero(hash, sizeof hash);
  return bits;
}

int bip39_read(struct bip39 *out, const char *text, size_t size) {
  uint8_t bits[33] = {0};
  size_t count, unknown;
  *out = (struct bip39){0};
  int result = read_words(text, size, bits, &count, &unknown);
  out->at = result == BIP39_WORD ? unknown : count;
  if (result == 0) {
    out->size = count / 3 * 4;
    memcpy(out->entropy, bits, out->size);
    if (bits[out->size] != checksum(bits, out->size)) result = BIP39_CHECKSUM;
  }
  if (result != 0) sodium_memzero(out->entropy, sizeof out->entropy);
  sodium_memzero(bits, sizeof bits);
  return result;
}

size_t bip39_write(const struct bip39 *mnemonic, char out[BIP39_TEXT]) {
  uint8_t bits[33] = {0};
  size_t at = 0, count = mnemonic->size / 4 * 3;
  memcpy(bits, mnemonic->entropy, mnemonic->size);
  bits[mnemonic->size] = checksum(bits, mnemonic->size);
  for (size_t i = 0; i < count; i++) {
    const char *word = bip39_words[get_bits(bits, i)];
    size_t length = strlen(word);
    if (i > 0) out[at++] = ' ';
    memcpy(out + at, word, length);
    at += length;
  }
  out[at] = '\0';
  sodium_memzero(bits, sizeof bits);
  return at;
}

int bip39_seed(const struct bip39 *mnemonic, const char *password, size_t size,
               uint8_t seed[32]) {
  uint8_t salt[8 + BIP39_PASSWORD], out[64];
  if (size > BIP39_PASSWORD) return -1;
  memcpy(salt, "mnemonic", 8);
  if (size > 0) memcpy(salt + 8, password, size);
  int done = PKCS5_PBKDF2_HMAC((const char *)mnemonic->entropy,
                               (int)mnemonic->size, salt, (int)(8 + size),
                               ROUNDS, EVP_sha512(), sizeof out, out);
  memcpy(seed, out, 32);
  sodium_memzero(salt, sizeof salt);
  sodium_memzero(out, sizeof out);
  return done == 1 ? 0 : -1;
}
