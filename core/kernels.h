/* The plain C kernels of every codec: the specification that faster kernels
 * must match bit for bit. No Lua here.
 *
 * A compressed row is codes (small signed integers) times f16 scales, one for
 * each group of columns. Encoding fits each group, then packs the row's codes;
 * decoding unpacks the row, then multiplies. */
#ifndef BITTERN_KERNELS_H
#define BITTERN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* 16-bit floats, rounded to nearest even; NaN stays NaN, large goes to inf. */
float f16_to_f32(uint16_t half);
uint16_t f32_to_f16(float value);
float bf16_to_f32(uint16_t half);
uint16_t f32_to_bf16(float value);

/* The same for `n` values; the 16-bit side need not be aligned. */
void f16_widen(const uint8_t *in, size_t n, float *out);
void bf16_widen(const uint8_t *in, size_t n, float *out);
void f16_narrow(const float *in, size_t n, uint16_t *out);
void bf16_narrow(const float *in, size_t n, uint16_t *out);

/* How a group's scale is chosen. */
struct fit {
  int mean_abs;   /* 1: the mean magnitude; 0: least squares */
  int iterations; /* most rounds of the ternary least-squares fit */
};

struct codec {
  const char *name;
  double bits;  /* of codes, a weight */
  size_t group; /* columns to a scale; 0 when the caller chooses */
  size_t (*row_bytes)(size_t cols);
  /* Fills the codes of `n` > 0 finite weights and returns their f16 scale. The
   * codes are nearest under the rounded scale. An infinite scale says that the
   * weights are too large for f16. */
  uint16_t (*fit)(const float *w, size_t n, const struct fit *how,
                  int8_t *codes);
  void (*pack)(const int8_t *codes, size_t cols, uint8_t *row);
  void (*unpack)(const uint8_t *row, size_t cols, int8_t *codes);
};

/* The table of codecs, ended by a NULL name. */
extern const struct codec codecs[];

/* The codec of that name, or NULL. */
const struct codec *codec_find(const char *name);

/* Index of the first value that is NaN or infinite, or n. */
size_t first_not_finite(const float *w, size_t n);

/* Sum of (w - code * scale)^2 in eight lanes (see kernels_scalar.c). */
double squared_error(const float *w, const int8_t *codes, size_t n,
                     float scale);

/* out = code * scale. */
void scale_codes(const int8_t *codes, size_t n, float scale, float *out);

#endif
