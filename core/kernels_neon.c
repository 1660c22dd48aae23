/* The kernels for 64-bit ARM with the dot product instructions. Four vectors of
 * four floats are the sixteen lanes of kernels_plain.h in order. Nothing is
 * fused. What compilers make of the plain kernels is as good where there is
 * nothing here. */
#include "kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels_fit_vector.h"

/* ---- decoding: indices choose among sixteen values ---- */

struct tables {
  float32x4_t scale;
  uint8x16_t low, high; /* bytes of the 16-bit value of each index */
  int8x16_t bias;       /* index of code 0 */
};

INLINE struct tables tables_of(struct sink sink, int bias, int count,
                               float scale) {
  struct values values = values_of(sink, -bias, count, scale);
  uint8_t bytes[32];
  memcpy(bytes, values.half, sizeof bytes);
  uint8x16x2_t halves = vld2q_u8(bytes);
  return (struct tables){vdupq_n_f32(scale), halves.val[0], halves.val[1],
                         vdupq_n_s8((int8_t)bias)};
}

INLINE void emit_8_floats(int16x8_t codes, float32x4_t scale, float *out) {
  float32x4_t a = vcvtq_f32_s32(vmovl_s16(vget_low_s16(codes)));
  float32x4_t b = vcvtq_f32_s32(vmovl_high_s16(codes));
  vst1q_f32(out, vmulq_f32(a, scale));
  vst1q_f32(out + 4, vmulq_f32(b, scale));
}

INLINE void emit_floats(int8x16_t codes, float32x4_t scale, float *out) {
  emit_8_floats(vmovl_s8(vget_low_s8(codes)), scale, out);
  emit_8_floats(vmovl_high_s8(codes), scale, out + 8);
}

/* Values `i` to i + 15 of the sink, by their indices. */
INLINE void emit_16(uint8x16_t index, const struct tables *t, struct sink sink,
                    size_t i) {
  void *out = sink_at(sink, i).out;
  if (sink.type == FLOAT_F32) {
    emit_floats(vsubq_s8(vreinterpretq_s8_u8(index), t->bias), t->scale, out);
    return;
  }
  uint8x16x2_t bytes = {
      {vqtbl1q_u8(t->low, index), vqtbl1q_u8(t->high, index)}};
  vst2q_u8(out, bytes);
}

INLINE void run_b1(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  static const uint8_t bit_of[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                     1, 2, 4, 8, 16, 32, 64, 128};
  struct tables t = tables_of(sink, 1, 3, scale);
  const uint8x16_t bits = vld1q_u8(bit_of), two = vdupq_n_u8(2);
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    uint8x16_t x =
        vcombine_u8(vdup_n_u8(codes[j / 8]), vdup_n_u8(codes[j / 8 + 1]));
    emit_16(vandq_u8(vtstq_u8(x, bits), two), &t, sink, j);
  }
  if (j < n) plain_b1(codes, j, n, scale, sink);
}

INLINE void run_t2(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  static const uint8_t byte_of[16] = {0, 0, 0, 0, 1, 1, 1, 1,
                                      2, 2, 2, 2, 3, 3, 3, 3};
  static const int8_t shift_of[16] = {0, -2, -4, -6, 0, -2, -4, -6,
                                      0, -2, -4, -6, 0, -2, -4, -6};
  struct tables t = tables_of(sink, 1, 4, scale);
  const uint8x16_t bytes = vld1q_u8(byte_of), three = vdupq_n_u8(3);
  const int8x16_t shifts = vld1q_s8(shift_of);
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    uint32_t word;
    memcpy(&word, codes + j / 4, sizeof word);
    uint8x16_t x = vqtbl1q_u8(vreinterpretq_u8_u32(vdupq_n_u32(word)), bytes);
    emit_16(vandq_u8(vshlq_u8(x, shifts), three), &t, sink, j);
  }
  if (j < n) plain_t2(codes, j, n, scale, sink);
}

/* Bits `shift` and on of each byte. */
INLINE uint8x16_t shifted(uint8x16_t x, size_t shift, uint8_t mask) {
  return vandq_u8(vshlq_u8(x, vdupq_n_s8((int8_t) - (int)shift)),
                  vdupq_n_u8(mask));
}

