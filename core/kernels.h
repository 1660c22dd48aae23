/* The codecs, and the kernels that turn rows of weights into bytes and back.
 * No Lua here.
 *
 * kernels_scalar.c is the specification. Each other instruction set has a file
 * of its own whose results are the same to the last bit: codes and integer
 * sums because they are exact, float sums because their lanes are stated
 * (kernels_plain.h). */
#ifndef BITTERN_KERNELS_H
#define BITTERN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels_half.h"

enum codec_id {
  CODEC_F32,
  CODEC_F16,
  CODEC_BF16,
  CODEC_Q8_0,
  CODEC_Q4_0,
  CODEC_Q1_0,
  CODEC_Q2_0,
  CODEC_TQ1_0,
  CODEC_TQ2_0,
  CODEC_B1,
  CODEC_T5,
  CODEC_T2,
  CODEC_Q4,
  CODECS
};

/* The first ones are GGUF's: a row is blocks, each with a scale of its own.
 * The last four are ours: a row is codes, its scales lie apart, one for each
 * group of columns. */
struct codec {
  enum codec_id id;
  const char *name;
  int ggml;     /* type id in a GGUF file, -1 when it has none */
  size_t block; /* values of a block, 0 for ours */
  size_t bytes; /* bytes of a block, 0 for ours */
  double bits;  /* a weight; of ours without the scales */
  size_t group; /* columns to a scale; 0 when the caller chooses */
  size_t run;   /* columns that share a scale in any case; 0 for ours */
  bool fitted;  /* whether `fit` changes what it encodes to */
};

/* The table, in the order of enum codec_id. */
extern const struct codec codecs[CODECS];

/* The codec of that name, or NULL. */
const struct codec *codec_find(const char *name);

/* Bytes of a row's codes, or of its blocks; `cols` must be whole blocks. */
size_t codec_row_bytes(const struct codec *codec, size_t cols);

enum float_type { FLOAT_F32, FLOAT_F16, FLOAT_BF16 };

/* A row under a codec. */
struct row {
  const struct codec *codec;
  size_t cols;
  size_t group; /* of ours: columns that share a scale, > 0 */
};

/* Codes of a weight are as many as its bases, at most: their values add up. */
enum { BASES = 4 };

/* How scales are chosen. */
struct fit {
  bool reference; /* blocks: as the reference packers of GGUF do */
  bool mean_abs;  /* ours: the mean magnitude; otherwise least squares */
  int iterations; /* most rounds of an iterated fit */

  /* For `fit` alone; arrays of a number for each column. */
  size_t bases;
  bool offsets;            /* ternary with one base: a free middle level */
  const float *importance; /* of each squared error; NULL: all 1 */
  const float *columns;    /* factors of decoded values; NULL: all 1 */
  const float *inverses;   /* of the factors, 0 where those are 0 */
  const float *weights;    /* importance * factor^2; a group's not all 0 */
};

/* Where an encoded row of ours goes. */
struct parts {
  uint8_t *codes[BASES]; /* NULL when only the error is wanted */
  uint16_t *scales[BASES];
  uint16_t *offsets; /* when they are fitted */
};

/* A row of ours as it is stored; scales and offsets are f16 of any alignment,
 * one for each group. */
struct stored {
  size_t bases;
  const uint8_t *codes[BASES];
  const uint8_t *scales[BASES];
  const uint8_t *offsets; /* or NULL */
  const float *columns;   /* factor of each column, or NULL */
};

/* Where decoded values go. */
struct sink {
  enum float_type type;
  bool stream; /* past the caches, for outputs larger than they are */
  void *out;
};

/* Activations in eight bits: x = q * scale, arranged for one codec's kernels.
 * `sums` has the sum of q over every run of columns that share a weight scale
 * (row_run). */
struct activations {
  float scale;
  const int8_t *q;
  const int32_t *sums;
};

