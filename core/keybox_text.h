/* What a secret text is made of, found without copying it anywhere that is not
 * locked; plain C under core.keybox. */
#ifndef BITTERN_KEYBOX_TEXT_H
#define BITTERN_KEYBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of JSON text, bytes from..to-1. */
struct keybox_token {
  enum {
    KEYBOX_PLAIN,  /* punctuation, white space, a short number, a literal */
    KEYBOX_KEY,    /* a short string before a colon, with its quotes */
    KEYBOX_STRING, /* what stands between the quotes of any other string */
    KEYBOX_HIDDEN  /* what no JSON text has */
  } kind;
  size_t from, to;
};

/* Reads the token at `*at`, moves on; false at the end of the text. */
bool keybox_token(const uint8_t *text, size_t size, size_t *at,
                  struct keybox_token *out);

/* The characters of a JSON string's inside: as many bytes into `out`, of `size`
 * bytes, as it returns; -1 for an escape that is wrong or not ASCII. */
long keybox_unescape(const uint8_t *text, size_t size, uint8_t *out);

/* The runs of letters a-z, lower case, one blank between two: bytes written to
 * `out`, of `size` bytes. */
size_t keybox_words(const uint8_t *text, size_t size, uint8_t *out);

/* Whether the text is 2 x `count` hexadecimal digits, 0x before them and white
 * space around allowed; then `out` has their bytes. */
bool keybox_hex(const uint8_t *text, size_t size, uint8_t *out, size_t count);

#endif