INLINE void run_tq2(const uint8_t *codes, float scale, struct sink sink) {
  struct tables t = tables_of(sink, 1, 4, scale);
  for (size_t r = 0; r < 2; r++)
    for (size_t half = 0; half < 2; half++) {
      uint8x16_t x = vld1q_u8(codes + 32 * r + 16 * half);
      for (size_t l = 0; l < 4; l++)
        emit_16(shifted(x, 2 * l, 3), &t, sink, 128 * r + 32 * l + 16 * half);
    }
}

/* Trits plus one: x * 3 >> 8 is 1 from 86 on, 2 from 171 on. */
INLINE uint8x16_t trits_of(uint8x16_t x) {
  uint8x16_t one = vcgeq_u8(x, vdupq_n_u8(86));
  uint8x16_t two = vcgeq_u8(x, vdupq_n_u8(171));
  return vsubq_u8(vsubq_u8(vdupq_n_u8(0), one), two);
}

INLINE uint8x16_t trits_16(const uint8_t *codes, unsigned power) {
  return trits_of(vmulq_u8(vld1q_u8(codes), vdupq_n_u8((uint8_t)power)));
}

INLINE void run_trits(const uint8_t *codes, size_t n, unsigned power,
                      float scale, struct sink sink) {
  struct tables t = tables_of(sink, 1, 3, scale);
  size_t k = 0;
  for (; k + 16 <= n; k += 16)
    emit_16(trits_16(codes + k, power), &t, sink, k);
  if (k < n) plain_trits(codes, k, n, power, scale, sink);
}

/* TQ1_0's last bytes: four of four trits. Their weights 240 + 4n + m side by
 * side are the four bytes, 3^n times each. */
INLINE uint8x16_t tq1_tail(const uint8_t *in) {
  static const uint8_t powers[16] = {1, 1, 1, 1, 3,  3,  3,  3,
                                     9, 9, 9, 9, 27, 27, 27, 27};
  uint32_t word;
  memcpy(&word, in, sizeof word);
  uint8x16_t x = vreinterpretq_u8_u32(vdupq_n_u32(word));
  return trits_of(vmulq_u8(x, vld1q_u8(powers)));
}

INLINE void run_tq1(const uint8_t *in, float scale, struct sink sink) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  struct tables t = tables_of(sink, 1, 3, scale);
  for (size_t n = 0; n < TRITS; n++) {
    emit_16(trits_16(in, powers[n]), &t, sink, 32 * n);
    emit_16(trits_16(in + 16, powers[n]), &t, sink, 32 * n + 16);
    emit_16(trits_16(in + 32, powers[n]), &t, sink, 160 + 16 * n);
  }
  emit_16(tq1_tail(in + 48), &t, sink, 240);
}

INLINE void run_q4(const uint8_t *codes, size_t n, float scale,
                   struct sink sink) {
  struct tables t = tables_of(sink, 8, 16, scale);
  size_t j = 0;
  for (; j + 16 <= n; j += 16) {
    uint8x8_t x = vld1_u8(codes + j / 2);
    uint8x8x2_t pair = vzip_u8(vand_u8(x, vdup_n_u8(15)), vshr_n_u8(x, 4));
    emit_16(vcombine_u8(pair.val[0], pair.val[1]), &t, sink, j);
  }
  if (j < n) plain_q4(codes, j, n, scale, sink);
}

INLINE void run_q4_0(const uint8_t *codes, float scale, struct sink sink) {
  struct tables t = tables_of(sink, 8, 16, scale);
  uint8x16_t x = vld1q_u8(codes);
  emit_16(vandq_u8(x, vdupq_n_u8(15)), &t, sink, 0);
  emit_16(vshrq_n_u8(x, 4), &t, sink, 16);
}

INLINE void run_q8_0(const uint8_t *codes, float scale, struct sink sink) {
  float tile[32], *out = sink.type == FLOAT_F32 ? sink.out : tile;
  for (size_t j = 0; j < 32; j += 16)
    emit_floats(vreinterpretq_s8_u8(vld1q_u8(codes + j)), vdupq_n_f32(scale),
                out + j);
  if (sink.type == FLOAT_F16)
    for (size_t j = 0; j < 32; j += 4)
      vst1_u16((uint16_t *)sink.out + j,
               vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(tile + j))));
  if (sink.type == FLOAT_BF16) plain_narrow(FLOAT_BF16, tile, 32, sink.out);
}

/* ---- sums ---- */

/* SUM_IN_LANES with four elements at `at` for the vectors, one for what is left
 * of a chunk. */
