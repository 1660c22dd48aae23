/* STROBE-128/1600 as far as Merlin needs it, and Merlin's framing on top. */
#include "merlin.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

/* Bytes of the state that operations touch; two more hold STROBE's padding. */
enum { RATE = 166 };

/* STROBE's flags, and the operations built of them. */
enum { I = 1, A = 2, C = 4, M = 16 };
enum { AD = A, META_AD = M | A, PRF = I | A | C, KEY = A | C };

static void run_f(struct merlin *t) {
  t->state[t->position] ^= t->begin;
  t->state[t->position + 1] ^= 0x04;
  t->state[RATE + 1] ^= 0x80;
  keccak_f1600(t->state);
  t->position = 0;
  t->begin = 0;
}

static void advance(struct merlin *t) {
  t->position++;
  if (t->position == RATE) run_f(t);
}

static void absorb(struct merlin *t, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    t->state[t->position] ^= bytes[i];
    advance(t);
  }
}

/* Replaces state instead of mixing into it, so that it cannot be run back. */
static void overwrite(struct merlin *t, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    t->state[t->position] = bytes[i];
    advance(t);
  }
}

static void squeeze(struct merlin *t, uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) {
    out[i] = t->state[t->position];
    t->state[t->position] = 0;
    advance(t);
  }
}

static void begin_operation(struct merlin *t, uint8_t flags) {
  uint8_t frame[2] = {t->begin, flags};
  t->begin = (uint8_t)(t->position + 1);
  absorb(t, frame, sizeof frame);
  if ((flags & C) != 0 && t->position != 0) run_f(t);
}

/* A label and a length are one operation of associated meta data. */
static void frame(struct merlin *t, const char *label, size_t size) {
  assert(size <= UINT32_MAX);
  uint8_t length[4] = {(uint8_t)size, (uint8_t)(size >> 8),
                       (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
  begin_operation(t, META_AD);
  absorb(t, label, strlen(label));
  absorb(t, length, sizeof length);
}

void merlin_start(struct merlin *t, const char *label) {
  static const uint8_t header[18] = {1,   RATE + 2, 1,   0,   1,   96,
                                     'S', 'T',      'R', 'O', 'B', 'E',
                                     'v', '1',      '.', '0', '.', '2'};
  *t = (struct merlin){0};
  memcpy(t->state, header, sizeof header);
  keccak_f1600(t->state);
  begin_operation(t, META_AD);
  absorb(t, "Merlin v1.0", strlen("Merlin v1.0"));
  merlin_append(t, "dom-sep", label, strlen(label));
}

void merlin_append(struct merlin *t, const char *label, const void *message,
                   size_t size) {
  frame(t, label, size);
  begin_operation(t, AD);
  absorb(t, message, size);
}

void merlin_challenge(struct merlin *t, const char *label, uint8_t *out,
                      size_t size) {
  frame(t, label, size);
  begin_operation(t, PRF);
  squeeze(t, out, size);
}

void merlin_witness(const struct merlin *transcript, const char *label,
                    const uint8_t secret[32], const uint8_t random[32],
                    uint8_t *out, size_t size) {
  struct merlin t = *transcript;
  frame(&t, label, 32);
  begin_operation(&t, KEY);
  overwrite(&t, secret, 32);
  begin_operation(&t, META_AD);
  absorb(&t, "rng", 3);
  begin_operation(&t, KEY);
  overwrite(&t, random, 32);
  frame(&t, "", size);
  begin_operation(&t, PRF);
  squeeze(&t, out, size);
  sodium_memzero(&t, sizeof t);
}
