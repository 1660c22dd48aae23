/* Every kernel in plain C, included by the file of each instruction set.
 * Kernels there call these for what they leave over and where they have
 * nothing better, so that there is one statement of every result.
 *
 * Float sums have sixteen lanes: element i goes to lane i mod 16; then lanes 8
 * apart are added, then 4, 2 and 1 apart. Sums over weights are made in float
 * over chunks of 256 elements, whose lanes are then added to double lanes in
 * order; products with activations are float throughout. Compile with
 * -ffp-contract=off. */
#ifndef BITTERN_KERNELS_PLAIN_H
#define BITTERN_KERNELS_PLAIN_H

#include <math.h>

#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))
#define MAYBE  static inline __attribute__((unused))
#define APART  static __attribute__((unused, noinline))

enum { LANES = 16, CHUNK = 256 };

/* Columns of the group that starts at `first`. */
INLINE size_t group_at(const struct row *row, size_t first) {
  size_t left = row->cols - first;
  return left < row->group ? left : row->group;
}

/* ---- conversions ---- */

MAYBE void plain_widen(enum float_type type, const void *in, size_t n,
                       float *out) {
  const uint8_t *at = in;
  if (type == FLOAT_F32 && n > 0) memcpy(out, in, n * sizeof *out);
  if (type == FLOAT_F16)
    for (size_t i = 0; i < n; i++)
      out[i] = f16_to_f32(half_at(at + 2 * i));
  if (type == FLOAT_BF16)
    for (size_t i = 0; i < n; i++)
      out[i] = bf16_to_f32(half_at(at + 2 * i));
}

MAYBE void plain_narrow(enum float_type type, const float *in, size_t n,
                        void *out) {
  uint8_t *at = out;
  if (type == FLOAT_F32 && n > 0) memcpy(out, in, n * sizeof *in);
  if (type == FLOAT_F16)
    for (size_t i = 0; i < n; i++)
      put_half(at + 2 * i, f32_to_f16(in[i]));
  if (type == FLOAT_BF16)
    for (size_t i = 0; i < n; i++)
      put_half(at + 2 * i, f32_to_bf16(in[i]));
}

INLINE size_t sink_width(enum float_type type) {
  return type == FLOAT_F32 ? 4 : 2;
}

/* Where element `i` of the sink begins. */
INLINE struct sink sink_at(struct sink sink, size_t i) {
  sink.out = (uint8_t *)sink.out + i * sink_width(sink.type);
  return sink;
}

INLINE void put(struct sink sink, size_t i, float value) {
  uint8_t *at = (uint8_t *)sink.out + i * sink_width(sink.type);
  if (sink.type == FLOAT_F32) memcpy(at, &value, sizeof value);
  if (sink.type == FLOAT_F16) put_half(at, f32_to_f16(value));
  if (sink.type == FLOAT_BF16) put_half(at, f32_to_bf16(value));
}

/* The values that codes low, low + 1 ... stand for, as the sink has them. */
struct values {
  float wide[16];
  uint16_t half[16];
};

INLINE struct values values_of(struct sink sink, int low, int count,
                               float scale) {
  struct values values = {{0}, {0}};
  for (int i = 0; i < count; i++) {
    float value = (float)(low + i) * scale;
    values.wide[i] = value;
    if (sink.type == FLOAT_F16) values.half[i] = f32_to_f16(value);
    if (sink.type == FLOAT_BF16) values.half[i] = f32_to_bf16(value);
  }
  return values;
}

INLINE void put_value(struct sink sink, size_t i, const struct values *values,
                      int index) {
  uint8_t *at = (uint8_t *)sink.out + i * sink_width(sink.type);
  if (sink.type == FLOAT_F32)
    memcpy(at, &values->wide[index], sizeof(float));
  else
    put_half(at, values->half[index]);
}

MAYBE void plain_scale(const int8_t *codes, size_t n, float scale,
                       struct sink sink) {
  for (size_t i = 0; i < n; i++)
    put(sink, i, (float)codes[i] * scale);
}

/* ---- sums ---- */

MAYBE double meet(double lane[LANES]) {
  for (size_t step = LANES / 2; step > 0; step /= 2)
    for (size_t j = 0; j < step; j++)
      lane[j] += lane[j + step];
  return lane[0];
}

APART size_t plain_not_finite(const float *w, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t rest = float_bits(w[i]) & 0x7fffffffu;
    largest = rest > largest ? rest : largest;
  }
  if (largest < 0x7f800000u) return n;
  size_t i = 0;
  while ((float_bits(w[i]) & 0x7fffffffu) < 0x7f800000u)
    i++;
  return i;
}

APART float plain_largest(const float *w, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t rest = float_bits(w[i]) & 0x7fffffffu;
    largest = rest > largest ? rest : largest;
  }
  return float_of(largest);
}

/* Closes a chunk: its lanes join the sums. */
MAYBE void add_chunk(double lane[LANES], const float part[LANES]) {
  for (size_t j = 0; j < LANES; j++)
    lane[j] += (double)part[j];
}

INLINE size_t chunk_end(size_t start, size_t n) {
  return n - start < CHUNK ? n : start + CHUNK;
}

