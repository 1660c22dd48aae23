/* What encoding does to single weights, in plain C. */
#ifndef BITTERN_KERNELS_ENCODE_PLAIN_H
#define BITTERN_KERNELS_ENCODE_PLAIN_H

#include "kernels_plain.h"

/* Sum of |w| of 128 weights from the first to the last in float, as the
 * reference packer makes it. */
APART float sequential_sum(const float *w) {
  float sum = 0;
  for (size_t j = 0; j < 128; j++)
    sum += fabsf(w[j]);
  return sum;
}

/* Codes nearest to w among -1, 0, 1 times twice the threshold. */
MAYBE void plain_ternary_codes(const float *w, size_t n, float threshold,
                               int8_t *codes) {
  for (size_t i = 0; i < n; i++)
    codes[i] = (int8_t)((w[i] > threshold) - (w[i] < -threshold));
}

/* Adding 1.5 * 2^23 leaves no fraction bits: rounds to nearest even. */
INLINE float round_small(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

INLINE float q4_code_of(float w, float inverse) {
  float x = w * inverse;
  x = x > Q4_MAX ? Q4_MAX : x;
  x = x < -Q4_MAX ? -Q4_MAX : x;
  return round_small(x);
}

/* `inverse` is 1 / scale. */
MAYBE void plain_q4_codes(const float *w, size_t n, float inverse,
                          int8_t *codes) {
  for (size_t i = 0; i < n; i++)
    codes[i] = (int8_t)q4_code_of(w[i], inverse);
}

/* Sum of (w - code * scale)^2 with those codes. */
APART double plain_q4_error(const float *w, size_t n, float inverse,
                            float scale) {
  SUM_IN_LANES(n, square(w[at] - q4_code_of(w[at], inverse) * scale));
}

enum { Q4_GROUP = 128, Q4_GRID = 128 * Q4_MAX };

/* |w| in steps of 1 / factor; 0 past the last one. */
MAYBE void plain_q4_grid(const float *w, size_t n, float factor,
                         int16_t grid[Q4_GROUP]) {
  memset(grid, 0, Q4_GROUP * sizeof *grid);
  for (size_t i = 0; i < n; i++)
    grid[i] = (int16_t)(fabsf(w[i]) * factor + 0.5f);
}

/* Scales that are tried for a group: largest weight / 7 * 256 / multiplier. The
 * first clips nothing, the others clip the largest weights and resolve the rest
 * better. On Gaussian groups their best, refined by least squares, has an error
 * 0.3 % above that of eight scales 5 % apart. */
enum { Q4_TRIES = 4 };
static const int16_t q4_multipliers[Q4_TRIES] = {256, 280, 298, 320};

/* For each try, with codes q = u * multiplier / 2^15, rounded and at most 7:
 * the sums of u * q, then those of q * q. */
APART void plain_q4_sums(const int16_t grid[Q4_GROUP],
                         int32_t sums[2 * Q4_TRIES]) {
  for (size_t t = 0; t < Q4_TRIES; t++) {
    int32_t product = 0, squares = 0;
    for (size_t i = 0; i < Q4_GROUP; i++) {
      int16_t q = (int16_t)(((grid[i] * q4_multipliers[t] >> 14) + 1) >> 1);
      q = q < Q4_MAX ? q : Q4_MAX;
      product += grid[i] * q;
      squares += q * q;
    }
    sums[t] = product;
    sums[Q4_TRIES + t] = squares;
  }
}

/* Rounds half away from zero, as roundf does, for |x| < 2^22: what is added is
 * the float below 0.5, so that only halves and more reach the next integer. */
INLINE int round_away(float x) {
  return (int)(x + copysignf(0x1.fffffep-2f, x));
}

MAYBE void plain_round_codes(const float *w, size_t n, float inverse,
                             int8_t *codes) {
  for (size_t j = 0; j < n; j++)
    codes[j] = (int8_t)round_away(w[j] * inverse);
}

/* Of a d that is the weight of largest magnitude / -8. */
MAYBE void plain_q4_0_codes(const float *w, float inverse, int8_t *codes) {
  for (size_t j = 0; j < 32; j++) {
    int code = (int)(w[j] * inverse + 8.5f);
    codes[j] = (int8_t)((code < 15 ? code : 15) - 8);
  }
}

MAYBE double plain_signs_error(const float *w, size_t n, uint8_t *codes,
                               float scale) {
  plain_signs(w, 0, n, codes);
  return plain_sign_error(w, n, scale);
}

/* The first of 32 weights of largest magnitude. */
MAYBE float plain_first_largest(const float *w) {
  float largest = plain_largest(w, 32);
  size_t j = 0;
  if (!isfinite(largest)) return largest;
  while (fabsf(w[j]) != largest)
    j++;
  return w[j];
}

#endif
