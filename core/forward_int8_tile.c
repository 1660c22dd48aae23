/* Tiles of rows times activations: exact integer sums of each segment, times
 * the product of both scales, added up over the segments. So the kernels of all
 * instruction sets give the same results. */
#include <string.h>

#include "forward_int8.h"
#include "forward_wide.h"

enum { FEWEST = 2 }; /* tokens, at most, for which rows stay packed */

/* Some rows of a tile times a band of tokens, or times one token. */
struct block {
  const struct int8_tile *tile;
  const struct eights *x;
  int8_kernel *kernel;
  const uint8_t *codes; /* of the tile's first row: bytes, or still packed */
  size_t stride, bits;
  size_t row, rows;
  size_t token, tokens;
};

/* Adds a segment's products, which are below 2^24, to those before. */
KERNEL static void add_segment(const struct block *b, size_t s,
                               const int32_t *totals, float *sums) {
  size_t tokens = b->tokens, at = b->token * b->tile->segments + s * tokens;
  const float *weights = b->tile->scales + s * TILE + b->row;
  const float *scales = b->x->scales + at;
  const int32_t *q_sums = b->x->sums + at;
  int bias = b->tile->bias;
  for (size_t r = 0; r < b->rows; r++)
    for (size_t t = 0; t < tokens; t++)
      sums[r * tokens + t] +=
          (float)(totals[r * tokens + t] - bias * q_sums[t]) *
          (weights[r] * scales[t]);
}

/* The same of one token. */
KERNEL static void add_token(const struct block *b, size_t s,
                             const int32_t *totals, float *sums) {
  size_t at = b->token * b->tile->segments + s;
  const float *weights = b->tile->scales + s * TILE + b->row;
  float scale = b->x->scales[at];
  int32_t shift = b->tile->bias * b->x->sums[at];
  for (size_t r = 0; r < TOKEN_ROWS; r++)
    sums[r] += (float)(totals[r] - shift) * (weights[r] * scale);
}

/* Rows side by side are no order that processors foresee: asks for a segment's
 * part of the rows that come four blocks later. */
static void ask_ahead(const struct block *b, size_t s) {
  size_t all = b->rows * b->stride, part = all / b->tile->segments;
  const uint8_t *from = b->codes + b->row * b->stride + 4 * all + s * part;
  for (size_t i = 0; i < part; i += 64)
    __builtin_prefetch(from + i, 0, 2);
}

static void multiply(const struct block *b, float *sums) {
  const struct int8_tile *tile = b->tile;
  const uint8_t *codes = b->codes + b->row * b->stride;
  const int8_t *q = b->x->q + b->token * tile->cols;
  _Alignas(64) int32_t totals[BAND_ROWS * BAND];
  memset(sums, 0, b->rows * b->tokens * sizeof *sums);
  for (size_t s = 0, i = 0; s < tile->segments; s++, i += tile->segment) {
    size_t left = tile->cols - i;
    if (b->bits < 8) ask_ahead(b, s);
    b->kernel(codes + i * b->bits / 8, b->stride, q + i * b->tokens,
              left < tile->segment ? left : tile->segment, totals);
    if (b->tokens == 1)
      add_token(b, s, totals, sums);
    else
      add_segment(b, s, totals, sums);
  }
}

/* Sums of a block where they belong: `count` tokens of them are wanted. */
static void put(const struct block *b, const struct int8_batch *batch,
                size_t count, const float *sums, const struct int8_target *to) {
  for (size_t t = 0; t < count; t++) {
    float *y = to->y + (b->token + t) * to->stride;
    for (size_t r = 0; r < b->rows && b->row + r < batch->count; r++) {
      float *at = y + batch->outputs[b->row + r], sum = sums[r * b->tokens + t];
      *at = to->add ? *at + sum : sum;
    }
  }
}

