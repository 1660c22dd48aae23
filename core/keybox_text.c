/* Tokens, escapes, words and digits of secret texts. */
#include "keybox_text.h"

#include <string.h>

enum { LONGEST_KEY = 64, LONGEST_NUMBER = 24 };

static bool is_space(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_mark(uint8_t c) {
  return is_space(c) || memchr("{}[],:", c, 6) != NULL;
}

/* The place of the closing quote of the string that opens at `at`, or `size`
 * when it has none. Control characters, which JSON does not allow, end it. */
static size_t find_quote(const uint8_t *text, size_t size, size_t at) {
  for (at++; at < size && text[at] >= 0x20; at++) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') at++;
  }
  return size;
}

static bool before_colon(const uint8_t *text, size_t size, size_t at) {
  while (at < size && is_space(text[at]))
    at++;
  return at < size && text[at] == ':';
}

static void read_string(const uint8_t *text, size_t size, size_t *at,
                        struct keybox_token *out) {
  size_t from = *at, end = find_quote(text, size, from);
  bool is_key = end < size && end - from <= LONGEST_KEY &&
                before_colon(text, size, end + 1);
  *at = end < size ? end + 1 : size;
  if (is_key)
    *out = (struct keybox_token){KEYBOX_KEY, from, end + 1};
  else
    *out = (struct keybox_token){end < size ? KEYBOX_STRING : KEYBOX_HIDDEN,
                                 from + 1, end};
}

static bool is_literal(const uint8_t *text, size_t size) {
  if (size == 4) return !memcmp(text, "true", 4) || !memcmp(text, "null", 4);
  if (size == 5 && memcmp(text, "false", 5) == 0) return true;
  bool number = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
  return number && size <= LONGEST_NUMBER;
}

bool keybox_token(const uint8_t *text, size_t size, size_t *at,
                  struct keybox_token *out) {
  size_t from = *at, to = from;
  if (from >= size) return false;
  if (text[from] == '"') {
    read_string(text, size, at, out);
    return true;
  }
  bool marks = is_mark(text[from]);
  while (to < size && text[to] != '"' && is_mark(text[to]) == marks)
    to++;
  bool plain = marks || is_literal(text + from, to - from);
  *out = (struct keybox_token){plain ? KEYBOX_PLAIN : KEYBOX_HIDDEN, from, to};
  *at = to;
  return true;
}

static int digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* The character of "u00XX" below 0x80, or -1. */
static int unicode(const uint8_t *text, size_t size) {
  if (size < 5 || text[1] != '0' || text[2] != '0') return -1;
  int high = digit(text[3]), low = digit(text[4]);
  return high < 0 || high > 7 || low < 0 ? -1 : high * 16 + low;
}

/* The character of an escape, what follows the backslash, or -1. */
static int escape(const uint8_t *text, size_t size) {
  static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  if (size == 0) return -1;
  if (text[0] == 'u') return unicode(text, size);
  const char *name = memchr(names, text[0], sizeof names - 1);
  return name == NULL ? -1 : meant[name - names];
}

long keybox_unescape(const uint8_t *text, size_t size, uint8_t *out) {
  size_t length = 0;
  for (size_t at = 0; at < size; at++) {
    int c = text[at];
    if (c == '\\') {
      c = escape(text + at + 1, size - at - 1);
      if (c < 0) return -1;
      at += text[at + 1] == 'u' ? 5 : 1;
    }
    out[length++] = (uint8_t)c;
  }
  return (long)length;
}

size_t keybox_words(const uint8_t *text, size_t size, uint8_t *out) {
  size_t length = 0;
  for (size_t at = 0; at < size; at++) {
    uint8_t c = text[at] | 0x20;
    bool letter = c >= 'a' && c <= 'z';
    if (letter) out[length++] = c;
    /* A blank takes the place of a byte that is no letter. */
    if (!letter && length > 0 && out[length - 1] != ' ') out[length++] = ' ';
  }
  return length > 0 && out[length - 1] == ' ' ? length - 1 : length;
}

bool keybox_hex(const uint8_t *text, size_t size, uint8_t *out, size_t count) {
  while (size > 0 && is_space(text[size - 1]))
    size--;
  for (; size > 0 && is_space(*text); size--)
    text++;
  if (size == 2 * count + 2 && text[0] == '0' && text[1] == 'x') {
    text += 2;
    size -= 2;
  }
  if (size != 2 * count) return false;
  for (size_t i = 0; i < count; i++) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}
