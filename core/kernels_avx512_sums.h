/* Sums, codes and signs of weights with AVX-512. One vector of floats is the
 * sixteen lanes of kernels_plain.h. Nothing is fused. */
#ifndef BITTERN_KERNELS_AVX512_SUMS_H
#define BITTERN_KERNELS_AVX512_SUMS_H

#include "kernels_avx2_sums.h"

/* See add_chunk and meet. */
INLINE void add_sixteen(__m512d sum[2], __m512 v) {
  sum[0] = _mm512_add_pd(sum[0], _mm512_cvtps_pd(_mm512_castps512_ps256(v)));
  sum[1] = _mm512_add_pd(sum[1], _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)));
}

INLINE double meet_sixteen(const __m512d sum[2]) {
  __m512d x = _mm512_add_pd(sum[0], sum[1]);
  __m256d y =
      _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));
  __m128d z =
      _mm_add_pd(_mm256_castpd256_pd128(y), _mm256_extractf128_pd(y, 1));
  return _mm_cvtsd_f64(_mm_add_sd(z, _mm_unpackhi_pd(z, z)));
}

/* SUM_IN_LANES with sixteen elements at `at`; the last vector of a row is
 * masked, which adds 0 to the lanes that have no element. `sixteen` must be 0
 * where `w` is and `present` is not set. */
#define SUM_IN_SIXTEENS(n, sixteen)                                            \
  __m512d sum[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};                 \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    __m512 part = _mm512_setzero_ps();                                         \
    size_t at = start, end = chunk_end(start, n);                              \
    __mmask16 present = 0xffff;                                                \
    for (; at + LANES <= end; at += LANES)                                     \
      part = _mm512_add_ps(part, (sixteen));                                   \
    present = (__mmask16)((1u << (end - at)) - 1);                             \
    if (at < end) part = _mm512_mask_add_ps(part, present, part, (sixteen));   \
    add_sixteen(sum, part);                                                    \
  }                                                                            \
  return meet_sixteen(sum)

INLINE __m512 some_of(const float *w, __mmask16 present) {
  return _mm512_maskz_loadu_ps(present, w);
}

