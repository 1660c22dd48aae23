/* Sums, codes and signs of weights with AVX2. Two vectors of eight floats are
 * the sixteen lanes of kernels_plain.h in order. Nothing is fused. */
#ifndef BITTERN_KERNELS_AVX2_SUMS_H
#define BITTERN_KERNELS_AVX2_SUMS_H

#include "kernels_avx2_decode.h"
#include "kernels_encode_plain.h"

INLINE __m256 magnitude(__m256 v) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

INLINE __m256 square_8(__m256 v) { return _mm256_mul_ps(v, v); }

INLINE __m256 code_floats(const int8_t *codes) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(codes)));
}

struct lanes {
  __m256d of[4];
};

/* See add_chunk and meet. */
INLINE void add_halves(struct lanes *sum, const __m256 half[2]) {
  for (size_t h = 0; h < 2; h++) {
    __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(half[h]));
    __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(half[h], 1));
    sum->of[2 * h] = _mm256_add_pd(sum->of[2 * h], low);
    sum->of[2 * h + 1] = _mm256_add_pd(sum->of[2 * h + 1], high);
  }
}

INLINE double meet_lanes(const struct lanes *sum) {
  __m256d x = _mm256_add_pd(_mm256_add_pd(sum->of[0], sum->of[2]),
                            _mm256_add_pd(sum->of[1], sum->of[3]));
  __m128d y =
      _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_add_sd(y, _mm_unpackhi_pd(y, y)));
}

/* SUM_IN_LANES with eight elements at `at` for the vectors, one for what is
 * left of a chunk. */
#define SUM_IN_EIGHTS(n, eight, term)                                          \
  struct lanes sum = {{_mm256_setzero_pd(), _mm256_setzero_pd(),               \
                       _mm256_setzero_pd(), _mm256_setzero_pd()}};             \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    __m256 half[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};               \
    size_t i = start, end = chunk_end(start, n);                               \
    for (; i + LANES <= end; i += LANES) {                                     \
      size_t at = i;                                                           \
      half[0] = _mm256_add_ps(half[0], (eight));                               \
      at = i + 8;                                                              \
      half[1] = _mm256_add_ps(half[1], (eight));                               \
    }                                                                          \
    if (i < end) {                                                             \
      float part[LANES];                                                       \
      _mm256_storeu_ps(part, half[0]);                                         \
      _mm256_storeu_ps(part + 8, half[1]);                                     \
      for (size_t at = i; at < end; at++)                                      \
        part[at % LANES] += (term);                                            \
      half[0] = _mm256_loadu_ps(part);                                         \
      half[1] = _mm256_loadu_ps(part + 8);                                     \
    }                                                                          \
    add_halves(&sum, half);                                                    \
  }                                                                            \
  return meet_lanes(&sum)

INLINE double magnitudes(const float *w, size_t n) {
  SUM_IN_EIGHTS(n, magnitude(_mm256_loadu_ps(w + at)), fabsf(w[at]));
}

INLINE int32_t sum_32(__m256i v);

/* Counts in passing: vectors of -1 where the weight is above. */
INLINE __m256 above_8(const float *w, __m256 limit, __m256i *minus) {
  __m256 v = magnitude(_mm256_loadu_ps(w));
  __m256 is = _mm256_cmp_ps(v, limit, _CMP_GT_OQ);
  *minus = _mm256_add_epi32(*minus, _mm256_castps_si256(is));
  return _mm256_and_ps(v, is);
}

INLINE float above_1(float w, float limit, size_t *count) {
  *count += fabsf(w) > limit;
  return fabsf(w) > limit ? fabsf(w) : 0;
}

/* At most 2^30 weights, so that the counts fit. */
MAYBE double above_some(const float *w, size_t n, __m256 limit, float threshold,
                        __m256i *minus, size_t *count) {
  SUM_IN_EIGHTS(n, above_8(w + at, limit, minus),
                above_1(w[at], threshold, count));
}

MAYBE double above(const float *w, size_t n, float threshold, size_t *count) {
  __m256i minus = _mm256_setzero_si256();
  *count = 0;
  double sum =
      above_some(w, n, _mm256_set1_ps(threshold), threshold, &minus, count);
  *count += (size_t)-sum_32(minus);
  return sum;
}

INLINE __m256 error_8(const float *w, const int8_t *codes, float scale) {
  __m256 v = _mm256_mul_ps(code_floats(codes), _mm256_set1_ps(scale));
  return square_8(_mm256_sub_ps(_mm256_loadu_ps(w), v));
}

MAYBE double code_error(const float *w, const int8_t *codes, size_t n,
                        float scale) {
  SUM_IN_EIGHTS(n, error_8(w + at, codes + at, scale),
                square(w[at] - (float)codes[at] * scale));
}

INLINE __m256 sign_error_8(const float *w, float scale) {
  __m256 v = magnitude(_mm256_loadu_ps(w));
  return square_8(_mm256_sub_ps(v, _mm256_set1_ps(scale)));
}

