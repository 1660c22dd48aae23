/* Integer products, and codes as bytes. What is in C is the specification. */
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

static void plain_bits(const uint8_t *in, size_t n, uint8_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = (uint8_t)((in[i / 8] >> i % 8 & 1) << 1);
}

static void plain_pairs(const uint8_t *in, size_t n, uint8_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = in[i / 4] >> 2 * (i % 4) & 3;
}

static void plain_nibbles(const uint8_t *in, size_t n, uint8_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = in[i / 2] >> 4 * (i % 2) & 15;
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

/* Each byte eight times, each time with another of its bits. */
TARGET static void avx2_bits(const uint8_t *in, size_t n, uint8_t *out) {
  const __m256i spread = _mm256_setr_epi64x(
      0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m256i v = _mm256_shuffle_epi8(avx2_four(in + i / 8), spread);
    __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit);
    avx2_store(out + i, _mm256_and_si256(set, _mm256_set1_epi8(2)));
  }
  plain_bits(in + i / 8, n - i, out + i);
}

/* Each byte in a lane of its own; what is together there is parted twice. */
TARGET static void avx2_pairs(const uint8_t *in, size_t n, uint8_t *out) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m128i bytes =
        _mm_loadl_epi64((const __m128i *)(const void *)(in + i / 4));
    __m256i v = _mm256_cvtepu8_epi32(bytes);
    v = _mm256_or_si256(v, _mm256_slli_epi32(v, 12));
    v = _mm256_and_si256(v, _mm256_set1_epi32(0x000f000f));
    v = _mm256_or_si256(v, _mm256_slli_epi32(v, 6));
    avx2_store(out + i, _mm256_and_si256(v, _mm256_set1_epi8(3)));
  }
  plain_pairs(in + i / 4, n - i, out + i);
}

TARGET static void avx2_nibbles(const uint8_t *in, size_t n, uint8_t *out) {
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m128i bytes =
        _mm_loadu_si128((const __m128i *)(const void *)(in + i / 2));
    __m256i v = _mm256_cvtepu8_epi16(bytes);
    v = _mm256_or_si256(v, _mm256_slli_epi16(v, 4));
    avx2_store(out + i, _mm256_and_si256(v, _mm256_set1_epi8(15)));
  }
  plain_nibbles(in + i / 2, n - i, out + i);
}
#undef TARGET

#include "forward_int8_avx512.h"
#endif

/* What an instruction set has of its own. */
#define KERNELS(isa)                                                           \
  .band = isa##_band, .token = isa##_token, .bits = isa##_bits,                \
  .pairs = isa##_pairs, .nibbles = isa##_nibbles

const struct int8_kernels *int8_kernels_of(const struct kernels *kernels) {
  static const struct int8_kernels plain = {KERNELS(plain)};
#if defined(__x86_64__)
  static const struct int8_kernels avx2 = {KERNELS(avx2)};
  static const struct int8_kernels avx512 = {
      KERNELS(vnni), .packed_bits = vnni_packed_bits,
      .packed_pairs = vnni_packed_pairs, .packed_nibbles = vnni_packed_nibbles};
  if (kernels == &kernels_avx512) return &avx512;
  if (kernels == &kernels_avx2) return &avx2;
#endif
  (void)kernels;
  return &plain;
}
