/* Products with activations of eight bits, with AVX2, and VNNI where the file
 * that includes this may use it. */
#ifndef BITTERN_KERNELS_AVX2_PRODUCT_H
#define BITTERN_KERNELS_AVX2_PRODUCT_H

#include "kernels_avx2_decode.h"

INLINE int32_t sum_32(__m256i v);

/* ---- products ----
 *
 * Pairs of unsigned code x signed activation add up in 16 bits; `BATCH` says
 * after how many additions they must move to 32. */

INLINE __m256i pairs_to_32(__m256i sums) {
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

/* The sum of each half's four numbers. */
INLINE void halves_sum(__m256i v, int32_t sums[2]) {
  __m256i x = _mm256_add_epi32(v, _mm256_shuffle_epi32(v, 0x4e));
  x = _mm256_add_epi32(x, _mm256_shuffle_epi32(x, 0xb1));
  sums[0] = _mm_cvtsi128_si32(_mm256_castsi256_si128(x));
  sums[1] = _mm_cvtsi128_si32(_mm256_extracti128_si256(x, 1));
}

INLINE int32_t sum_32(__m256i v) {
  __m128i x =
      _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
  x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1));
  return _mm_cvtsi128_si32(x);
}

#ifdef __AVX512VNNI__
/* Adds four products of unsigned u and signed q to each 32-bit sum. */
INLINE __m256i add_fours(__m256i sum, __m256i u, __m256i q) {
  return _mm256_dpbusd_epi32(sum, u, q);
}

/* One span's planes in turn to four sums, so that none waits for another. */
INLINE void add_span(size_t planes, __m256i sum[4], __m256i x,
                     const int8_t *q) {
  const int bits = (int)(8 / planes);
  const __m256i mask = _mm256_set1_epi8((char)((1 << bits) - 1));
  for (size_t p = 0; p < planes; p++) {
    __m256i u = _mm256_and_si256(_mm256_srli_epi16(x, (int)p * bits), mask);
    sum[p % 4] = add_fours(sum[p % 4], u, load(q + 32 * p));
  }
}

INLINE __m256i meet_four(const __m256i sum[4]) {
  return _mm256_add_epi32(_mm256_add_epi32(sum[0], sum[1]),
                          _mm256_add_epi32(sum[2], sum[3]));
}

INLINE __m256i span_sums(size_t planes, __m256i x, const int8_t *q) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[4] = {zero, zero, zero, zero};
  add_span(planes, sum, x, q);
  return meet_four(sum);
}

INLINE int32_t sum_spans(size_t planes, const uint8_t *codes, size_t count,
                         const int8_t *q) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[4] = {zero, zero, zero, zero};
  for (size_t i = 0; i < count; i++)
    add_span(planes, sum, load(codes + 32 * i), q + 32 * planes * i);
  return sum_32(meet_four(sum));
}
#else
/* 16-bit sums of one span: at most 2 x 127 x (8, 12 or 30) in magnitude. */
INLINE __m256i span_pairs(size_t planes, __m256i x, const int8_t *q) {
  const int bits = (int)(8 / planes);
  const __m256i mask = _mm256_set1_epi8((char)((1 << bits) - 1));
  __m256i sum = _mm256_setzero_si256();
  for (size_t p = 0; p < planes; p++) {
    __m256i u = _mm256_and_si256(_mm256_srli_epi16(x, (int)p * bits), mask);
    sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(u, load(q + 32 * p)));
  }
  return sum;
}

INLINE __m256i span_sums(size_t planes, __m256i x, const int8_t *q) {
  return pairs_to_32(span_pairs(planes, x, q));
}

