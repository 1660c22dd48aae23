/* ---- AVX-512 with VNNI and VBMI; in forward_int8_kernels.c alone ---- */

#define TARGET                                                                 \
  __attribute__((                                                              \
      target("avx2,avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))
#define NAME(x)              vnni_##x
#define ADD_FOURS(sum, u, q) _mm256_dpbusd_epi32(sum, u, q)
#include "forward_int8_token.h"

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

/* Fields of `mask` that begin at `places` of each word, as bytes. */
TARGET INLINE __m512i vnni_fields(__m512i words, uint64_t places, char mask) {
  __m512i at = _mm512_set1_epi64((long long)places);
  return _mm512_and_si512(_mm512_multishift_epi64_epi8(at, words),
                          _mm512_set1_epi8(mask));
}

/* Sixty-four codes of so many bits. */
TARGET INLINE __m512i vnni_codes(const uint8_t *at, size_t bits) {
  if (bits == 1) {
    uint64_t set;
    memcpy(&set, at, sizeof set);
    return _mm512_maskz_set1_epi8(set, 2);
  }
  if (bits == 2) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    return vnni_fields(_mm512_cvtepu16_epi64(bytes), 0x0e0c0a0806040200, 3);
  }
  __m512i words = _mm512_cvtepu32_epi64(vnni_load(at));
  return vnni_fields(words, 0x1c1814100c080400, 15);
}

TARGET static void vnni_bits(const uint8_t *in, size_t n, uint8_t *out) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64)
    _mm512_storeu_si512(out + i, vnni_codes(in + i / 8, 1));
  plain_bits(in + i / 8, n - i, out + i);
}

TARGET static void vnni_pairs(const uint8_t *in, size_t n, uint8_t *out) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64)
    _mm512_storeu_si512(out + i, vnni_codes(in + i / 4, 2));
  plain_pairs(in + i / 4, n - i, out + i);
}

TARGET static void vnni_nibbles(const uint8_t *in, size_t n, uint8_t *out) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64)
    _mm512_storeu_si512(out + i, vnni_codes(in + i / 2, 4));
  plain_nibbles(in + i / 2, n - i, out + i);
}

/* Eight packed rows times one token. */
TARGET INLINE void vnni_packed(const uint8_t *codes, size_t stride,
                               const int8_t *q, size_t columns, int32_t *totals,
                               size_t bits) {
  __m512i lanes[TOKEN_ROWS];
  __m256i halves[TOKEN_ROWS];
  UNROLLED for (size_t r = 0; r < TOKEN_ROWS; r++) lanes[r] =
      _mm512_setzero_si512();
  for (size_t i = 0; i < columns; i += 64) {
    __m512i x = _mm512_loadu_si512(q + i);
    UNROLLED for (size_t r = 0; r < TOKEN_ROWS; r++) {
      __m512i u = vnni_codes(codes + r * stride + i * bits / 8, bits);
      lanes[r] = _mm512_dpbusd_epi32(lanes[r], u, x);
    }
  }
  UNROLLED for (size_t r = 0; r < TOKEN_ROWS; r++) halves[r] = _mm256_add_epi32(
      _mm512_castsi512_si256(lanes[r]), _mm512_extracti64x4_epi64(lanes[r], 1));
  vnni_store(totals, vnni_totals(halves));
}

TARGET static void vnni_packed_bits(const uint8_t *codes, size_t stride,
                                    const int8_t *q, size_t columns,
                                    int32_t *totals) {
  vnni_packed(codes, stride, q, columns, totals, 1);
}

TARGET static void vnni_packed_pairs(const uint8_t *codes, size_t stride,
                                     const int8_t *q, size_t columns,
                                     int32_t *totals) {
  vnni_packed(codes, stride, q, columns, totals, 2);
}

TARGET static void vnni_packed_nibbles(const uint8_t *codes, size_t stride,
                                       const int8_t *q, size_t columns,
                                       int32_t *totals) {
  vnni_packed(codes, stride, q, columns, totals, 4);
}