INLINE float square(float x) { return x * x; }

/* Returns the sum of `term`, an expression of the element number `at`. */
#define SUM_IN_LANES(n, term)                                                  \
  double lane[LANES] = {0};                                                    \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    float part[LANES] = {0};                                                   \
    size_t i = start, end = chunk_end(start, n);                               \
    for (; i + LANES <= end; i += LANES)                                       \
      for (size_t j = 0, at = i; j < LANES; j++, at++)                         \
        part[j] += (term);                                                     \
    for (size_t at = i; at < end; at++)                                        \
      part[at % LANES] += (term);                                              \
    add_chunk(lane, part);                                                     \
  }                                                                            \
  return meet(lane)

/* Sum of |w|. */
APART double plain_magnitudes(const float *w, size_t n) {
  SUM_IN_LANES(n, fabsf(w[at]));
}

/* Sum of |w| of the weights above the threshold, and their number. */
APART double plain_above(const float *w, size_t n, float threshold,
                         size_t *count) {
  *count = 0;
  for (size_t i = 0; i < n; i++)
    *count += fabsf(w[i]) > threshold;
  SUM_IN_LANES(n, fabsf(w[at]) > threshold ? fabsf(w[at]) : 0);
}

/* Sum of (w - code * scale)^2. */
APART double plain_error(const float *w, const int8_t *codes, size_t n,
                         float scale) {
  SUM_IN_LANES(n, square(w[at] - (float)codes[at] * scale));
}

/* The same for codes that are the signs of w. */
APART double plain_sign_error(const float *w, size_t n, float scale) {
  SUM_IN_LANES(n, square(fabsf(w[at]) - scale));
}

INLINE float meet_floats(float *lane, size_t lanes) {
  for (size_t step = lanes / 2; step > 0; step /= 2)
    for (size_t j = 0; j < step; j++)
      lane[j] += lane[j + step];
  return lane[0];
}

/* Takes up at element `first` with lanes that hold what came before it. */
APART float rest_of_dot(const float *a, const float *b, size_t first, size_t n,
                        float lane[LANES]) {
  for (size_t i = first; i < n; i++)
    lane[i % LANES] += a[i] * b[i];
  return meet_floats(lane, LANES);
}

APART float plain_dot(const float *a, const float *b, size_t n) {
  float lane[LANES] = {0};
  return rest_of_dot(a, b, 0, n, lane);
}

/* ---- b1, Q1_0: one bit a weight ----
 *
 *   byte j/8:  bit 7 ... bit 0      bit j mod 8 is column j
 *   1 is +scale, 0 is -scale; bits past the last column are 0
 *
 *   Q1_0, 18 bytes, 128 weights:  | f16 d | 16 bytes as above | */

INLINE int b1_bit(const uint8_t *codes, size_t j) {
  return codes[j / 8] >> j % 8 & 1;
}

INLINE int b1_code(const uint8_t *codes, size_t j) {
  return 2 * b1_bit(codes, j) - 1;
}

MAYBE void plain_b1(const uint8_t *codes, size_t first, size_t n, float scale,
                    struct sink sink) {
  struct values values = values_of(sink, -1, 3, scale);
  for (size_t j = first; j < n; j++)
    put_value(sink, j, &values, 2 * b1_bit(codes, j));
}

MAYBE void plain_signs(const float *w, size_t first, size_t n, uint8_t *codes) {
  if (first < n) memset(codes + first / 8, 0, (n - first + 7) / 8);
  for (size_t j = first; j < n; j++)
    codes[j / 8] = (uint8_t)(codes[j / 8] | (w[j] >= 0) << j % 8);
}

/* ---- t2, Q2_0: two bits a weight ----
 *
 *   byte j/4:  bits 76 54 32 10     bits 2(j mod 4) hold column j, code + 1
 *   3 stands for +2 and is never written; past the last column: 0 bits
 *
 *   Q2_0, 18 bytes, 64 weights:   | f16 d | 16 bytes as above | */

INLINE int t2_code(const uint8_t *codes, size_t j) {
  return (codes[j / 4] >> 2 * (j % 4) & 3) - 1;
}

MAYBE void plain_t2(const uint8_t *codes, size_t first, size_t n, float scale,
                    struct sink sink) {
  struct values values = values_of(sink, -1, 4, scale);
  for (size_t j = first; j < n; j++)
    put_value(sink, j, &values, t2_code(codes, j) + 1);
}

/* ---- TQ2_0: two bits a weight, in planes of 32 ----
 *
 *   66 bytes, 256 weights:        | 64 bytes qs | f16 d |
 *   byte 32r + m, bits 2l:        weight 128r + 32l + m, code + 1 */

MAYBE void plain_tq2(const uint8_t *codes, float scale, struct sink sink) {
  struct values values = values_of(sink, -1, 4, scale);
  for (size_t j = 0; j < 256; j++)
    put_value(sink, j, &values,
              codes[j / 128 * 32 + j % 32] >> j / 32 % 4 * 2 & 3);
}

