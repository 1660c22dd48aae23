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

INLINE float q4_code_of(float w, float scale) {
  float x = w / scale;
  x = x > Q4_MAX ? Q4_MAX : x;
  x = x < -Q4_MAX ? -Q4_MAX : x;
  return round_small(x);
}

MAYBE void q4_codes(const float *w, size_t n, float scale, int8_t *codes) {
  for (size_t i = 0; i < n; i++)
    codes[i] = (int8_t)q4_code_of(w[i], scale);
}

/* Sum of (w - code * scale)^2 with the codes nearest under the scale. */
APART double plain_q4_error(const float *w, size_t n, float scale) {
  SUM_IN_LANES(n, square(w[at] - q4_code_of(w[at], scale) * scale));
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
