/* Integer products. The ones in C are the specification. */
#include "forward_int8.h"

#include <string.h>

#include "forward_wide.h"

/* Sums stay in registers when the loops over them are unrolled early. */
#define UNROLLED _Pragma("GCC unroll 12")

/* ---- in C ---- */

static void plain_band(const uint8_t *u, size_t stride, const int8_t *q,
                       size_t columns, int32_t *totals) {
  memset(totals, 0, BAND_ROWS * BAND * sizeof *totals);
  for (size_t r = 0; r < BAND_ROWS; r++)
    for (size_t i = 0; i < columns; i++)
      for (size_t t = 0; t < BAND; t++)
        totals[r * BAND + t] +=
            u[r * stride + i] * q[(i / 4 * BAND + t) * 4 + i % 4];
}

static void plain_token(const uint8_t *u, size_t stride, const int8_t *q,
                        size_t columns, int32_t *totals) {
  for (size_t r = 0; r < TOKEN_ROWS; r++) {
    totals[r] = 0;
    for (size_t i = 0; i < columns; i++)
      totals[r] += u[r * stride + i] * q[i];
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

/* ---- vectors of 32 bytes: AVX2, and VNNI's instruction ---- */

#define TARGET  __attribute__((target("avx2")))
#define NAME(x) avx2_##x
/* Pairs fit 16 bits: at most 2 * 15 * 127. */
#define ADD_FOURS(sum, u, q)                                                   \
  _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(u, q),          \
                                          _mm256_set1_epi16(1)))
#include "forward_int8_token.h"

TARGET INLINE __m256i avx2_four(const uint8_t *at) {
  int32_t four;
  memcpy(&four, at, sizeof four);
  return _mm256_set1_epi32(four);
}

/* Two rows at a time: their sums fill half of the registers. */
TARGET static void avx2_band(const uint8_t *u, size_t stride, const int8_t *q,
                             size_t columns, int32_t *totals) {
  enum { VECTORS = BAND / 8 };
  for (size_t r = 0; r < BAND_ROWS; r += 2, u += 2 * stride) {
    __m256i even[VECTORS], odd[VECTORS];
    UNROLLED for (size_t v = 0; v < VECTORS; v++) even[v] = odd[v] =
        _mm256_setzero_si256();
    for (size_t i = 0; i < columns; i += 4) {
      __m256i a = avx2_four(u + i), b = avx2_four(u + stride + i);
      UNROLLED for (size_t v = 0; v < VECTORS; v++) {
        __m256i x = avx2_load(q + i * BAND + 32 * v);
        even[v] = avx2_add_fours(even[v], a, x);
        odd[v] = avx2_add_fours(odd[v], b, x);
      }
    }
    UNROLLED for (size_t v = 0; v < VECTORS; v++) {
      avx2_store(totals + r * BAND + 8 * v, even[v]);
      avx2_store(totals + (r + 1) * BAND + 8 * v, odd[v]);
    }
  }
}
#undef TARGET

/* ---- AVX-512: twelve rows times two vectors of sixteen tokens ---- */

#define TARGET               __attribute__((target("avx512vl,avx512vnni,avx2")))
#define NAME(x)              vnni_##x
#define ADD_FOURS(sum, u, q) _mm256_dpbusd_epi32(sum, u, q)
#include "forward_int8_token.h"
#undef TARGET

#define TARGET __attribute__((target("avx512f,avx512vnni")))

TARGET INLINE __m512i vnni_four(const uint8_t *at) {
  int32_t four;
  memcpy(&four, at, sizeof four);
  return _mm512_set1_epi32(four);
}

TARGET static void vnni_band(const uint8_t *u, size_t stride, const int8_t *q,
                             size_t columns, int32_t *totals) {
  __m512i low[BAND_ROWS], high[BAND_ROWS];
  UNROLLED for (size_t r = 0; r < BAND_ROWS; r++) low[r] = high[r] =
      _mm512_setzero_si512();
  for (size_t i = 0; i < columns; i += 4) {
    __m512i a = _mm512_loadu_si512(q + i * BAND);
    __m512i b = _mm512_loadu_si512(q + i * BAND + 64);
    UNROLLED for (size_t r = 0; r < BAND_ROWS; r++) {
      __m512i codes = vnni_four(u + r * stride + i);
      low[r] = _mm512_dpbusd_epi32(low[r], codes, a);
      high[r] = _mm512_dpbusd_epi32(high[r], codes, b);
    }
  }
  UNROLLED for (size_t r = 0; r < BAND_ROWS; r++) {
    _mm512_storeu_si512(totals + r * BAND, low[r]);
    _mm512_storeu_si512(totals + r * BAND + 16, high[r]);
  }
}
#endif

const struct int8_kernels *int8_kernels_of(const struct kernels *kernels) {
  static const struct int8_kernels plain = {plain_band, plain_token};
#if defined(__x86_64__)
  static const struct int8_kernels avx2 = {avx2_band, avx2_token};
  static const struct int8_kernels avx512 = {vnni_band, vnni_token};
  if (kernels == &kernels_avx512) return &avx512;
  if (kernels == &kernels_avx2) return &avx2;
#endif
  (void)kernels;
  return &plain;
}
