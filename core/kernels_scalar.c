/* Kernels in plain C: conversions, and fit, pack and unpack of each codec.
 *
 * Sums are doubles in eight lanes: element i goes to lane i mod 8, and the
 * lanes meet as ((0+4)+(2+6)) + ((1+5)+(3+7)). The order is part of the
 * specification; compile with -ffp-contract=off. */
#include "kernels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static_assert(sizeof(float) == 4, "float is IEEE binary32");

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* binary16:  s eeeee mmmmmmmmmm           bias 15
 * binary32:  s eeeeeeee mmmmmmmmmm 0*13   bias 127, so e grows by 112 */
float f16_to_f32(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  uint32_t rest = half & 0x7fffu;
  uint32_t normal = (rest << 13) + (112u << 23);
  uint32_t special = (rest << 13) | 0x7f800000u;
  uint32_t subnormal = bits_of((float)rest * 0x1p-24f);
  uint32_t bits = rest >= 0x7c00u ? special : normal;
  return float_of(sign | (rest < 0x0400u ? subnormal : bits));
}

/* Adding half an ulp less one, plus the last kept bit, rounds to even. Below
 * 2^-14 the f16 ulp is 2^-24, which is the ulp of floats in [0.5, 1). */
uint16_t f32_to_f16(float value) {
  uint32_t bits = bits_of(value);
  uint32_t rest = bits & 0x7fffffffu;
  uint32_t normal = ((rest + 0xfffu + ((rest >> 13) & 1)) >> 13) - (112u << 10);
  uint32_t subnormal = bits_of(float_of(rest) + 0.5f) - bits_of(0.5f);
  uint32_t nan = 0x7e00u | ((rest >> 13) & 0x3ffu);
  uint32_t half = rest < 0x38800000u ? subnormal : normal;
  half = rest >= 0x477ff000u ? 0x7c00u : half;
  half = rest > 0x7f800000u ? nan : half;
  return (uint16_t)((bits >> 16 & 0x8000u) | half);
}

float bf16_to_f32(uint16_t half) { return float_of((uint32_t)half << 16); }

uint16_t f32_to_bf16(float value) {
  uint32_t bits = bits_of(value);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  uint32_t nan = (bits >> 16) | 0x40u;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

void f16_widen(const uint8_t *in, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, in + 2 * i, sizeof half);
    out[i] = f16_to_f32(half);
  }
}

void bf16_widen(const uint8_t *in, size_t n, float *out) {
  for (size_t i = 0; i < n; i++) {
    uint16_t half;
    memcpy(&half, in + 2 * i, sizeof half);
    out[i] = bf16_to_f32(half);
  }
}

void f16_narrow(const float *in, size_t n, uint16_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = f32_to_f16(in[i]);
}

void bf16_narrow(const float *in, size_t n, uint16_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = f32_to_bf16(in[i]);
}

enum { LANES = 8 };

static double meet(const double lane[LANES]) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
         ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static double sum_abs(const float *w, size_t n) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] += (double)fabsf(w[i + j]);
  for (size_t j = 0; i < n; i++, j++)
    lane[j] += (double)fabsf(w[i]);
  return meet(lane);
}

/* Sum of w * code. */
static double sum_coded(const float *w, const int8_t *codes, size_t n) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] += (double)w[i + j] * codes[i + j];
  for (size_t j = 0; i < n; i++, j++)
    lane[j] += (double)w[i] * codes[i];
  return meet(lane);
}

static int64_t sum_squares(const int8_t *codes, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += codes[i] * codes[i];
  return sum;
}

double squared_error(const float *w, const int8_t *codes, size_t n,
                     float scale) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) {
      double d = (double)w[i + j] - (double)((float)codes[i + j] * scale);
      lane[j] += d * d;
    }
  for (size_t j = 0; i < n; i++, j++) {
    double d = (double)w[i] - (double)((float)codes[i] * scale);
    lane[j] += d * d;
  }
  return meet(lane);
}

void scale_codes(const int8_t *codes, size_t n, float scale, float *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = (float)codes[i] * scale;
}

/* An exponent of all ones is infinity or NaN. */
size_t first_not_finite(const float *w, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t rest = bits_of(w[i]) & 0x7fffffffu;
    largest = rest > largest ? rest : largest;
  }
  if (largest < 0x7f800000u) return n;
  size_t i = 0;
  while ((bits_of(w[i]) & 0x7fffffffu) < 0x7f800000u)
    i++;
  return i;
}

/* ---- b1: one bit a weight ----
 *
 *   byte j/8:  bit 7 ... bit 0      bit j mod 8 is column j
 *   1 is +scale, 0 is -scale; bits past the last column are 0 */

static size_t b1_row_bytes(size_t cols) { return cols / 8 + (cols % 8 != 0); }