#define SUM_IN_FOURS(n, four, term)                                            \
  double lane[LANES] = {0};                                                    \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    float32x4_t sum[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),      \
                          vdupq_n_f32(0)};                                     \
    size_t i = start, end = chunk_end(start, n);                               \
    for (; i + LANES <= end; i += LANES)                                       \
      for (size_t h = 0, at = i; h < 4; h++, at += 4)                          \
        sum[h] = vaddq_f32(sum[h], (four));                                    \
    float part[LANES];                                                         \
    for (size_t h = 0; h < 4; h++)                                             \
      vst1q_f32(part + 4 * h, sum[h]);                                         \
    for (size_t at = i; at < end; at++)                                        \
      part[at % LANES] += (term);                                              \
    add_chunk(lane, part);                                                     \
  }                                                                            \
  return meet(lane)

INLINE float32x4_t square_4(float32x4_t v) { return vmulq_f32(v, v); }

static double magnitudes(const float *w, size_t n) {
  SUM_IN_FOURS(n, vabsq_f32(vld1q_f32(w + at)), fabsf(w[at]));
}

INLINE float32x4_t above_4(const float *w, float32x4_t limit,
                           uint32x4_t *minus) {
  float32x4_t v = vabsq_f32(vld1q_f32(w));
  uint32x4_t is = vcgtq_f32(v, limit);
  *minus = vaddq_u32(*minus, is);
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), is));
}

INLINE float above_1(float w, float limit, size_t *count) {
  *count += fabsf(w) > limit;
  return fabsf(w) > limit ? fabsf(w) : 0;
}

static double above_some(const float *w, size_t n, float threshold,
                         uint32x4_t *minus, size_t *count) {
  const float32x4_t limit = vdupq_n_f32(threshold);
  SUM_IN_FOURS(n, above_4(w + at, limit, minus),
               above_1(w[at], threshold, count));
}

static double above(const float *w, size_t n, float threshold, size_t *count) {
  uint32x4_t minus = vdupq_n_u32(0);
  *count = 0;
  double sum = above_some(w, n, threshold, &minus, count);
  *count += (size_t)-vaddvq_s32(vreinterpretq_s32_u32(minus));
  return sum;
}

INLINE float32x4_t code_floats(const int8_t *codes) {
  uint32_t word;
  memcpy(&word, codes, sizeof word);
  int8x8_t bytes = vreinterpret_s8_u32(vdup_n_u32(word));
  return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
}

static double code_error(const float *w, const int8_t *codes, size_t n,
                         float scale) {
  SUM_IN_FOURS(n,
               square_4(vsubq_f32(vld1q_f32(w + at),
                                  vmulq_n_f32(code_floats(codes + at), scale))),
               square(w[at] - (float)codes[at] * scale));
}

static double sign_error(const float *w, size_t n, float scale) {
  const float32x4_t level = vdupq_n_f32(scale);
  SUM_IN_FOURS(n, square_4(vsubq_f32(vabsq_f32(vld1q_f32(w + at)), level)),
               square(fabsf(w[at]) - scale));
}

static float dot(const float *a, const float *b, size_t n) {
  float32x4_t sum[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),
                        vdupq_n_f32(0)};
  float lane[LANES];
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t h = 0; h < 4; h++)
      sum[h] = vaddq_f32(sum[h], vmulq_f32(vld1q_f32(a + i + 4 * h),
                                           vld1q_f32(b + i + 4 * h)));
  for (size_t h = 0; h < 4; h++)
    vst1q_f32(lane + 4 * h, sum[h]);
  return rest_of_dot(a, b, i, n, lane);
}

INLINE void signs(const float *w, size_t n, uint8_t *codes) {
  static const uint32_t bit_of[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint32x4_t low = vld1q_u32(bit_of), high = vld1q_u32(bit_of + 4);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint32x4_t a = vandq_u32(vcgezq_f32(vld1q_f32(w + i)), low);
    uint32x4_t b = vandq_u32(vcgezq_f32(vld1q_f32(w + i + 4)), high);
    codes[i / 8] = (uint8_t)vaddvq_u32(vorrq_u32(a, b));
  }
  if (i < n) plain_signs(w, i, n, codes);
}

static double signs_error(const float *w, size_t n, uint8_t *codes,
                          float scale) {
  signs(w, n, codes);
  return sign_error(w, n, scale);
}

/* ---- products ---- */

