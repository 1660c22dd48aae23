/* SS58 addresses of prefix 42: base58(42 || key || first two bytes of
 * BLAKE2b-512("SS58PRE" || 42 || key)). */
#ifndef BITTERN_SS58_H
#define BITTERN_SS58_H

#include <stddef.h>
#include <stdint.h>

enum { SS58_PREFIX = 42, SS58_TEXT = 50 };
enum { SS58_LENGTH = -1, SS58_LETTER = -2, SS58_NETWORK = -3, SS58_SUM = -4 };

/* The address of a public key, with a closing zero. */
void ss58_encode(const uint8_t public_key[32], char out[SS58_TEXT]);

/* The public key of an address: 0, or what is wrong with the text. */
int ss58_decode(const char *text, size_t size, uint8_t public_key[32]);

#endif