/* With codes sign(w) the least-squares scale is the mean magnitude. */
static uint16_t b1_fit(const float *w, size_t n, const struct fit *how,
                       int8_t *codes) {
  (void)how;
  for (size_t i = 0; i < n; i++)
    codes[i] = w[i] >= 0 ? 1 : -1;
  return f32_to_f16((float)(sum_abs(w, n) / (double)n));
}

static void b1_pack(const int8_t *codes, size_t cols, uint8_t *row) {
  memset(row, 0, b1_row_bytes(cols));
  for (size_t j = 0; j < cols; j++)
    row[j / 8] = (uint8_t)(row[j / 8] | (codes[j] > 0) << j % 8);
}

static void b1_unpack(const uint8_t *row, size_t cols, int8_t *codes) {
  for (size_t j = 0; j < cols; j++)
    codes[j] = (int8_t)(2 * (row[j / 8] >> j % 8 & 1) - 1);
}

/* ---- ternary: -scale, 0, +scale ---- */

/* Codes nearest to w among -1, 0, 1 times twice the threshold. Returns how
 * many changed. */
static size_t ternary_codes(const float *w, size_t n, float threshold,
                            int8_t *codes) {
  size_t changed = 0;
  for (size_t i = 0; i < n; i++) {
    int8_t code = (int8_t)((w[i] > threshold) - (w[i] < -threshold));
    changed += code != codes[i];
    codes[i] = code;
  }
  return changed;
}

/* Lloyd's iteration: with given codes the best scale is the mean magnitude of
 * the weights that are not coded 0; with a given scale the best codes split at
 * half of it. Starts at 0.7 of the mean magnitude, within 1 % of the optimum
 * for Gaussian weights, and ends when no code changes. */
static float ternary_least_squares(const float *w, size_t n, double mean,
                                   int iterations, int8_t *codes) {
  float scale = 0;
  ternary_codes(w, n, (float)(0.7 * mean), codes);
  for (int round = 0; round < iterations; round++) {
    int64_t used = sum_squares(codes, n);
    if (used == 0) break;
    scale = (float)(sum_coded(w, codes, n) / (double)used);
    if (ternary_codes(w, n, scale / 2, codes) == 0) break;
  }
  return scale;
}

static uint16_t ternary_fit(const float *w, size_t n, const struct fit *how,
                            int8_t *codes) {
  memset(codes, 0, n);
  double mean = sum_abs(w, n) / (double)n;
  float scale = how->mean_abs
                    ? (float)mean
                    : ternary_least_squares(w, n, mean, how->iterations, codes);
  uint16_t rounded = f32_to_f16(scale);
  if (rounded == 0)
    memset(codes, 0, n);
  else
    ternary_codes(w, n, f16_to_f32(rounded) / 2, codes);
  return rounded;
}

/* ---- t5: five trits a byte, planar ----
 *
 *   m = ceil(cols / 5) bytes; trit n (0..4) of byte k is column n*m + k:
 *
 *     byte      0     1   ...  m-1
 *     trit 0 | c0    c1   ...  c(m-1)
 *     trit 1 | c(m)  ...       c(2m-1)
 *     ...
 *     trit 4 | c(4m) ...       c(5m-1)     past the last column: code 1
 *
 *   code = trit + 1; v = 81 c0 + 27 c1 + 9 c2 + 3 c3 + c4 in 0..242 is stored
 *   as the fraction v / 243 in 256ths, rounded up, so that decoding is a
 *   multiplication: trit n = ((byte * 3^n mod 256) * 3 >> 8) - 1. */

enum { TRITS = 5, TRIT_STATES = 243 };
static_assert(TRIT_STATES == 3 * 3 * 3 * 3 * 3 && TRIT_STATES <= 256,
              "five trits fit a byte");

static size_t t5_row_bytes(size_t cols) {
  return cols / TRITS + (cols % TRITS != 0);
}

static void t5_pack(const int8_t *codes, size_t cols, uint8_t *row) {
  size_t m = t5_row_bytes(cols);
  for (size_t k = 0; k < m; k++) {
    unsigned v = 0;
    for (size_t n = 0; n < TRITS; n++) {
      size_t column = n * m + k;
      v = 3 * v + (unsigned)((column < cols ? codes[column] : 0) + 1);
    }
    row[k] = (uint8_t)((v * 256 + TRIT_STATES - 1) / TRIT_STATES);
  }
}

static void t5_unpack(const uint8_t *row, size_t cols, int8_t *codes) {
  size_t m = t5_row_bytes(cols);
  unsigned power = 1;
  for (size_t start = 0; start < cols; start += m, power *= 3)
    for (size_t k = 0; k < m && start + k < cols; k++)
      codes[start + k] = (int8_t)(((row[k] * power & 255) * 3 >> 8) - 1);
}