INLINE int32_t sum_spans(size_t planes, const uint8_t *codes, size_t count,
                         const int8_t *q) {
  const size_t batch = planes == 8 ? 16 : planes == 4 ? 10 : 4;
  __m256i total = _mm256_setzero_si256();
  while (count > 0) {
    size_t n = count < batch ? count : batch;
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i++, codes += 32, q += 32 * planes)
      sum = _mm256_add_epi16(sum, span_pairs(planes, load(codes), q));
    total = _mm256_add_epi32(total, pairs_to_32(sum));
    count -= n;
  }
  return sum_32(total);
}

#endif

INLINE void sum_planes(size_t planes, const uint8_t *a, const uint8_t *b,
                       const int8_t *q, int32_t sums[2]) {
  __m256i x = _mm256_set_m128i(load_half(b), load_half(a));
  halves_sum(span_sums(planes, x, q), sums);
}

/* The codes from `first` on, fewer than 32; then zeros, which stand for trit
 * -1 and so for 0 after one is added. */
INLINE __m256i last_codes(const uint8_t *codes, size_t first, size_t n) {
  uint8_t last[32] = {0};
  memcpy(last, codes + first, n - first);
  return load(last);
}

INLINE int32_t plain_trits_left(const uint8_t *codes, size_t k, size_t n,
                                unsigned power, const int8_t *q) {
  int32_t sum = 0;
  for (; k < n; k++)
    sum += (trit_code(codes[k], power) + 1) * q[k];
  return sum;
}

#ifdef __AVX512VNNI__
INLINE int32_t sum_trits(const uint8_t *codes, size_t n, unsigned power,
                         const int8_t *q) {
  __m256i sum = _mm256_setzero_si256();
  size_t k = 0;
  for (; k + 32 <= n; k += 32)
    sum = add_fours(sum, trits_32(load(codes + k), power), load(q + k));
  return sum_32(sum) + plain_trits_left(codes, k, n, power, q);
}

/* All five planes of 32 bytes, in turn to four sums. */
INLINE void add_t5(__m256i sum[4], __m256i codes, size_t m, const int8_t *q) {
  __m256i x = biased(codes);
  for (size_t t = 0; t < TRITS; t++, x = tripled(x))
    sum[t % 4] = add_fours(sum[t % 4], trits_of(x), load(q + t * m));
}

INLINE __m256i t5_sums(const uint8_t *codes, size_t m, const int8_t *q) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[4] = {zero, zero, zero, zero};
  add_t5(sum, load(codes), m, q);
  return meet_four(sum);
}

/* q is 0 past the last column, so all planes may be taken as full. */
INLINE int32_t sum_t5(const uint8_t *codes, size_t cols, size_t m,
                      const int8_t *q) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[4] = {zero, zero, zero, zero};
  size_t k = 0;
  (void)cols;
  for (; k + 32 <= m; k += 32)
    add_t5(sum, load(codes + k), m, q + k);
  if (k < m) add_t5(sum, last_codes(codes, k, m), m, q + k);
  return sum_32(meet_four(sum));
}
#else
/* Trits plus one are at most 2: 64 additions fit. */
INLINE int32_t sum_trits(const uint8_t *codes, size_t n, unsigned power,
                         const int8_t *q) {
  enum { BATCH = 64 * 32 };
  __m256i total = _mm256_setzero_si256();
  size_t k = 0;
  while (k + 32 <= n) {
    size_t last = n - k < BATCH ? n : k + BATCH;
    __m256i sum = _mm256_setzero_si256();
    for (; k + 32 <= last; k += 32) {
      __m256i u = trits_32(load(codes + k), power);
      sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(u, load(q + k)));
    }
    total = _mm256_add_epi32(total, pairs_to_32(sum));
  }
  return sum_32(total) + plain_trits_left(codes, k, n, power, q);
}

/* All five planes of 32 bytes: 16-bit sums of at most 5 x 508. */
INLINE __m256i t5_pairs(__m256i codes, size_t m, const int8_t *q) {
  __m256i x = biased(codes), sum = _mm256_setzero_si256();
  for (size_t t = 0; t < TRITS; t++, x = tripled(x))
    sum = _mm256_add_epi16(sum,
                           _mm256_maddubs_epi16(trits_of(x), load(q + t * m)));
  return sum;
}