INLINE int32x4_t add_fours(int32x4_t sum, uint8x16_t u, const int8_t *q) {
  return vdotq_s32(sum, vreinterpretq_s8_u8(u), vld1q_s8(q));
}

/* The sums of 16 bytes whose columns lie in planes of 32. */
INLINE int32x4_t add_planes(size_t planes, int32x4_t sum, const uint8_t *codes,
                            const int8_t *q) {
  const size_t bits = 8 / planes;
  uint8x16_t x = vld1q_u8(codes);
  for (size_t p = 0; p < planes; p++)
    sum = add_fours(sum, shifted(x, p * bits, (uint8_t)((1u << bits) - 1)),
                    q + 32 * p);
  return sum;
}

INLINE void sum_planes(size_t planes, const uint8_t *a, const uint8_t *b,
                       const int8_t *q, int32_t sums[2]) {
  const int32x4_t zero = vdupq_n_s32(0);
  sums[0] = vaddvq_s32(add_planes(planes, zero, a, q));
  sums[1] = vaddvq_s32(add_planes(planes, zero, b, q + 16));
}

INLINE int32_t sum_spans(size_t planes, const uint8_t *codes, size_t count,
                         const int8_t *q) {
  int32x4_t a = vdupq_n_s32(0), b = a;
  for (size_t i = 0; i < count; i++, codes += 32, q += 32 * planes) {
    a = add_planes(planes, a, codes, q);
    b = add_planes(planes, b, codes + 16, q + 16);
  }
  return vaddvq_s32(vaddq_s32(a, b));
}

INLINE int32_t sum_trits(const uint8_t *codes, size_t n, unsigned power,
                         const int8_t *q) {
  int32x4_t total = vdupq_n_s32(0);
  size_t k = 0;
  for (; k + 16 <= n; k += 16)
    total = add_fours(total, trits_16(codes + k, power), q + k);
  int32_t sum = vaddvq_s32(total);
  for (; k < n; k++)
    sum += (trit_code(codes[k], power) + 1) * q[k];
  return sum;
}

INLINE int32_t sum_tq1(const uint8_t *in, const int8_t *q) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  int32x4_t a = vdupq_n_s32(0), b = a;
  for (size_t n = 0; n < TRITS; n++) {
    a = add_fours(a, trits_16(in, powers[n]), q + 32 * n);
    b = add_fours(b, trits_16(in + 16, powers[n]), q + 32 * n + 16);
    a = add_fours(a, trits_16(in + 32, powers[n]), q + 160 + 16 * n);
  }
  b = add_fours(b, tq1_tail(in + 48), q + 240);
  return vaddvq_s32(vaddq_s32(a, b));
}

INLINE int32_t sum_q4_0(const uint8_t *codes, const int8_t *q) {
  uint8x16_t x = vld1q_u8(codes);
  int32x4_t sum = add_fours(vdupq_n_s32(0), vandq_u8(x, vdupq_n_u8(15)), q);
  return vaddvq_s32(add_fours(sum, vshrq_n_u8(x, 4), q + 16));
}

INLINE int32_t sum_codes(const int8_t *codes, size_t n, const int8_t *q) {
  int32x4_t total = vdupq_n_s32(0);
  size_t k = 0;
  for (; k + 16 <= n; k += 16)
    total = vdotq_s32(total, vld1q_s8(codes + k), vld1q_s8(q + k));
  int32_t sum = vaddvq_s32(total);
  for (; k < n; k++)
    sum += codes[k] * q[k];
  return sum;
}

#define MAGNITUDES  magnitudes
#define ABOVE       above
#define ERROR       code_error
#define SIGN_ERROR  sign_error
#define DOT         dot
#define SIGNS       signs
#define SIGNS_ERROR signs_error
#define RUN_B1      run_b1
#define RUN_T2      run_t2
#define RUN_Q4      run_q4
#define RUN_TRITS   run_trits
#define RUN_TQ1     run_tq1
#define RUN_TQ2     run_tq2
#define RUN_Q4_0    run_q4_0
#define RUN_Q8_0    run_q8_0
#define SUM_PLANES  sum_planes
#define SUM_SPANS   sum_spans
#define SUM_TRITS   sum_trits
#define SUM_TQ1     sum_tq1
#define SUM_Q4_0    sum_q4_0
#define SUM_CODES   sum_codes

#define KERNELS  kernels_neon
#define ISA_NAME "neon"
#include "kernels_rows.h"
#endif
