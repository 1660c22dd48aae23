/* BIP39 mnemonics, English, and Substrate's way from one to a mini secret. */
#ifndef BITTERN_BIP39_H
#define BITTERN_BIP39_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BIP39_ENTROPY = 32, BIP39_TEXT = 24 * 9, BIP39_PASSWORD = 256 };
enum { BIP39_COUNT = -1, BIP39_WORD = -2, BIP39_CHECKSUM = -3 };

/* A mnemonic's entropy. */
struct bip39 {
  uint8_t entropy[BIP39_ENTROPY];
  size_t size; /* 16, 20, 24, 28 or 32 bytes: 12 to 24 words */
  size_t at;   /* on BIP39_WORD which word, on BIP39_COUNT how many there are */
};

/* Reads words in any case, set apart by any white space. 0, or what is wrong.
 */
int bip39_read(struct bip39 *out, const char *text, size_t size);

/* Whether the text is one word of the list, in any case. */
bool bip39_is_word(const char *text, size_t size);

/* The words of `size` bytes of entropy, with a closing zero; their length. */
size_t bip39_write(const struct bip39 *mnemonic, char out[BIP39_TEXT]);

/* The mini secret: PBKDF2-HMAC-SHA512 of the entropy bytes, 2048 rounds, salt
 * "mnemonic" || password. `size` is at most BIP39_PASSWORD. 0 or -1. */
int bip39_seed(const struct bip39 *mnemonic, const char *password, size_t size,
               uint8_t seed[32]);

#endif