struct kernels {
  const char *name;
  void (*widen)(enum float_type type, const void *in, size_t n, float *out);
  void (*narrow)(enum float_type type, const float *in, size_t n, void *out);
  /* Index of the first value that is NaN or infinite, or n. */
  size_t (*not_finite)(const float *w, size_t n);
  /* Encodes a row. `scratch` holds cols bytes; `scales` is for ours, whose
   * codes may be NULL when only the error is wanted. Sets *error to the squared
   * error unless NULL. Returns cols, or a column of the
   * first group (or value) that 16 bits cannot hold or that is not finite:
   * not_finite tells which. */
  size_t (*encode)(const struct row *row, const struct fit *how, const float *w,
                   int8_t *scratch, uint8_t *codes, uint16_t *scales,
                   double *error);
  /* Encodes a row of ours in general. `scratch` holds fit_scratch bytes,
   * aligned for floats; finite weights are the caller's care. Sets *error to
   * the squared error of what `combine` makes of it, weighted by importance.
   * Returns cols, or the first column of a group that 16 bits cannot hold. */
  size_t (*fit)(const struct row *row, const struct fit *how, const float *w,
                void *scratch, const struct parts *out, double *error);
  /* A row's part in the sums over rows that factors of columns are quotients of
   * (kernels_columns.h). `x` has room for cols floats. Returns as `fit` does.
   */
  size_t (*sum_columns)(const struct row *row, const struct fit *how,
                        const float *w, float *x, float *products,
                        float *squares);
  /* Sum of w^2, times importance unless that is NULL. */
  double (*norm)(const float *w, const float *importance, size_t n);
  /* Decodes a row; `scales` are f16 of any alignment. Returns the column of the
   * first scale that is not finite, or cols. */
  size_t (*decode)(const struct row *row, const uint8_t *codes,
                   const uint8_t *scales, int8_t *scratch, struct sink sink);
  /* Decodes a row of several bases, with offsets and factors of columns, to
   * ((s1 c1 + s2 c2 + ...) + offset) * factor, each step rounded to float.
   * `scratch` holds combine_scratch bytes, aligned for floats. Returns as
   * decode does; the scale may be an offset. */
  size_t (*combine)(const struct row *row, const struct stored *in,
                    void *scratch, struct sink sink);
  /* Sum of a[i] * b[i], in the stated lanes. */
  float (*dot)(const float *a, const float *b, size_t n);
  /* Product of a packed row with activations; not for f32, f16 and bf16. */
  float (*dot_packed)(const struct row *row, const uint8_t *codes,
                      const uint8_t *scales, int8_t *scratch,
                      const struct activations *x);
};

/* Fills `weights` and `inverses` of a fit from its importance and its columns,
 * either of which may be NULL. Weights are relative to the largest of a group;
 * of a group where all are 0, they are 1. */
void fit_weights(const struct row *row, const float *importance,
                 const float *columns, float *weights, float *inverses);

/* Two rows of floats, and as many of codes as there are bases. */
static inline size_t fit_scratch(size_t cols) {
  return cols * (2 * sizeof(float) + BASES);
}

/* Two rows of floats and one of codes. */
static inline size_t combine_scratch(size_t cols) {
  return cols * (2 * sizeof(float) + 1);
}

/* Columns that share a scale. */
size_t row_run(const struct row *row);

/* How many columns of a byte are laid out in planes (codecs.c); 1 is none. */
size_t row_planes(const struct row *row);

/* Bytes that activations of `row` need: cols, padded. */
size_t activations_size(const struct row *row);

/* Fills the activations of a row's codec: q = round(x * 127 / max|x|), half to
 * even. `q` holds activations_size bytes, `sums` one number for each run. */
float activations_fill(const struct row *row, const float *x, int8_t *q,
                       int32_t *sums);

/* ---- instruction sets (kernels.c) ---- */

extern const struct kernels kernels_scalar, kernels_avx2, kernels_avx512,
    kernels_neon;

/* The `index`th of those this processor can use, slowest first, or NULL. */
const struct kernels *kernels_available(size_t index);

/* What BITTERN_ISA names, else the fastest; NULL when it names none of them. */
const struct kernels *kernels_chosen(void);

#endif
