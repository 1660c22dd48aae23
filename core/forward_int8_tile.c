/* Tiles of rows times activations: exact integer sums of each segment, times
 * the product of both scales, added up over the segments. So the kernels of all
 * instruction sets give the same results. */
#include <string.h>

#include "forward_int8.h"
#include "forward_wide.h"

/* Some rows of a tile times a band of tokens, or times one token. */
struct block {
  const struct int8_tile *tile;
  const struct eights *x;
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

static void multiply(const struct block *b, int8_kernel *kernel, float *sums) {
  const struct int8_tile *tile = b->tile;
  const uint8_t *u = tile->u + b->row * tile->cols;
  const int8_t *q = b->x->q + b->token * tile->cols;
  _Alignas(64) int32_t totals[BAND_ROWS * BAND];
  memset(sums, 0, b->rows * b->tokens * sizeof *sums);
  for (size_t s = 0, i = 0; s < tile->segments; s++, i += tile->segment) {
    size_t left = tile->cols - i;
    kernel(u + i, tile->cols, q + i * b->tokens,
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

static void multiply_bands(const struct worker *w,
                           const struct int8_batch *batch,
                           const struct int8_tile *tile, const struct eights *x,
                           const struct int8_target *to) {
  struct block b = {tile, x, 0, BAND_ROWS, 0, BAND};
  _Alignas(64) float sums[BAND_ROWS * BAND];
  for (; b.token < w->s->n; b.token += BAND) {
    size_t left = w->s->n - b.token;
    for (b.row = 0; b.row < batch->count; b.row += BAND_ROWS) {
      multiply(&b, int8_kernels_of(w->kernels)->band, sums);
      put(&b, batch, left < BAND ? left : BAND, sums, to);
    }
  }
}

static void multiply_tokens(const struct worker *w,
                            const struct int8_batch *batch,
                            const struct int8_tile *tile,
                            const struct eights *x,
                            const struct int8_target *to) {
  struct block b = {tile, x, 0, TOKEN_ROWS, 0, 1};
  float sums[TOKEN_ROWS];
  for (; b.row < batch->count; b.row += TOKEN_ROWS)
    for (b.token = 0; b.token < w->s->n; b.token++) {
      multiply(&b, int8_kernels_of(w->kernels)->token, sums);
      put(&b, batch, 1, sums, to);
    }
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
    int8_unpack(int8_kernels_of(w->kernels), batch, b, &tile);
    to.add = b > 0;
    if (int8_band(w->s->n) == 1)
      multiply_tokens(w, batch, &tile, x, &to);
    else
      multiply_bands(w, batch, &tile, x, &to);
  }
  if (batch->rows->in.offsets) add_offsets(w, batch, tile.scales, x, &to);
}