INLINE __m256i t5_sums(const uint8_t *codes, size_t m, const int8_t *q) {
  return pairs_to_32(t5_pairs(load(codes), m, q));
}

/* q is 0 past the last column, so all planes may be taken as full. */
INLINE int32_t sum_t5(const uint8_t *codes, size_t cols, size_t m,
                      const int8_t *q) {
  enum { BATCH = 12 * 32 };
  __m256i total = _mm256_setzero_si256();
  size_t k = 0;
  (void)cols;
  while (k + 32 <= m) {
    size_t last = m - k < BATCH ? m : k + BATCH;
    __m256i sum = _mm256_setzero_si256();
    for (; k + 32 <= last; k += 32)
      sum = _mm256_add_epi16(sum, t5_pairs(load(codes + k), m, q + k));
    total = _mm256_add_epi32(total, pairs_to_32(sum));
  }
  if (k < m)
    total = _mm256_add_epi32(
        total, pairs_to_32(t5_pairs(last_codes(codes, k, m), m, q + k)));
  return sum_32(total);
}
#endif

/* Sums of four products of unsigned u and signed q. */
INLINE __m256i fours(__m256i u, __m256i q) {
#ifdef __AVX512VNNI__
  return add_fours(_mm256_setzero_si256(), u, q);
#else
  return pairs_to_32(_mm256_maddubs_epi16(u, q));
#endif
}

/* 32-bit sums of a block of TQ1_0. */
INLINE __m256i tq1_sums(const uint8_t *in, const int8_t *q) {
  __m256i u[3], sum = t5_sums(in, 32, q);
  tq1_last(in, u);
  for (size_t n = 0; n < 3; n++)
    sum = _mm256_add_epi32(sum, fours(u[n], load(q + 160 + 32 * n)));
  return sum;
}

INLINE int32_t sum_tq1(const uint8_t *in, const int8_t *q) {
  return sum_32(tq1_sums(in, q));
}

INLINE __m256i q4_0_sums(const uint8_t *codes, const int8_t *q) {
  return fours(q4_0_spread(codes), load(q));
}

/* |code| <= 128 times q with the code's sign: pairs still fit 16 bits. */
INLINE __m256i code_sums(const int8_t *codes, const int8_t *q) {
  __m256i c = load(codes);
  return pairs_to_32(
      _mm256_maddubs_epi16(_mm256_abs_epi8(c), _mm256_sign_epi8(load(q), c)));
}

INLINE int32_t sum_q4_0(const uint8_t *codes, const int8_t *q) {
  return sum_32(q4_0_sums(codes, q));
}

INLINE int32_t sum_codes(const int8_t *codes, size_t n, const int8_t *q) {
  __m256i total = _mm256_setzero_si256();
  size_t k = 0;
  for (; k + 32 <= n; k += 32)
    total = _mm256_add_epi32(total, code_sums(codes + k, q + k));
  int32_t sum = sum_32(total);
  for (; k < n; k++)
    sum += codes[k] * q[k];
  return sum;
}

/* ---- eights of terms ----
 *
 * Eight sums meet in one vector, in order, and become eight terms at once: the
 * lanes of kernels_product.h. */

/* The sums of four vectors' halves: those of the lower, then of the upper. */
INLINE __m256i reduce_4(__m256i a, __m256i b, __m256i c, __m256i d) {
  return _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
}

INLINE __m256i reduce_8(const __m256i v[8]) {
  __m256i low = reduce_4(v[0], v[1], v[2], v[3]);
  __m256i high = reduce_4(v[4], v[5], v[6], v[7]);
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                          _mm256_permute2x128_si256(low, high, 0x31));
}

