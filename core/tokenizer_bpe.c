/* The merges of a word in order of rank, the leftmost of equal ones first, by a
 * heap of candidates: n log n, so that a word of a million bytes is no trap.
 *
 * Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with
 * Subword Units (2016), on bytes as GPT-2 does it. */
#include "tokenizer_bpe.h"

#include <stdlib.h>

/* ---- the table of merges ---- */

static size_t place_of(const struct bpe *bpe, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  key *= 0x9E3779B97F4A7C15u;
  return (size_t)(key >> 20) & (bpe->places - 1);
}

bool bpe_open(struct bpe *bpe, size_t count) {
  size_t places = 16;
  while (places / 2 < count)
    places *= 2;
  bpe->merges = malloc(places * sizeof *bpe->merges);
  if (bpe->merges == NULL) return false;
  bpe->places = places;
  for (size_t i = 0; i < places; i++)
    bpe->merges[i].token = -1;
  return true;
}

/* The merge of a pair, or the free place where it would be. */
static struct merge *find(const struct bpe *bpe, int32_t left, int32_t right) {
  size_t at = place_of(bpe, left, right);
  for (;; at = (at + 1) & (bpe->places - 1)) {
    struct merge *merge = &bpe->merges[at];
    if (merge->token < 0 || (merge->left == left && merge->right == right))
      return merge;
  }
}

void bpe_add(struct bpe *bpe, struct merge merge) {
  struct merge *place = find(bpe, merge.left, merge.right);
  if (place->token < 0) *place = merge;
}

void bpe_close(struct bpe *bpe) {
  free(bpe->merges);
  bpe->merges = NULL;
}

bool tokens_add(struct tokens *tokens, int32_t id) {
  if (tokens->count == tokens->room) {
    size_t room = tokens->room > 0 ? 2 * tokens->room : 256;
    int32_t *ids = realloc(tokens->ids, room * sizeof *ids);
    if (ids == NULL) return false;
    tokens->ids = ids;
    tokens->room = room;
  }
  tokens->ids[tokens->count++] = id;
  return true;
}

void tokens_free(struct tokens *tokens) {
  free(tokens->ids);
  *tokens = (struct tokens){0};
}

/* ---- one word ---- */

/* Symbols in a list by index; a merged one has the id -1. */
struct symbol {
  int32_t id;
  size_t before, after; /* SIZE_MAX at the ends */
};

struct candidate {
  int32_t rank;
  size_t at; /* index of the left symbol */
  int32_t left, right, token;
};

struct heap {
  struct candidate *items;
  size_t count;
};

static bool is_before(const struct candidate *a, const struct candidate *b) {
  return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(struct heap *heap, struct candidate item) {
  size_t at = heap->count++;
  for (; at > 0 && is_before(&item, &heap->items[(at - 1) / 2]);
       at = (at - 1) / 2)
    heap->items[at] = heap->items[(at - 1) / 2];
  heap->items[at] = item;
}

static struct candidate pop(struct heap *heap) {
  struct candidate first = heap->items[0];
  struct candidate last = heap->items[--heap->count];
  size_t at = 0;
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap->count) break;
    if (child + 1 < heap->count &&
        is_before(&heap->items[child + 1], &heap->items[child]))
      child++;
    if (!is_before(&heap->items[child], &last)) break;
    heap->items[at] = heap->items[child];
    at = child;
  }
  heap->items[at] = last;
  return first;
}

/* A candidate for the symbol at `at` and the one after it, if they merge. */
static void consider(const struct bpe *bpe, const struct symbol *symbols,
                     size_t at, struct heap *heap) {
  if (at == SIZE_MAX || symbols[at].after == SIZE_MAX) return;
  int32_t left = symbols[at].id, right = symbols[symbols[at].after].id;
  const struct merge *merge = find(bpe, left, right);
  if (merge->token >= 0)
    push(heap, (struct candidate){merge->rank, at, left, right, merge->token});
}

/* Applies a candidate, unless one of its symbols has changed since. */
static void apply(const struct bpe *bpe, struct symbol *symbols,
                  struct candidate item, struct heap *heap) {
  struct symbol *left = &symbols[item.at];
  if (left->id != item.left || left->after == SIZE_MAX) return;
  struct symbol *right = &symbols[left->after];
  if (right->id != item.right) return;
  left->id = item.token;
  right->id = -1;
  left->after = right->after;
  if (left->after != SIZE_MAX) symbols[left->after].before = item.at;
  consider(bpe, symbols, left->before, heap);
  consider(bpe, symbols, item.at, heap);
}

static enum bpe_status encode(const struct bpe *bpe, size_t n,
                              struct symbol *symbols, struct heap *heap,
                              struct tokens *out) {
  for (size_t i = 0; i + 1 < n; i++)
    consider(bpe, symbols, i, heap);
  while (heap->count > 0)
    apply(bpe, symbols, pop(heap), heap);
  for (size_t i = 0; i != SIZE_MAX; i = symbols[i].after)
    if (!tokens_add(out, symbols[i].id)) return BPE_NO_MEMORY;
  return BPE_OK;
}

enum { SMALL = 64 };

enum bpe_status bpe_encode(const struct bpe *bpe, struct bytes word,
                           struct tokens *out, size_t *bad) {
  struct symbol few[SMALL], *symbols = few;
  /* Each merge adds at most two candidates to those there at first. */
  struct candidate fewer[3 * SMALL];
  struct heap heap = {fewer, 0};
  size_t n = word.size;
  enum bpe_status status = BPE_NO_MEMORY;
  if (n == 0) return BPE_OK;
  if (n > SIZE_MAX / 256) return BPE_NO_MEMORY;
  if (n > SMALL) {
    symbols = malloc(n * sizeof *symbols);
    heap.items = malloc(3 * n * sizeof *heap.items);
    if (symbols == NULL || heap.items == NULL) goto out;
  }
  for (size_t i = 0; i < n; i++) {
    symbols[i] =
        (struct symbol){bpe->bytes[word.data[i]], i > 0 ? i - 1 : SIZE_MAX,
                        i + 1 < n ? i + 1 : SIZE_MAX};
    *bad = i;
    status = BPE_NO_TOKEN;
    if (symbols[i].id < 0) goto out;
  }
  status = encode(bpe, n, symbols, &heap, out);
out:
  if (symbols != few) {
    free(symbols);
    free(heap.items);
  }
  return status;
}
