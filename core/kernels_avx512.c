/* The kernels for AVX-512 with BW, VL, VBMI and VNNI. One vector of floats is
 * the sixteen lanes of kernels_plain.h. What wider vectors do not speed up is
 * AVX2's; products are too, with VNNI's instruction. */
#include "kernels.h"

#if defined(__x86_64__)
#define STREAM 64
#include "kernels_avx2_decode.h"
#include "kernels_avx2_product.h"
#include "kernels_avx512_sums.h"
#include "kernels_fit_vector.h"

INLINE void store_64(void *at, __m512i v, bool stream) {
  if (stream)
    _mm512_stream_si512((__m512i *)at, v);
  else
    _mm512_storeu_si512(at, v);
}

/* ---- conversions ---- */

/* Finite floats rounded to bfloat16, in the upper half of each. */
INLINE __m512i rounded_bf16(__m512 v) {
  __m512i bits = _mm512_castps_si512(v), upper = _mm512_srli_epi32(bits, 16);
  __m512i even = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  __m512i half = _mm512_add_epi32(even, _mm512_set1_epi32(0x7fff));
  return _mm512_add_epi32(bits, half);
}

/* Thirty-two finite floats as 16-bit ones. */
INLINE __m512i narrow_32(enum float_type type, __m512 a, __m512 b) {
  if (type == FLOAT_F16)
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtps_ph(a, 0)),
                              _mm512_cvtps_ph(b, 0), 1);
  const __m512i odd = _mm512_set_epi16(
      63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29,
      27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16(rounded_bf16(a), odd, rounded_bf16(b));
}

/* ---- decoding: indices choose among sixteen values ---- */

struct choices {
  __m512 wide;
  __m512i half;
};

INLINE struct choices choices_of(enum float_type type, int bias, float scale) {
  const __m512i order =
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i codes = _mm512_sub_epi32(order, _mm512_set1_epi32(bias));
  struct choices c = {
      _mm512_mul_ps(_mm512_cvtepi32_ps(codes), _mm512_set1_ps(scale)),
      _mm512_setzero_si512()};
  if (type != FLOAT_F32) c.half = narrow_32(type, c.wide, c.wide);
  return c;
}

INLINE void choose_16(__m128i index, const struct choices *c, float *out,
                      bool stream) {
  __m512 v = _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(index), c->wide);
  store_64(out, _mm512_castps_si512(v), stream);
}

/* Values `i` to i + 31 of the sink. */
INLINE void choose_32(__m256i index, const struct choices *c, struct sink sink,
                      size_t i) {
  void *out = sink_at(sink, i).out;
  if (sink.type == FLOAT_F32) {
    choose_16(_mm256_castsi256_si128(index), c, out, sink.stream);
    choose_16(_mm256_extracti128_si256(index, 1), c, (float *)out + 16,
              sink.stream);
    return;
  }
  __m512i words = _mm512_cvtepu8_epi16(index);
  store_64(out, _mm512_permutexvar_epi16(words, c->half), sink.stream);
}

INLINE void choose_64(__m512i index, const struct choices *c, struct sink sink,
                      size_t i) {
  choose_32(_mm512_castsi512_si256(index), c, sink, i);
  choose_32(_mm512_extracti64x4_epi64(index, 1), c, sink, i + 32);
}

INLINE void wide_b1(const uint8_t *codes, size_t n, float scale,
                    struct sink sink) {
  struct choices c = choices_of(sink.type, 1, scale);
  const __m512 low = _mm512_set1_ps(-scale), high = _mm512_set1_ps(scale);
  const __m512i low_half =
      _mm512_broadcastw_epi16(_mm512_castsi512_si128(c.half));
  const __m512i high_half =
      _mm512_permutexvar_epi16(_mm512_set1_epi16(2), c.half);
  size_t j = 0;
  if (sink.type == FLOAT_F32) {
    for (; j + 16 <= n; j += 16) {
      __mmask16 set = half_at(codes + j / 8);
      store_64((float *)sink.out + j,
               _mm512_castps_si512(_mm512_mask_blend_ps(set, low, high)),
               sink.stream);
    }
  } else {
    for (; j + 32 <= n; j += 32) {
      __mmask32 set;
      memcpy(&set, codes + j / 8, sizeof set);
      store_64((uint16_t *)sink.out + j,
               _mm512_mask_blend_epi16(set, low_half, high_half), sink.stream);
    }
  }
  if (j < n) plain_b1(codes, j, n, scale, sink);
}

/* Sixteen bytes of four codes as sixty-four bytes of one. */
INLINE __m512i wide_t2_spread(const uint8_t *codes) {
  const __m512i shifts = _mm512_set1_epi64(0x0e0c0a0806040200);
  __m512i x = _mm512_cvtepu16_epi64(load_half(codes));
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, x),
                          _mm512_set1_epi8(3));
}

INLINE void wide_t2(const uint8_t *codes, size_t n, float scale,
                    struct sink sink) {
  struct choices c = choices_of(sink.type, 1, scale);
  size_t j = 0;
  for (; j + 64 <= n; j += 64)
    choose_64(wide_t2_spread(codes + j / 4), &c, sink, j);
  if (j < n) plain_t2(codes, j, n, scale, sink);
}

