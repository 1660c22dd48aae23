/* Conversion and decoding with AVX2 and F16C: kernels for kernels_avx2.c, and
 * for kernels_avx512.c where wider vectors gain nothing. */
#ifndef BITTERN_KERNELS_AVX2_DECODE_H
#define BITTERN_KERNELS_AVX2_DECODE_H

#include <immintrin.h>

#include "kernels_plain.h"

#ifndef STREAM
#define STREAM 32
#endif

INLINE void store(void *at, __m256i v, bool stream) {
  if (stream)
    _mm256_stream_si256((__m256i *)at, v);
  else
    _mm256_storeu_si256((__m256i *)at, v);
}

INLINE __m256i load(const void *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}

INLINE __m128i load_half(const void *at) {
  return _mm_loadu_si128((const __m128i *)at);
}

INLINE __m128i load_8(const void *at) {
  return _mm_loadl_epi64((const __m128i *)at);
}

/* ---- conversions ---- */

/* See f32_to_bf16. */
INLINE __m256i bf16_words(__m256 v) {
  __m256i bits = _mm256_castps_si256(v), upper = _mm256_srli_epi32(bits, 16);
  __m256i even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  __m256i half = _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff));
  __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
  __m256i nan = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  __m256i rest = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
  __m256i is_nan = _mm256_cmpgt_epi32(rest, _mm256_set1_epi32(0x7f800000));
  return _mm256_blendv_epi8(rounded, nan, is_nan);
}

/* The same for numbers that are finite. */
INLINE __m256i finite_bf16_words(__m256 v) {
  __m256i bits = _mm256_castps_si256(v), upper = _mm256_srli_epi32(bits, 16);
  __m256i even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  __m256i half = _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff));
  return _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
}

/* Eight finite floats as eight 16-bit ones. */
INLINE __m128i narrow_finite_8(enum float_type type, __m256 v) {
  if (type == FLOAT_F16) return _mm256_cvtps_ph(v, 0);
  __m256i words = finite_bf16_words(v);
  return _mm_packus_epi32(_mm256_castsi256_si128(words),
                          _mm256_extracti128_si256(words, 1));
}

/* Eight floats as eight 16-bit ones. */
INLINE __m128i narrow_8(enum float_type type, __m256 v) {
  if (type == FLOAT_F16) return _mm256_cvtps_ph(v, 0);
  __m256i words = bf16_words(v);
  return _mm_packus_epi32(_mm256_castsi256_si128(words),
                          _mm256_extracti128_si256(words, 1));
}

MAYBE void narrow(enum float_type type, const float *in, size_t n, void *out) {
  size_t i = 0;
  if (type == FLOAT_F16)
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128((__m128i *)((uint8_t *)out + 2 * i),
                       narrow_8(FLOAT_F16, _mm256_loadu_ps(in + i)));
  if (type == FLOAT_BF16)
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128((__m128i *)((uint8_t *)out + 2 * i),
                       narrow_8(FLOAT_BF16, _mm256_loadu_ps(in + i)));
  plain_narrow(type, in + i, n - i, (uint8_t *)out + i * sink_width(type));
}

MAYBE void widen(enum float_type type, const void *in, size_t n, float *out) {
  const uint8_t *at = in;
  size_t i = 0;
  if (type == FLOAT_F16)
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(out + i, _mm256_cvtph_ps(load_half(at + 2 * i)));
  if (type == FLOAT_BF16)
    for (; i + 8 <= n; i += 8) {
      __m256i words = _mm256_cvtepu16_epi32(load_half(at + 2 * i));
      if (i % 32 == 0)
        _mm_prefetch((const char *)at + 2 * (i + n), _MM_HINT_T1);
      store(out + i, _mm256_slli_epi32(words, 16), false);
    }
  plain_widen(type, at + i * sink_width(type), n - i, out + i);
}

/* ---- decoding ----
 *
 * Codes become bytes that index the values; emit_32 turns thirty-two of them
 * into floats by multiplication, or into 16-bit ones by two byte tables. */

struct tables {
  __m256 scale;
  __m256i low, high; /* bytes of the 16-bit value of each index */
  __m256i bias;      /* index of code 0 */
};