static void multiply_bands(struct block b, const struct int8_batch *batch,
                           size_t tokens, const struct int8_target *to) {
  _Alignas(64) float sums[BAND_ROWS * BAND];
  b.rows = BAND_ROWS, b.tokens = BAND;
  for (b.token = 0; b.token < tokens; b.token += BAND) {
    size_t left = tokens - b.token;
    for (b.row = 0; b.row < batch->count; b.row += BAND_ROWS) {
      multiply(&b, sums);
      put(&b, batch, left < BAND ? left : BAND, sums, to);
    }
  }
}

static void multiply_tokens(struct block b, const struct int8_batch *batch,
                            size_t tokens, const struct int8_target *to) {
  float sums[TOKEN_ROWS];
  b.rows = TOKEN_ROWS, b.tokens = 1;
  for (b.row = 0; b.row < batch->count; b.row += TOKEN_ROWS)
    for (b.token = 0; b.token < tokens; b.token++) {
      multiply(&b, sums);
      put(&b, batch, 1, sums, to);
    }
}

/* Makes the block read rows where they are stored, when that pays. */
static bool stay_packed(const struct int8_kernels *k,
                        const struct int8_batch *batch, size_t base,
                        size_t tokens, struct block *b) {
  const struct rows *rows = batch->rows;
  const struct int8_tile *tile = b->tile;
  enum codec_id id = rows->row.codec->id;
  if (tokens > FEWEST || batch->count % TOKEN_ROWS != 0 ||
      rows->row.cols % 64 != 0 || tile->segment % 64 != 0)
    return false;
  b->kernel = NULL;
  if (id == CODEC_B1) b->kernel = k->packed_bits, b->bits = 1;
  if (id == CODEC_T2) b->kernel = k->packed_pairs, b->bits = 2;
  if (id == CODEC_Q4) b->kernel = k->packed_nibbles, b->bits = 4;
  b->codes = rows->in.codes[base] + batch->places[0] * rows->row_bytes;
  b->stride = rows->row_bytes;
  return b->kernel != NULL;
}

/* One base of the batch times all tokens. */
static void multiply_base(const struct worker *w,
                          const struct int8_batch *batch, size_t base,
                          struct int8_tile *tile, const struct eights *x,
                          const struct int8_target *to) {
  const struct int8_kernels *kernels = int8_kernels_of(w->kernels);
  struct block b = {.tile = tile, .x = x};
  bool few = int8_band(w->s->n) == 1;
  int8_scales(batch, base, tile);
  if (!stay_packed(kernels, batch, base, w->s->n, &b)) {
    int8_unpack(kernels, batch, base, tile);
    b.kernel = few ? kernels->token : kernels->band;
    b.codes = tile->u, b.stride = tile->cols, b.bits = 8;
  }
  if (few)
    multiply_tokens(b, batch, w->s->n, to);
  else
    multiply_bands(b, batch, w->s->n, to);
}

/* y += offset * sum of x, over the segments. */
static void add_offsets(const struct worker *w, const struct int8_batch *batch,
                        float *offsets, const struct eights *x,
                        const struct int8_target *to) {
  size_t segments = int8_segments(batch->rows), band = int8_band(w->s->n);
  for (size_t r = 0; r < batch->count; r++) {
    int8_offsets(batch->rows, batch->places[r], offsets);
    for (size_t t = 0; t < w->s->n; t++) {
      size_t at = t / band * band * segments + t % band;
      float sum = 0;
      for (size_t s = 0; s < segments; s++, at += band)
        sum += offsets[s] * (x->scales[at] * (float)x->sums[at]);
      to->y[t * to->stride + batch->outputs[r]] += sum;
    }
  }
}

void int8_multiply(const struct worker *w, const struct int8_batch *batch,
                   const struct eights *x, struct int8_target to) {
  struct int8_tile tile = {.u = (uint8_t *)w->own.tile};
  tile.scales = w->own.tile + TILE * int8_padded(batch->rows->row.cols) / 4;
  for (size_t b = 0; b < batch->rows->in.bases; b++) {
    to.add = b > 0;
    multiply_base(w, batch, b, &tile, x, &to);
  }
  if (batch->rows->in.offsets) add_offsets(w, batch, tile.scales, x, &to);
}