/* ---- t5, TQ1_0: five trits a byte, planar ----
 *
 *   t5: m = ceil(cols / 5) bytes; trit n (0..4) of byte k is column n*m + k:
 *
 *     byte      0     1   ...  m-1
 *     trit 0 | c0    c1   ...  c(m-1)
 *     trit 1 | c(m)  ...       c(2m-1)
 *     ...
 *     trit 4 | c(4m) ...       c(5m-1)     past the last column: code 0
 *
 *   v = the sum of (trit n + 1) 3^(4-n) in 0..242 is stored as the fraction
 *   v / 243 in 256ths, rounded up, so that decoding is a multiplication:
 *   trit n = ((byte * 3^n mod 256) * 3 >> 8) - 1.
 *
 *   TQ1_0, 54 bytes, 256 weights: | 48 bytes qs | 4 bytes qh | f16 d |
 *     byte m of qs, m < 32, trit n:    weight 32n + m
 *     byte 32 + m of qs, trit n:       weight 160 + 16n + m
 *     byte m of qh, trit n < 4:        weight 240 + 4n + m */

enum { TRITS = 5, TRIT_STATES = 243 };
static_assert(TRIT_STATES == 3 * 3 * 3 * 3 * 3 && TRIT_STATES <= 256,
              "five trits fit a byte");

/* Trit n for power = 3^n. */
INLINE int trit_code(uint8_t byte, unsigned power) {
  return (int)((byte * power & 255) * 3 >> 8) - 1;
}

INLINE uint8_t trit_byte(unsigned v) {
  return (uint8_t)((v * 256 + TRIT_STATES - 1) / TRIT_STATES);
}

MAYBE void plain_trits(const uint8_t *codes, size_t first, size_t n,
                       unsigned power, float scale, struct sink sink) {
  struct values values = values_of(sink, -1, 3, scale);
  for (size_t k = first; k < n; k++)
    put_value(sink, k, &values, trit_code(codes[k], power) + 1);
}

MAYBE void plain_tq1(const uint8_t *in, float scale, struct sink sink) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  for (size_t n = 0; n < TRITS; n++) {
    plain_trits(in, 0, 32, powers[n], scale, sink_at(sink, 32 * n));
    plain_trits(in + 32, 0, 16, powers[n], scale, sink_at(sink, 160 + 16 * n));
    if (n < 4)
      plain_trits(in + 48, 0, 4, powers[n], scale, sink_at(sink, 240 + 4 * n));
  }
}

/* Bytes of `n` columns of trits, the columns of a byte `stride` apart; `count`
 * bytes of which the last may run past `n` codes. */
MAYBE void plain_pack_trits(const int8_t *codes, size_t n, size_t stride,
                            size_t count, uint8_t *out) {
  size_t whole = n > 4 * stride ? n - 4 * stride : 0;
  whole = whole < count ? whole : count;
  const int8_t *c0 = codes, *c1 = codes + stride, *c2 = codes + 2 * stride,
               *c3 = codes + 3 * stride, *c4 = codes + 4 * stride;
  for (size_t k = 0; k < whole; k++) {
    int v = 81 * c0[k] + 27 * c1[k] + 9 * c2[k] + 3 * c3[k] + c4[k] + 121;
    out[k] = trit_byte((unsigned)v);
  }
  for (size_t k = whole; k < count; k++) {
    int v = 0;
    for (size_t t = 0; t < TRITS; t++)
      v = 3 * v + (t * stride + k < n ? codes[t * stride + k] : 0) + 1;
    out[k] = trit_byte((unsigned)v);
  }
}

/* ---- q4: four bits a weight, a scale for each 128 columns ----
 *
 *   byte j/2:  high nibble, low nibble     low is the even column, code + 8
 *   codes -7..7; past the last column: 0 bits */

enum { Q4_MAX = 7 };

INLINE int q4_code(const uint8_t *codes, size_t j) {
  return (codes[j / 2] >> 4 * (j % 2) & 15) - 8;
}

MAYBE void plain_q4(const uint8_t *codes, size_t first, size_t n, float scale,
                    struct sink sink) {
  struct values values = values_of(sink, -8, 16, scale);
  for (size_t j = first; j < n; j++)
    put_value(sink, j, &values, q4_code(codes, j) + 8);
}

/* ---- Q4_0 ----
 *
 *   18 bytes, 32 weights:         | f16 d | 16 bytes |
 *   byte j: low nibble weight j, high nibble weight j + 16; code + 8 */

INLINE int q4_0_code(const uint8_t *codes, size_t j) {
  return (codes[j % 16] >> 4 * (j / 16) & 15) - 8;
}

MAYBE void plain_q4_0(const uint8_t *codes, float scale, struct sink sink) {
  struct values values = values_of(sink, -8, 16, scale);
  for (size_t j = 0; j < 32; j++)
    put_value(sink, j, &values, q4_0_code(codes, j) + 8);
}

/* ---- Q8_0 ----
 *
 *   34 bytes, 32 weights:         | f16 d | 32 int8 | */

MAYBE void plain_q8_0(const uint8_t *codes, float scale, struct sink sink) {
  for (size_t j = 0; j < 32; j++)
    put(sink, j, (float)(int8_t)codes[j] * scale);
}

#endif