INLINE struct tables tables_of(enum float_type type, int bias, int count,
                               float scale) {
  struct tables t = {.scale = _mm256_set1_ps(scale),
                     .bias = _mm256_set1_epi8((char)bias)};
  if (type == FLOAT_F32) return t;
  __m256i first = _mm256_sub_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                   _mm256_set1_epi32(bias));
  __m256i second = _mm256_add_epi32(first, _mm256_set1_epi32(8));
  __m128i a =
      narrow_finite_8(type, _mm256_mul_ps(_mm256_cvtepi32_ps(first), t.scale));
  __m128i b = a;
  if (count > 8)
    b = narrow_finite_8(type,
                        _mm256_mul_ps(_mm256_cvtepi32_ps(second), t.scale));
  __m128i byte = _mm_set1_epi16(0xff);
  t.low = _mm256_broadcastsi128_si256(
      _mm_packus_epi16(_mm_and_si128(a, byte), _mm_and_si128(b, byte)));
  t.high = _mm256_broadcastsi128_si256(
      _mm_packus_epi16(_mm_srli_epi16(a, 8), _mm_srli_epi16(b, 8)));
  return t;
}

/* Eight codes as floats. */
INLINE void emit_8(__m128i codes, const struct tables *t, float *out,
                   bool stream) {
  __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(codes));
  store(out, _mm256_castps_si256(_mm256_mul_ps(v, t->scale)), stream);
}

INLINE void emit_16_floats(__m128i codes, const struct tables *t, float *out,
                           bool stream) {
  emit_8(codes, t, out, stream);
  emit_8(_mm_unpackhi_epi64(codes, codes), t, out + 8, stream);
}

/* Values `i` to i + 31 of the sink, by their indices. */
INLINE void emit_32(__m256i index, const struct tables *t, struct sink sink,
                    size_t i) {
  void *out = sink_at(sink, i).out;
  if (sink.type == FLOAT_F32) {
    __m256i codes = _mm256_sub_epi8(index, t->bias);
    emit_16_floats(_mm256_castsi256_si128(codes), t, out, sink.stream);
    emit_16_floats(_mm256_extracti128_si256(codes, 1), t, (float *)out + 16,
                   sink.stream);
    return;
  }
  /* Unpacking works within 16 bytes: bring each one's halves there. */
  index = _mm256_permute4x64_epi64(index, 0xd8);
  __m256i low = _mm256_shuffle_epi8(t->low, index);
  __m256i high = _mm256_shuffle_epi8(t->high, index);
  store(out, _mm256_unpacklo_epi8(low, high), sink.stream);
  store((uint8_t *)out + 32, _mm256_unpackhi_epi8(low, high), sink.stream);
}

INLINE void emit_16(__m128i index, const struct tables *t, struct sink sink,
                    size_t i) {
  void *out = sink_at(sink, i).out;
  if (sink.type == FLOAT_F32) {
    __m128i codes = _mm_sub_epi8(index, _mm256_castsi256_si128(t->bias));
    emit_16_floats(codes, t, out, sink.stream);
    return;
  }
  __m128i low = _mm_shuffle_epi8(_mm256_castsi256_si128(t->low), index);
  __m128i high = _mm_shuffle_epi8(_mm256_castsi256_si128(t->high), index);
  store(out,
        _mm256_set_m128i(_mm_unpackhi_epi8(low, high),
                         _mm_unpacklo_epi8(low, high)),
        sink.stream);
}

/* A bit shifted to the sign turns -scale into +scale. */
INLINE void b1_floats(const uint8_t *codes, size_t n, float scale,
                      struct sink sink) {
  const __m256i sign = _mm256_set1_epi32((int)0x80000000u);
  const __m256i shift = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
  const __m256i low = _mm256_castps_si256(_mm256_set1_ps(-scale));
  for (size_t j = 0; j + 8 <= n; j += 8) {
    __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(codes[j / 8]), shift);
    store((float *)sink.out + j,
          _mm256_xor_si256(_mm256_and_si256(bits, sign), low), sink.stream);
  }
}

INLINE void b1_halves(const uint8_t *codes, size_t n, float scale,
                      struct sink sink) {
  const __m256i bit =
      _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
                        8192, 16384, (short)0x8000);
  const __m256i sign = _mm256_set1_epi16((short)0x8000);
  uint16_t half =
      sink.type == FLOAT_F16 ? f32_to_f16(-scale) : f32_to_bf16(-scale);
  const __m256i low = _mm256_set1_epi16((short)half);
  for (size_t j = 0; j + 16 <= n; j += 16) {
    __m256i bits = _mm256_set1_epi16((short)half_at(codes + j / 8));
    __m256i set = _mm256_cmpeq_epi16(_mm256_and_si256(bits, bit), bit);
    store((uint16_t *)sink.out + j,
          _mm256_xor_si256(_mm256_and_si256(set, sign), low), sink.stream);
  }
}