/* Eight scales that lie `step` bytes apart. */
INLINE __m256 scales_8(const uint8_t *at, size_t step) {
  uint16_t half[8];
  for (size_t i = 0; i < 8; i++)
    half[i] = half_at(at + i * step);
  return _mm256_cvtph_ps(load_half(half));
}

INLINE __m256 terms_8(__m256i sums, const uint8_t *scales, size_t step) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scales_8(scales, step));
}

/* Pairs of 16-byte blocks: a vector has one in each half. */
INLINE size_t first_paired(size_t planes, size_t blocks, const uint8_t *in,
                           const struct activations *x, float *lane) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256 terms = _mm256_setzero_ps();
  size_t i = 0;
  const int8_t *q = x->q;
  for (; i + 8 <= blocks; i += 8, in += 8 * 18, q += 4 * 32 * planes) {
    __m256i v[4];
    for (size_t k = 0; k < 4; k++) {
      const uint8_t *at = in + 36 * k;
      __m256i codes = _mm256_set_m128i(load_half(at + 20), load_half(at + 2));
      v[k] = span_sums(planes, codes, q + 32 * planes * k);
    }
    __m256i sums =
        _mm256_permutevar8x32_epi32(reduce_4(v[0], v[1], v[2], v[3]), order);
    if (planes == 8) sums = _mm256_add_epi32(sums, sums);
    sums = _mm256_sub_epi32(sums, load(x->sums + i));
    terms = _mm256_add_ps(terms, terms_8(sums, in, 18));
  }
  _mm256_storeu_ps(lane, terms);
  return i;
}

INLINE __m256i block_sums(enum codec_id id, const uint8_t *in,
                          const int8_t *q) {
  if (id == CODEC_Q4_0) return q4_0_sums(in + 2, q);
  if (id == CODEC_Q8_0) return code_sums((const int8_t *)in + 2, q);
  if (id == CODEC_TQ1_0) return tq1_sums(in, q);
  return _mm256_add_epi32(span_sums(4, load(in), q),
                          span_sums(4, load(in + 32), q + 128));
}

INLINE size_t first_blocks(enum codec_id id, size_t bytes, size_t blocks,
                           const uint8_t *in, const struct activations *x,
                           float *lane) {
  const bool small = id == CODEC_Q4_0 || id == CODEC_Q8_0;
  const size_t values = small ? 32 : 256, at = small ? 0 : bytes - 2;
  __m256 terms = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= blocks; i += 8, in += 8 * bytes) {
    __m256i v[8], bias = load(x->sums + i);
    for (size_t k = 0; k < 8; k++)
      v[k] = block_sums(id, in + bytes * k, x->q + values * (i + k));
    __m256i sums = reduce_8(v);
    if (id == CODEC_Q4_0) bias = _mm256_slli_epi32(bias, 3);
    if (id != CODEC_Q8_0) sums = _mm256_sub_epi32(sums, bias);
    terms = _mm256_add_ps(terms, terms_8(sums, in + at, bytes));
  }
  _mm256_storeu_ps(lane, terms);
  return i;
}

/* Groups of 128 columns of q4: two spans each. */
INLINE size_t first_q4(size_t runs, const uint8_t *codes, const uint8_t *scales,
                       const struct activations *x, float *lane) {
  __m256 terms = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= runs; i += 8) {
    __m256i v[8];
    for (size_t k = 0; k < 8; k++) {
      const uint8_t *at = codes + 64 * (i + k);
      const int8_t *q = x->q + 128 * (i + k);
      v[k] = _mm256_add_epi32(span_sums(2, load(at), q),
                              span_sums(2, load(at + 32), q + 64));
    }
    __m256i bias = _mm256_slli_epi32(load(x->sums + i), 3);
    terms = _mm256_add_ps(
        terms, terms_8(_mm256_sub_epi32(reduce_8(v), bias), scales + 2 * i, 2));
  }
  _mm256_storeu_ps(lane, terms);
  return i;
}

#endif
