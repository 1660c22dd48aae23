/* Byte-pair encoding of one word; plain C under core.tokenizer. */
#ifndef BITTERN_TOKENIZER_BPE_H
#define BITTERN_TOKENIZER_BPE_H

#include "base.h"

/* Two neighbours that become one token; the lower rank goes first. */
struct merge {
  int32_t left, right;
  int32_t rank;
  int32_t token; /* what they become */
};

struct bpe {
  int32_t bytes[256];   /* the token of each byte, -1: none */
  struct merge *merges; /* open addressing; token -1 marks a free place */
  size_t places;        /* a power of two */
};

/* A growing list of tokens; all zero is empty. */
struct tokens {
  int32_t *ids;
  size_t count, room;
};

/* Room for `count` merges. False without memory. */
bool bpe_open(struct bpe *bpe, size_t count);

/* Adds a merge, unless its pair is there: the first one has the lower rank. */
void bpe_add(struct bpe *bpe, struct merge merge);

void bpe_close(struct bpe *bpe);

enum bpe_status { BPE_OK, BPE_NO_MEMORY, BPE_NO_TOKEN };

/* Appends the tokens of a word. A byte without a token is BPE_NO_TOKEN, its
 * place in *bad. */
enum bpe_status bpe_encode(const struct bpe *bpe, struct bytes word,
                           struct tokens *out, size_t *bad);

/* Appends one token. False without memory. */
bool tokens_add(struct tokens *tokens, int32_t id);

void tokens_free(struct tokens *tokens);

#endif