INLINE void run_b1(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  if (sink.type == FLOAT_F32)
    b1_floats(codes, n, scale, sink);
  else
    b1_halves(codes, n, scale, sink);
  if (n % 16 != 0) plain_b1(codes, n - n % 16, n, scale, sink);
}

/* Eight bytes of four codes as thirty-two bytes of one. */
INLINE __m256i t2_spread(__m128i bytes) {
  __m256i x = _mm256_cvtepu8_epi32(bytes);
  x = _mm256_or_si256(x, _mm256_slli_epi32(x, 12));
  x = _mm256_and_si256(x, _mm256_set1_epi32(0x000f000f));
  x = _mm256_or_si256(x, _mm256_slli_epi32(x, 6));
  return _mm256_and_si256(x, _mm256_set1_epi32(0x03030303));
}

INLINE void run_t2(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  struct tables t = tables_of(sink.type, 1, 4, scale);
  size_t j = 0;
  for (; j + 32 <= n; j += 32)
    emit_32(t2_spread(load_8(codes + j / 4)), &t, sink, j);
  if (j < n) plain_t2(codes, j, n, scale, sink);
}

INLINE void run_tq2(const uint8_t *codes, float scale, struct sink sink) {
  const __m256i three = _mm256_set1_epi8(3);
  struct tables t = tables_of(sink.type, 1, 4, scale);
  for (size_t r = 0; r < 2; r++) {
    __m256i x = load(codes + 32 * r);
    emit_32(_mm256_and_si256(x, three), &t, sink, 128 * r);
    emit_32(_mm256_and_si256(_mm256_srli_epi16(x, 2), three), &t, sink,
            128 * r + 32);
    emit_32(_mm256_and_si256(_mm256_srli_epi16(x, 4), three), &t, sink,
            128 * r + 64);
    emit_32(_mm256_and_si256(_mm256_srli_epi16(x, 6), three), &t, sink,
            128 * r + 96);
  }
}

INLINE __m256i tripled(__m256i x) {
  return _mm256_add_epi8(x, _mm256_add_epi8(x, x));
}

/* Trits plus one of bytes to which 128 was added, so that signed comparisons
 * order them; tripling keeps the 128. x * 3 >> 8 is 1 from 86 on, 2 from 171.
 */
INLINE __m256i trits_of(__m256i x) {
  __m256i one = _mm256_cmpgt_epi8(x, _mm256_set1_epi8(85 - 128));
  __m256i two = _mm256_cmpgt_epi8(x, _mm256_set1_epi8(170 - 128));
  return _mm256_sub_epi8(_mm256_sub_epi8(_mm256_setzero_si256(), one), two);
}

INLINE __m256i biased(__m256i x) {
  return _mm256_xor_si256(x, _mm256_set1_epi8((char)0x80));
}

/* Trit n plus one, for power = 3^n. */
INLINE __m256i trits_32(__m256i x, unsigned power) {
  x = biased(x);
  for (; power > 1; power /= 3)
    x = tripled(x);
  return trits_of(x);
}

INLINE __m128i trits_16(__m128i x, unsigned power) {
  return _mm256_castsi256_si128(trits_32(_mm256_castsi128_si256(x), power));
}

/* Elements until the sink is aligned, at most n. */
INLINE size_t head_of(struct sink sink, size_t n) {
  size_t over = (uintptr_t)sink.out % STREAM;
  size_t head = over == 0 ? 0 : (STREAM - over) / sink_width(sink.type);
  return head < n ? head : n;
}

INLINE void trits_power(const uint8_t *codes, size_t n, unsigned power,
                        float scale, struct sink sink) {
  struct tables t = tables_of(sink.type, 1, 3, scale);
  size_t k = sink.stream ? head_of(sink, n) : 0;
  if (k > 0) plain_trits(codes, 0, k, power, scale, sink);
  for (; k + 32 <= n; k += 32)
    emit_32(trits_32(load(codes + k), power), &t, sink, k);
  if (k + 16 <= n) {
    emit_16(trits_16(load_half(codes + k), power), &t, sink, k);
    k += 16;
  }
  if (k < n) plain_trits(codes, k, n, power, scale, sink);
}