MAYBE double sign_error(const float *w, size_t n, float scale) {
  SUM_IN_EIGHTS(n, sign_error_8(w + at, scale), square(fabsf(w[at]) - scale));
}

/* See q4_code_of. */
INLINE __m256 q4_code_8(__m256 w, float inverse) {
  const __m256 shift = _mm256_set1_ps(0x1.8p23f);
  __m256 x = _mm256_mul_ps(w, _mm256_set1_ps(inverse));
  x = _mm256_min_ps(x, _mm256_set1_ps(Q4_MAX));
  x = _mm256_max_ps(x, _mm256_set1_ps(-Q4_MAX));
  return _mm256_sub_ps(_mm256_add_ps(x, shift), shift);
}

INLINE __m256 q4_error_8(const float *w, float inverse, float scale) {
  __m256 v = _mm256_loadu_ps(w);
  __m256 level = _mm256_mul_ps(q4_code_8(v, inverse), _mm256_set1_ps(scale));
  return square_8(_mm256_sub_ps(v, level));
}

MAYBE double q4_error(const float *w, size_t n, float inverse, float scale) {
  SUM_IN_EIGHTS(n, q4_error_8(w + at, inverse, scale),
                square(w[at] - q4_code_of(w[at], inverse) * scale));
}

/* The sums of each of eight vectors of eight integers. */
INLINE __m256i sums_of_8(const __m256i v[8]) {
  __m256i ab = _mm256_hadd_epi32(v[0], v[1]);
  __m256i cd = _mm256_hadd_epi32(v[2], v[3]);
  __m256i ef = _mm256_hadd_epi32(v[4], v[5]);
  __m256i gh = _mm256_hadd_epi32(v[6], v[7]);
  __m256i low = _mm256_hadd_epi32(ab, cd), high = _mm256_hadd_epi32(ef, gh);
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                          _mm256_permute2x128_si256(low, high, 0x31));
}

INLINE void q4_sums(const int16_t grid[Q4_GROUP], int32_t sums[2 * Q4_TRIES]) {
  const __m256i most = _mm256_set1_epi16(Q4_MAX);
  __m256i v[2 * Q4_TRIES];
  for (size_t t = 0; t < 2 * Q4_TRIES; t++)
    v[t] = _mm256_setzero_si256();
  for (size_t i = 0; i < Q4_GROUP; i += 16) {
    __m256i u = load(grid + i);
    for (size_t t = 0; t < Q4_TRIES; t++) {
      __m256i factor = _mm256_set1_epi16(q4_multipliers[t]);
      __m256i q = _mm256_min_epi16(_mm256_mulhrs_epi16(u, factor), most);
      v[t] = _mm256_add_epi32(v[t], _mm256_madd_epi16(u, q));
      v[Q4_TRIES + t] =
          _mm256_add_epi32(v[Q4_TRIES + t], _mm256_madd_epi16(q, q));
    }
  }
  store(sums, sums_of_8(v), false);
}

/* Bits without their sign order as magnitudes do. */
INLINE __m256i rest_8(const float *w) {
  return _mm256_castps_si256(magnitude(_mm256_loadu_ps(w)));
}