INLINE void wide_tq2(const uint8_t *codes, float scale, struct sink sink) {
  const __m256i three = _mm256_set1_epi8(3);
  struct choices c = choices_of(sink.type, 1, scale);
  for (size_t r = 0; r < 2; r++) {
    __m256i x = load(codes + 32 * r);
    for (int l = 0; l < 4; l++)
      choose_32(_mm256_and_si256(_mm256_srli_epi16(x, 2 * l), three), &c, sink,
                128 * r + 32 * (size_t)l);
  }
}

INLINE void wide_trits_power(const uint8_t *codes, size_t n, unsigned power,
                             float scale, struct sink sink) {
  struct choices c = choices_of(sink.type, 1, scale);
  size_t k = sink.stream ? head_of(sink, n) : 0;
  if (k > 0) plain_trits(codes, 0, k, power, scale, sink);
  for (; k + 32 <= n; k += 32)
    choose_32(trits_32(load(codes + k), power), &c, sink, k);
  if (k < n) plain_trits(codes, k, n, power, scale, sink);
}

INLINE void wide_trits(const uint8_t *codes, size_t n, unsigned power,
                       float scale, struct sink sink) {
  if (power == 1) wide_trits_power(codes, n, 1, scale, sink);
  if (power == 3) wide_trits_power(codes, n, 3, scale, sink);
  if (power == 9) wide_trits_power(codes, n, 9, scale, sink);
  if (power == 27) wide_trits_power(codes, n, 27, scale, sink);
  if (power == 81) wide_trits_power(codes, n, 81, scale, sink);
}

INLINE void wide_tq1(const uint8_t *in, float scale, struct sink sink) {
  struct choices c = choices_of(sink.type, 1, scale);
  __m256i x = biased(load(in)), last[3];
  for (size_t n = 0; n < TRITS; n++, x = tripled(x))
    choose_32(trits_of(x), &c, sink, 32 * n);
  tq1_last(in, last);
  for (size_t n = 0; n < 3; n++)
    choose_32(last[n], &c, sink, 160 + 32 * n);
}

/* Thirty-two bytes of two codes as sixty-four bytes of one. */
INLINE __m512i wide_q4_spread(const uint8_t *codes) {
  __m512i x = _mm512_cvtepu8_epi16(load(codes));
  x = _mm512_or_si512(x, _mm512_slli_epi16(x, 4));
  return _mm512_and_si512(x, _mm512_set1_epi8(15));
}

INLINE void wide_q4(const uint8_t *codes, size_t n, float scale,
                    struct sink sink) {
  struct choices c = choices_of(sink.type, 8, scale);
  size_t j = 0;
  for (; j + 64 <= n; j += 64)
    choose_64(wide_q4_spread(codes + j / 2), &c, sink, j);
  if (j < n) plain_q4(codes, j, n, scale, sink);
}

INLINE void wide_q4_0(const uint8_t *codes, float scale, struct sink sink) {
  struct choices c = choices_of(sink.type, 8, scale);
  choose_32(q4_0_spread(codes), &c, sink, 0);
}

INLINE void wide_q8_0(const uint8_t *codes, float scale, struct sink sink) {
  const __m512 factor = _mm512_set1_ps(scale);
  __m512 v[2];
  for (size_t h = 0; h < 2; h++)
    v[h] = _mm512_mul_ps(
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_half(codes + 16 * h))),
        factor);
  if (sink.type == FLOAT_F32) {
    store_64(sink.out, _mm512_castps_si512(v[0]), sink.stream);
    store_64((float *)sink.out + 16, _mm512_castps_si512(v[1]), sink.stream);
    return;
  }
  store_64(sink.out, narrow_32(sink.type, v[0], v[1]), sink.stream);
}

#define WIDEN         widen
#define NARROW        narrow
#define MAGNITUDES    wide_magnitudes
#define ABOVE         wide_above
#define ERROR         wide_error
#define SIGN_ERROR    wide_sign_error
#define DOT           wide_dot
#define NOT_FINITE    not_finite
#define LARGEST       largest
#define FIRST_LARGEST first_largest
#define ROUND_CODES   round_codes
#define TERNARY_CODES wide_ternary_codes
#define Q4_CODES      q4_codes
#define Q4_ERROR      wide_q4_error
#define Q4_BOTH       wide_q4_both
#define Q4_FILL_GRID  q4_grid
#define Q4_SUMS       wide_q4_sums
#define Q4_0_CODES    q4_0_codes_32
#define SIGNS_ERROR   wide_signs_error
#define SIGNS         signs
#define RUN_B1        wide_b1
#define RUN_T2        wide_t2
#define RUN_Q4        wide_q4
#define RUN_TRITS     wide_trits
#define RUN_TQ1       wide_tq1
#define RUN_TQ2       wide_tq2
#define RUN_Q4_0      wide_q4_0
#define RUN_Q8_0      wide_q8_0
#define SUM_PLANES    sum_planes
#define SUM_SPANS     sum_spans
#define SUM_TRITS     sum_trits
#define SUM_TQ1       sum_tq1
#define SUM_T5        sum_t5
#define FIRST_PAIRED  first_paired
#define FIRST_BLOCKS  first_blocks
#define FIRST_Q4      first_q4
#define SUM_Q4_0      sum_q4_0
#define SUM_CODES     sum_codes

#define KERNELS  kernels_avx512
#define ISA_NAME "avx512"
#include "kernels_rows.h"
#endif