INLINE void run_trits(const uint8_t *codes, size_t n, unsigned power,
                      float scale, struct sink sink) {
  if (power == 1) trits_power(codes, n, 1, scale, sink);
  if (power == 3) trits_power(codes, n, 3, scale, sink);
  if (power == 9) trits_power(codes, n, 9, scale, sink);
  if (power == 27) trits_power(codes, n, 27, scale, sink);
  if (power == 81) trits_power(codes, n, 81, scale, sink);
}

/* TQ1_0's last bytes: four of four trits. Their weights 240 + 4n + m side by
 * side are the four bytes, 3^n times each. */
INLINE __m128i tq1_tail(const uint8_t *in) {
  uint32_t word;
  memcpy(&word, in, sizeof word);
  const __m128i bias = _mm_set1_epi8((char)0x80);
  __m128i x = _mm_xor_si128(_mm_set1_epi32((int)word), bias);
  __m128i x3 = _mm_add_epi8(x, _mm_add_epi8(x, x));
  __m128i first = _mm_blend_epi32(x, x3, 0xa);
  __m128i x9 = _mm_add_epi8(first, _mm_add_epi8(first, first));
  x9 = _mm_add_epi8(x9, _mm_add_epi8(x9, x9));
  x = _mm_blend_epi32(first, x9, 0xc);
  return _mm256_castsi256_si128(trits_of(_mm256_castsi128_si256(x)));
}

/* Trits plus one of TQ1_0's last 96 weights: five planes of 16, two to a
 * vector, and the tail beside the fifth. */
INLINE void tq1_last(const uint8_t *in, __m256i out[3]) {
  __m256i y = biased(_mm256_broadcastsi128_si256(load_half(in + 32)));
  y = _mm256_blend_epi32(y, tripled(y), 0xf0);
  out[0] = trits_of(y);
  y = tripled(tripled(y));
  out[1] = trits_of(y);
  out[2] = _mm256_inserti128_si256(trits_of(tripled(tripled(y))),
                                   tq1_tail(in + 48), 1);
}

INLINE void run_tq1(const uint8_t *in, float scale, struct sink sink) {
  struct tables t = tables_of(sink.type, 1, 3, scale);
  __m256i x = biased(load(in)), last[3];
  for (size_t n = 0; n < TRITS; n++, x = tripled(x))
    emit_32(trits_of(x), &t, sink, 32 * n);
  tq1_last(in, last);
  for (size_t n = 0; n < 3; n++)
    emit_32(last[n], &t, sink, 160 + 32 * n);
}

INLINE void run_q4(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  const __m128i nibble = _mm_set1_epi8(15);
  struct tables t = tables_of(sink.type, 8, 16, scale);
  size_t j = 0;
  for (; j + 32 <= n; j += 32) {
    __m128i x = load_half(codes + j / 2);
    __m128i low = _mm_and_si128(x, nibble);
    __m128i high = _mm_and_si128(_mm_srli_epi16(x, 4), nibble);
    __m256i index = _mm256_set_m128i(_mm_unpackhi_epi8(low, high),
                                     _mm_unpacklo_epi8(low, high));
    emit_32(index, &t, sink, j);
  }
  if (j < n) plain_q4(codes, j, n, scale, sink);
}

/* Sixteen bytes of two codes: the low nibbles, then the high ones. */
INLINE __m256i q4_0_spread(const uint8_t *codes) {
  __m128i x = load_half(codes);
  __m256i both = _mm256_set_m128i(_mm_srli_epi16(x, 4), x);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

INLINE void run_q4_0(const uint8_t *codes, float scale, struct sink sink) {
  struct tables t = tables_of(sink.type, 8, 16, scale);
  emit_32(q4_0_spread(codes), &t, sink, 0);
}

INLINE void run_q8_0(const uint8_t *codes, float scale, struct sink sink) {
  struct tables t = {.scale = _mm256_set1_ps(scale)};
  for (size_t j = 0; j < 32; j += 16) {
    __m128i x = load_half(codes + j);
    if (sink.type == FLOAT_F32) {
      emit_16_floats(x, &t, (float *)sink.out + j, sink.stream);
      continue;
    }
    __m256 a = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x));
    __m256 b =
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x)));
    __m128i low = narrow_finite_8(sink.type, _mm256_mul_ps(a, t.scale));
    __m128i high = narrow_finite_8(sink.type, _mm256_mul_ps(b, t.scale));
    store((uint16_t *)sink.out + j, _mm256_set_m128i(high, low), sink.stream);
  }
}

#endif
