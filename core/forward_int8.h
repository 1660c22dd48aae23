/* Products of packed rows with activations in eight bits: what forward_int8.c
 * (activations and outputs), forward_int8_rows.c (rows as bytes),
 * forward_int8_tile.c and forward_int8_kernels.c (their products) share. */
#ifndef BITTERN_FORWARD_INT8_H
#define BITTERN_FORWARD_INT8_H

#include "forward.h"

enum {
  SPAN = 32,      /* rows are padded with zeros to multiples of this */
  TILE = 24,      /* rows that are unpacked at once */
  BAND = 32,      /* tokens that are multiplied at once, unless they are few */
  BAND_ROWS = 12, /* by so many rows; a divisor of TILE */
  FEW = 16,       /* tokens, at most, that are multiplied one by one */
  TOKEN_ROWS = 8, /* by so many rows; a divisor of TILE */
};

/* Rows as bytes u >= 0; a weight is (u - bias) * scale of its segment. */
struct int8_tile {
  uint8_t *u;      /* [TILE, cols] */
  float *scales;   /* [segments, TILE] */
  size_t cols;     /* a multiple of SPAN */
  size_t segment;  /* columns of one, a multiple of SPAN; the last has fewer */
  size_t segments; /* of a row */
  int bias;
};

/* Rows of the same kind, at most a tile, that lie one after the other. */
struct int8_batch {
  const struct rows *rows;
  size_t count;
  size_t places[TILE];  /* among those that are stored */
  size_t outputs[TILE]; /* where their products go */
};

/* Where products go. */
struct int8_target {
  float *y;
  size_t stride;
  bool add; /* to what is there, from the second base on */
};

/* Exact products of a segment of `columns` columns, a multiple of SPAN; rows of
 * codes lie `stride` apart. */
typedef void int8_kernel(const uint8_t *u, size_t stride, const int8_t *q,
                         size_t columns, int32_t *totals);

/* Codes of one, two or four bits, the first one lowest, as a byte each; bits as
 * 0 and 2, so that signs have the bias of trits. */
typedef void int8_unpacker(const uint8_t *in, size_t n, uint8_t *out);

struct int8_kernels {
  int8_kernel *band;  /* q of a band: totals[BAND_ROWS, BAND] */
  int8_kernel *token; /* q of a token: totals[TOKEN_ROWS] */
  int8_unpacker *bits, *pairs, *nibbles;
  /* As `token`, of rows that are still packed, `stride` bytes apart; columns
   * are a multiple of 64. NULL where unpacking first is as good. */
  int8_kernel *packed_bits, *packed_pairs, *packed_nibbles;
};

/* The ones that go with these. */
const struct int8_kernels *int8_kernels_of(const struct kernels *kernels);

/* How rows are cut: columns that share both scales, at most SEGMENT; 0 where
 * groups are no multiples of SPAN. How many of them a row has; its columns with
 * their padding. */
size_t int8_segment(const struct rows *rows);
size_t int8_segments(const struct rows *rows);
size_t int8_padded(size_t cols);

/* Describes the tile of a batch and lays the scales of one base into it. */
void int8_scales(const struct int8_batch *batch, size_t base,
                 struct int8_tile *tile);

/* Lays the codes there; the batch's first row fills what is left. */
void int8_unpack(const struct int8_kernels *kernels,
                 const struct int8_batch *batch, size_t base,
                 struct int8_tile *tile);

/* The offsets of a row, one for each segment. */
void int8_offsets(const struct rows *rows, size_t place, float *offsets);

/* Tokens whose activations lie interleaved, of so many: BAND or 1. In a band
 * they lie as q[cols / 4, tokens, 4], scales[segments, tokens] and
 * sums[segments, tokens]. */
size_t int8_band(size_t tokens);

/* The batch times all tokens. */
void int8_multiply(const struct worker *w, const struct int8_batch *batch,
                   const struct eights *x, struct int8_target to);

#endif