INLINE __m512 some_codes(const int8_t *codes, __mmask16 present) {
  __m128i bytes = _mm_maskz_loadu_epi8(present, codes);
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

INLINE __m512 square_16(__m512 v) { return _mm512_mul_ps(v, v); }

INLINE double wide_magnitudes(const float *w, size_t n) {
  SUM_IN_SIXTEENS(n, _mm512_abs_ps(some_of(w + at, present)));
}

INLINE __m512 above_16(__m512 v, __m512 limit, size_t *count) {
  __m512 x = _mm512_abs_ps(v);
  __mmask16 is = _mm512_cmp_ps_mask(x, limit, _CMP_GT_OQ);
  *count += (size_t)_mm_popcnt_u32(is);
  return _mm512_maskz_mov_ps(is, x);
}

/* A threshold is 0 or more: what is not there is not above it. */
static double wide_above(const float *w, size_t n, float threshold,
                         size_t *count) {
  const __m512 limit = _mm512_set1_ps(threshold);
  *count = 0;
  SUM_IN_SIXTEENS(n, above_16(some_of(w + at, present), limit, count));
}

static double wide_error(const float *w, const int8_t *codes, size_t n,
                         float scale) {
  const __m512 factor = _mm512_set1_ps(scale);
  SUM_IN_SIXTEENS(n,
                  square_16(_mm512_sub_ps(
                      some_of(w + at, present),
                      _mm512_mul_ps(some_codes(codes + at, present), factor))));
}

static double wide_sign_error(const float *w, size_t n, float scale) {
  const __m512 level = _mm512_set1_ps(scale);
  SUM_IN_SIXTEENS(n, square_16(_mm512_sub_ps(
                         _mm512_abs_ps(some_of(w + at, present)), level)));
}

/* Bits past the last column are 0. */
INLINE __m512 signs_error_16(const float *w, uint8_t *codes, __m512 level,
                             __mmask16 present) {
  __m512 v = some_of(w, present);
  __mmask16 is =
      _mm512_mask_cmp_ps_mask(present, v, _mm512_setzero_ps(), _CMP_GE_OQ);
  if (present > 0xff)
    put_half(codes, is);
  else
    *codes = (uint8_t)is;
  return square_16(_mm512_sub_ps(_mm512_abs_ps(v), level));
}

INLINE double wide_signs_error(const float *w, size_t n, uint8_t *codes,
                               float scale) {
  const __m512 level = _mm512_set1_ps(scale);
  SUM_IN_SIXTEENS(n, signs_error_16(w + at, codes + at / 8, level, present));
}

/* See q4_code_of. */
INLINE __m512 q4_code_16(__m512 w, __m512 inverse) {
  const __m512 shift = _mm512_set1_ps(0x1.8p23f);
  __m512 x = _mm512_mul_ps(w, inverse);
  x = _mm512_min_ps(x, _mm512_set1_ps(Q4_MAX));
  x = _mm512_max_ps(x, _mm512_set1_ps(-Q4_MAX));
  return _mm512_sub_ps(_mm512_add_ps(x, shift), shift);
}

/* Squared errors of sixteen, whose codes are put unless NULL. */
INLINE __m512 q4_error_16(__m512 w, __m512 inverse, __m512 scale, int8_t *codes,
                          __mmask16 present) {
  __m512 x = q4_code_16(w, inverse);
  if (codes)
    _mm512_mask_cvtepi32_storeu_epi8(codes, present, _mm512_cvtps_epi32(x));
  return square_16(_mm512_sub_ps(w, _mm512_mul_ps(x, scale)));
}

static double wide_q4_error(const float *w, size_t n, float inverse,
                            float scale) {
  const __m512 by = _mm512_set1_ps(inverse), factor = _mm512_set1_ps(scale);
  SUM_IN_SIXTEENS(
      n, q4_error_16(some_of(w + at, present), by, factor, NULL, present));
}

static double wide_q4_both(const float *w, size_t n, float inverse, float scale,
                           int8_t *codes) {
  const __m512 by = _mm512_set1_ps(inverse), factor = _mm512_set1_ps(scale);
  SUM_IN_SIXTEENS(n, q4_error_16(some_of(w + at, present), by, factor,
                                 codes + at, present));
}

/* See q4_sums: VNNI adds the products of pairs in passing. */
INLINE void wide_q4_sums(const int16_t grid[Q4_GROUP],
                         int32_t sums[2 * Q4_TRIES]) {
  const __m512i most = _mm512_set1_epi16(Q4_MAX);
  __m512i v[2 * Q4_TRIES];
  __m256i half[2 * Q4_TRIES];
  for (size_t t = 0; t < 2 * Q4_TRIES; t++)
    v[t] = _mm512_setzero_si512();
  for (size_t i = 0; i < Q4_GROUP; i += 32) {
    __m512i u = _mm512_loadu_si512(grid + i);
    for (size_t t = 0; t < Q4_TRIES; t++) {
      __m512i factor = _mm512_set1_epi16(q4_multipliers[t]);
      __m512i q = _mm512_min_epi16(_mm512_mulhrs_epi16(u, factor), most);
      v[t] = _mm512_dpwssd_epi32(v[t], u, q);
      v[Q4_TRIES + t] = _mm512_dpwssd_epi32(v[Q4_TRIES + t], q, q);
    }
  }
  for (size_t t = 0; t < 2 * Q4_TRIES; t++)
    half[t] = _mm256_add_epi32(_mm512_castsi512_si256(v[t]),
                               _mm512_extracti64x4_epi64(v[t], 1));
  store(sums, sums_of_8(half), false);
}

static float wide_dot(const float *a, const float *b, size_t n) {
  __m512 sum = _mm512_setzero_ps();
  float lane[LANES];
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    sum = _mm512_add_ps(
        sum, _mm512_mul_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
  _mm512_storeu_ps(lane, sum);
  return rest_of_dot(a, b, i, n, lane);
}

INLINE void wide_ternary_codes(const float *w, size_t n, float threshold,
                               int8_t *codes) {
  const __m512 high = _mm512_set1_ps(threshold);
  const __m512 low = _mm512_set1_ps(-threshold);
  for (size_t i = 0; i < n; i += 16) {
    size_t left = n - i;
    __mmask16 present = left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff;
    __m512 v = some_of(w + i, present);
    __m128i up =
        _mm_maskz_set1_epi8(_mm512_cmp_ps_mask(v, high, _CMP_GT_OQ), 1);
    __m128i code =
        _mm_mask_set1_epi8(up, _mm512_cmp_ps_mask(v, low, _CMP_LT_OQ), -1);
    _mm_mask_storeu_epi8(codes + i, present, code);
  }
}

#endif