/* ---- t2: two bits a weight ----
 *
 *   byte j/4:  bits 76 54 32 10     bits 2(j mod 4) hold column j, code - 1
 *   code 3 stands for +2 and is never written; past the last column: 0 bits */

static size_t t2_row_bytes(size_t cols) { return cols / 4 + (cols % 4 != 0); }

static void t2_pack(const int8_t *codes, size_t cols, uint8_t *row) {
  memset(row, 0, t2_row_bytes(cols));
  for (size_t j = 0; j < cols; j++)
    row[j / 4] = (uint8_t)(row[j / 4] | (codes[j] + 1) << 2 * (j % 4));
}

static void t2_unpack(const uint8_t *row, size_t cols, int8_t *codes) {
  for (size_t j = 0; j < cols; j++)
    codes[j] = (int8_t)((row[j / 4] >> 2 * (j % 4) & 3) - 1);
}

/* ---- q4: four bits a weight, a scale for each 128 columns ----
 *
 *   byte j/2:  high nibble, low nibble     low is the even column, code + 8
 *   codes -7..7; past the last column: 0 bits */

enum { Q4_GROUP = 128, Q4_MAX = 7 };

static size_t q4_row_bytes(size_t cols) { return cols / 2 + cols % 2; }

/* Adding 1.5 * 2^23 leaves no fraction bits: rounds to nearest even. */
static float round_small(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

static void q4_codes(const float *w, size_t n, float scale, int8_t *codes) {
  for (size_t i = 0; i < n; i++) {
    float x = w[i] / scale;
    x = x > Q4_MAX ? Q4_MAX : x;
    x = x < -Q4_MAX ? -Q4_MAX : x;
    codes[i] = (int8_t)round_small(x);
  }
}

static float largest_magnitude(const float *w, size_t n) {
  float largest = 0;
  for (size_t i = 0; i < n; i++)
    largest = fabsf(w[i]) > largest ? fabsf(w[i]) : largest;
  return largest;
}

struct q4_best {
  uint16_t scale;
  double error;
};

/* Tries one scale; keeps it in `best` when its error is less. */
static void q4_try(const float *w, size_t n, float scale, int8_t *codes,
                   struct q4_best *best) {
  uint16_t rounded = f32_to_f16(scale);
  float value = f16_to_f32(rounded);
  if (value == 0 || isinf(value)) return;
  q4_codes(w, n, value, codes);
  double error = squared_error(w, codes, n, value);
  if (error < best->error) *best = (struct q4_best){rounded, error};
}

/* max/7 clips nothing; smaller scales clip the largest weights and resolve the
 * others better. The best of them is refined once by least squares under its
 * own codes. */
static uint16_t q4_fit(const float *w, size_t n, const struct fit *how,
                       int8_t *codes) {
  (void)how;
  float widest = largest_magnitude(w, n) / Q4_MAX;
  struct q4_best best = {f32_to_f16(widest), INFINITY};
  for (int percent = 100; percent >= 65; percent -= 5)
    q4_try(w, n, widest * ((float)percent / 100), codes, &best);
  if (best.error == INFINITY) {
    memset(codes, 0, n);
    return best.scale;
  }
  q4_codes(w, n, f16_to_f32(best.scale), codes);
  int64_t squares = sum_squares(codes, n);
  if (squares > 0) {
    double scale = sum_coded(w, codes, n) / (double)squares;
    q4_try(w, n, (float)scale, codes, &best);
  }
  q4_codes(w, n, f16_to_f32(best.scale), codes);
  return best.scale;
}

static void q4_pack(const int8_t *codes, size_t cols, uint8_t *row) {
  memset(row, 0, q4_row_bytes(cols));
  for (size_t j = 0; j < cols; j++)
    row[j / 2] = (uint8_t)(row[j / 2] | (codes[j] + 8) << 4 * (j % 2));
}

static void q4_unpack(const uint8_t *row, size_t cols, int8_t *codes) {
  for (size_t j = 0; j < cols; j++)
    codes[j] = (int8_t)((row[j / 2] >> 4 * (j % 2) & 15) - 8);
}

const struct codec codecs[] = {
    {"b1", 1.0, 0, b1_row_bytes, b1_fit, b1_pack, b1_unpack},
    {"t5", 1.6, 0, t5_row_bytes, ternary_fit, t5_pack, t5_unpack},
    {"t2", 2.0, 0, t2_row_bytes, ternary_fit, t2_pack, t2_unpack},
    {"q4", 4.0, Q4_GROUP, q4_row_bytes, q4_fit, q4_pack, q4_unpack},
    {NULL, 0, 0, NULL, NULL, NULL, NULL},
};

const struct codec *codec_find(const char *name) {
  const struct codec *codec = codecs;
  while (codec->name != NULL && strcmp(codec->name, name) != 0)
    codec++;
  return codec->name == NULL ? NULL : codec;
}