INLINE uint32_t largest_of_8(__m256i v) {
  __m128i x =
      _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  x = _mm_max_epu32(x, _mm_shuffle_epi32(x, 0x4e));
  x = _mm_max_epu32(x, _mm_shuffle_epi32(x, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32(x);
}

INLINE float largest(const float *w, size_t n) {
  __m256i a = _mm256_setzero_si256(), b = a;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    a = _mm256_max_epu32(a, rest_8(w + i));
    b = _mm256_max_epu32(b, rest_8(w + i + 8));
  }
  uint32_t most = largest_of_8(_mm256_max_epu32(a, b));
  for (; i < n; i++) {
    uint32_t rest = float_bits(w[i]) & 0x7fffffffu;
    most = rest > most ? rest : most;
  }
  return float_of(most);
}

MAYBE size_t not_finite(const float *w, size_t n) {
  return isfinite(largest(w, n)) ? n : plain_not_finite(w, n);
}

INLINE float first_largest(const float *w) {
  const float value = largest(w, 32);
  const __m256 most = _mm256_set1_ps(value);
  unsigned found = 0;
  for (size_t i = 0; i < 32; i += 8) {
    __m256 v = magnitude(_mm256_loadu_ps(w + i));
    __m256 is = _mm256_cmp_ps(v, most, _CMP_EQ_OQ);
    found |= (unsigned)_mm256_movemask_ps(is) << i;
  }
  return found == 0 ? value : w[__builtin_ctz(found)]; /* 0 for NaN */
}

/* Thirty-two integers, in four vectors, as bytes in order. */
INLINE __m256i to_bytes(const __m256i v[4]) {
  __m256i low = _mm256_packs_epi32(v[0], v[1]);
  __m256i high = _mm256_packs_epi32(v[2], v[3]);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

INLINE __m256i round_away_8(__m256 x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 half =
      _mm256_or_ps(_mm256_and_ps(x, sign), _mm256_set1_ps(0x1.fffffep-2f));
  return _mm256_cvttps_epi32(_mm256_add_ps(x, half));
}

/* `n` is a multiple of 32. */
INLINE void round_codes(const float *w, size_t n, float inverse,
                        int8_t *codes) {
  const __m256 factor = _mm256_set1_ps(inverse);
  for (size_t i = 0; i < n; i += 32) {
    __m256i v[4];
    for (size_t k = 0; k < 4; k++)
      v[k] =
          round_away_8(_mm256_mul_ps(_mm256_loadu_ps(w + i + 8 * k), factor));
    store(codes + i, to_bytes(v), false);
  }
}

/* See plain_q4_0_codes. */
INLINE void q4_0_codes_32(const float *w, float inverse, int8_t *codes) {
  const __m256 factor = _mm256_set1_ps(inverse), half = _mm256_set1_ps(8.5f);
  __m256i v[4];
  for (size_t k = 0; k < 4; k++) {
    __m256 x = _mm256_mul_ps(_mm256_loadu_ps(w + 8 * k), factor);
    __m256i code = _mm256_cvttps_epi32(_mm256_add_ps(x, half));
    v[k] = _mm256_min_epi32(code, _mm256_set1_epi32(15));
  }
  store(codes, _mm256_sub_epi8(to_bytes(v), _mm256_set1_epi8(8)), false);
}

INLINE __m256i grid_8(const float *w, float factor) {
  __m256 x =
      _mm256_mul_ps(magnitude(_mm256_loadu_ps(w)), _mm256_set1_ps(factor));
  return _mm256_cvttps_epi32(_mm256_add_ps(x, _mm256_set1_ps(0.5f)));
}

INLINE void q4_grid(const float *w, size_t n, float factor,
                    int16_t grid[Q4_GROUP]) {
  if (n < Q4_GROUP) {
    plain_q4_grid(w, n, factor, grid);
    return;
  }
  for (size_t i = 0; i < Q4_GROUP; i += 16) {
    __m256i v =
        _mm256_packs_epi32(grid_8(w + i, factor), grid_8(w + i + 8, factor));
    store(grid + i, _mm256_permute4x64_epi64(v, 0xd8), false);
  }
}

INLINE void q4_codes(const float *w, size_t n, float inverse, int8_t *codes) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i v[4];
    for (size_t k = 0; k < 4; k++)
      v[k] = _mm256_cvtps_epi32(
          q4_code_8(_mm256_loadu_ps(w + i + 8 * k), inverse));
    store(codes + i, to_bytes(v), false);
  }
  plain_q4_codes(w + i, n - i, inverse, codes + i);
}

INLINE void ternary_codes(const float *w, size_t n, float threshold,
                          int8_t *codes) {
  const __m256 high = _mm256_set1_ps(threshold);
  const __m256 low = _mm256_set1_ps(-threshold);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i v[4];
    for (size_t k = 0; k < 4; k++) {
      __m256 x = _mm256_loadu_ps(w + i + 8 * k);
      v[k] = _mm256_sub_epi32(
          _mm256_castps_si256(_mm256_cmp_ps(x, low, _CMP_LT_OQ)),
          _mm256_castps_si256(_mm256_cmp_ps(x, high, _CMP_GT_OQ)));
    }
    store(codes + i, to_bytes(v), false);
  }
  plain_ternary_codes(w + i, n - i, threshold, codes + i);
}

MAYBE float dot(const float *a, const float *b, size_t n) {
  __m256 low = _mm256_setzero_ps(), high = low;
  float lane[LANES];
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    low = _mm256_add_ps(
        low, _mm256_mul_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    high = _mm256_add_ps(high, _mm256_mul_ps(_mm256_loadu_ps(a + i + 8),
                                             _mm256_loadu_ps(b + i + 8)));
  }
  _mm256_storeu_ps(lane, low);
  _mm256_storeu_ps(lane + 8, high);
  return rest_of_dot(a, b, i, n, lane);
}

INLINE void signs(const float *w, size_t n, uint8_t *codes) {
  const __m256 zero = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 is = _mm256_cmp_ps(_mm256_loadu_ps(w + i), zero, _CMP_GE_OQ);
    codes[i / 8] = (uint8_t)_mm256_movemask_ps(is);
  }
  if (i < n) plain_signs(w, i, n, codes);
}

/* Signs and squared error of eight. */
INLINE __m256 signs_error_8(const float *w, uint8_t *codes, float scale) {
  __m256 v = _mm256_loadu_ps(w);
  __m256 is = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GE_OQ);
  *codes = (uint8_t)_mm256_movemask_ps(is);
  return square_8(_mm256_sub_ps(magnitude(v), _mm256_set1_ps(scale)));
}

INLINE double signs_error(const float *w, size_t n, uint8_t *codes,
                          float scale) {
  if (n % LANES != 0) plain_signs(w, n - n % LANES, n, codes);
  SUM_IN_EIGHTS(n, signs_error_8(w + at, codes + at / 8, scale),
                square(fabsf(w[at]) - scale));
}

#endif
