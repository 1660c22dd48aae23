/* Encoding of rows, on the kernels named in kernels_rows.h. */
#ifndef BITTERN_KERNELS_ENCODE_H
#define BITTERN_KERNELS_ENCODE_H

#include "kernels_fit_plain.h"

enum { F16_INFINITY = 0x7c00 };

/* 1 / d, or 0 where that is no number: d is 0 or close to it. */
INLINE float inverse_of(float d) {
  float inverse = d != 0 ? 1 / d : 0;
  return isinf(inverse) ? 0 : inverse;
}

/* Lloyd's iteration: with given codes the best scale is the mean magnitude of
 * the weights that are not coded 0; with a given scale the best codes split at
 * half of it. Starts at 0.7 of the mean magnitude, within 1 % of the optimum
 * for Gaussian weights, and ends when no code changes: the weights above a
 * threshold are then as many as before. */
static float ternary_least_squares(const float *w, size_t n, double mean,
                                   int iterations) {
  float scale = 0;
  size_t used = 0, before;
  double sum = ABOVE(w, n, (float)(0.7 * mean), &used);
  for (int round = 0; round < iterations && used > 0; round++) {
    scale = (float)(sum / (double)used);
    before = used;
    sum = ABOVE(w, n, scale / 2, &used);
    if (used == before) break;
  }
  return scale;
}

/* Fills the codes of `n` > 0 weights and returns their f16 scale. The codes are
 * nearest under the rounded scale. */
static uint16_t ternary_fit(const float *w, size_t n, const struct fit *how,
                            int8_t *codes) {
  double mean = MAGNITUDES(w, n) / (double)n;
  if (!isfinite(mean)) return F16_INFINITY;
  float scale = how->mean_abs
                    ? (float)mean
                    : ternary_least_squares(w, n, mean, how->iterations);
  uint16_t rounded = f32_to_f16(scale);
  if (rounded == 0)
    memset(codes, 0, n);
  else
    TERNARY_CODES(w, n, f16_to_f32(rounded) / 2, codes);
  return rounded;
}

/* Weights of the `k`th group of 128. */
INLINE size_t q4_group(size_t n, size_t k) {
  size_t left = n - Q4_GROUP * k;
  return left < Q4_GROUP ? left : Q4_GROUP;
}

/* The scale of the best try from the sums of all: with codes q, the
 * least-squares scale is sum(uq) / sum(qq) and takes sum(uq)^2 / sum(qq) off
 * the error. Sums are below 2^20 and 2^13, so that these compare exactly in 64
 * bits.
 */
INLINE float q4_best(const int32_t sums[2 * Q4_TRIES], float largest) {
  int64_t product = sums[0], squares = sums[Q4_TRIES];
  for (size_t t = 1; t < Q4_TRIES; t++) {
    int64_t p = sums[t], s = sums[Q4_TRIES + t];
    bool better = p * p * squares > product * product * s;
    product = better ? p : product;
    squares = better ? s : squares;
  }
  double scale = squares > 0 ? (double)product / (double)squares : 0;
  return (float)(scale / Q4_GRID * (double)largest);
}

/* Groups whose scales are found together: each waits long for its last
 * additions and its divisions, and they can wait together. */
enum { Q4_BATCH = 8 };

/* Scales of the groups of at most Q4_BATCH x 128 weights. Tries are made on a
 * grid of integers, largest weight = 896, where 7 * 128 is exact. */
static void q4_scales(const float *w, size_t n, uint16_t *scales) {
  int16_t grid[Q4_GROUP];
  int32_t sums[Q4_BATCH][2 * Q4_TRIES];
  float most[Q4_BATCH];
  size_t groups = n / Q4_GROUP + (n % Q4_GROUP != 0);
  for (size_t k = 0; k < groups; k++)
    most[k] = LARGEST(w + Q4_GROUP * k, q4_group(n, k));
  for (size_t k = 0; k < groups; k++) {
    float factor = inverse_of(most[k]) * Q4_GRID;
    bool held = isfinite(factor) && isfinite(most[k]);
    Q4_FILL_GRID(w + Q4_GROUP * k, held ? q4_group(n, k) : 0, factor, grid);
    Q4_SUMS(grid, sums[k]);
  }
  for (size_t k = 0; k < groups; k++)
    scales[k] = isfinite(most[k]) ? f32_to_f16(q4_best(sums[k], most[k]))
                                  : F16_INFINITY;
}

/* ---- rows of ours: codes of the whole row, then packed ---- */

MAYBE void pack_t2(const int8_t *codes, size_t n, uint8_t *out) {
  size_t whole = n / 4;
  for (size_t k = 0; k < whole; k++) {
    const int8_t *c = codes + 4 * k;
    out[k] = (uint8_t)((c[0] + 1) | (c[1] + 1) << 2 | (c[2] + 1) << 4 |
                       (c[3] + 1) << 6);
  }
  if (n % 4 != 0) out[whole] = 0;
  for (size_t j = 4 * whole; j < n; j++)
    out[whole] = (uint8_t)(out[whole] | (codes[j] + 1) << 2 * (j % 4));
}

MAYBE void pack_q4(const int8_t *codes, size_t n, uint8_t *out) {
  for (size_t k = 0; k < n / 2; k++)
    out[k] = (uint8_t)((codes[2 * k] + 8) | (codes[2 * k + 1] + 8) << 4);
  if (n % 2 != 0) out[n / 2] = (uint8_t)(codes[n - 1] + 8);
}

/* The signs of eight codes, 1 and -1, as bits: multiplying shifts the one bit
 * that is left of byte k to bit 56 + k. */
INLINE uint8_t bits_of_8(const int8_t *codes) {
  uint64_t word;
  memcpy(&word, codes, sizeof word);
  return (uint8_t)((~word >> 7 & 0x0101010101010101u) * 0x0102040810204080u >>
                   56);
}

MAYBE void pack_b1(const int8_t *codes, size_t n, uint8_t *out) {
  for (size_t k = 0; k < n / 8; k++)
    out[k] = bits_of_8(codes + 8 * k);
  if (n % 8 != 0) out[n / 8] = 0;
  for (size_t j = n - n % 8; j < n; j++)
    out[j / 8] = (uint8_t)(out[j / 8] | (codes[j] > 0) << j % 8);
}

static void pack_row(const struct codec *codec, const int8_t *codes, size_t n,
                     uint8_t *out) {
  size_t m = n / TRITS + (n % TRITS != 0);
  if (codec->id == CODEC_B1) pack_b1(codes, n, out);
  if (codec->id == CODEC_T2) pack_t2(codes, n, out);
  if (codec->id == CODEC_T5) plain_pack_trits(codes, n, m, m, out);
  if (codec->id == CODEC_Q4) pack_q4(codes, n, out);
}

/* With codes sign(w) the least-squares scale is the mean magnitude. */
static uint16_t binary_scale(const float *w, size_t n) {
  return f32_to_f16((float)(MAGNITUDES(w, n) / (double)n));
}

INLINE void encode_signs(const float *w, size_t n, uint8_t *codes,
                         uint16_t scale, double *error) {
  if (error && codes)
    *error += SIGNS_ERROR(w, n, codes, f16_to_f32(scale));
  else if (error)
    *error += SIGN_ERROR(w, n, f16_to_f32(scale));
  else
    SIGNS(w, n, codes);
}

static size_t encode_b1(const struct row *row, const float *w, int8_t *scratch,
                        uint8_t *codes, uint16_t *scales, double *error) {
  bool direct = !codes || row->group % 8 == 0 || row->group >= row->cols;
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t n = group_at(row, first);
    uint16_t scale = binary_scale(w + first, n);
    if (!half_is_finite(scale)) return first;
    *scales++ = scale;
    if (direct) {
      encode_signs(w + first, n, codes ? codes + first / 8 : NULL, scale,
                   error);
      continue;
    }
    for (size_t j = first; j < first + n; j++)
      scratch[j] = w[j] >= 0 ? 1 : -1;
    if (error) *error += SIGN_ERROR(w + first, n, f16_to_f32(scale));
  }
  if (!direct) pack_b1(scratch, row->cols, codes);
  return row->cols;
}

static size_t encode_ternary(const struct row *row, const struct fit *how,
                             const float *w, int8_t *scratch, uint8_t *codes,
                             uint16_t *scales, double *error) {
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t n = group_at(row, first);
    uint16_t scale = ternary_fit(w + first, n, how, scratch + first);
    if (!half_is_finite(scale)) return first;
    *scales++ = scale;
    if (error)
      *error += ERROR(w + first, scratch + first, n, f16_to_f32(scale));
  }
  if (codes) pack_row(row->codec, scratch, row->cols, codes);
  return row->cols;
}

/* Columns from `first` on whose scales are found together. */
INLINE size_t q4_batch(const struct row *row, size_t first) {
  size_t left = row->cols - first, most = Q4_BATCH * Q4_GROUP;
  return left < most ? left : most;
}

static size_t encode_q4(const struct row *row, const float *w, int8_t *scratch,
                        uint8_t *codes, uint16_t *scales, double *error) {
  for (size_t at = 0; at < row->cols; at += Q4_GROUP) {
    if (at % (Q4_BATCH * Q4_GROUP) == 0)
      q4_scales(w + at, q4_batch(row, at), scales);
    if (!half_is_finite(*scales)) return at;
    float scale = f16_to_f32(*scales++), inverse = inverse_of(scale);
    size_t n = q4_group(row->cols, at / Q4_GROUP);
    if (error && codes)
      *error += Q4_BOTH(w + at, n, inverse, scale, scratch + at);
    else if (error)
      *error += Q4_ERROR(w + at, n, inverse, scale);
    else
      Q4_CODES(w + at, n, inverse, scratch + at);
  }
  if (codes) pack_q4(scratch, row->cols, codes);
  return row->cols;
}

/* ---- blocks of GGUF ---- */

/* d = max|w| / 127, codes rounded half away. */
static uint16_t q8_0_codes(const float *w, int8_t *codes) {
  float d = LARGEST(w, 32) / 127;
  if (isfinite(d)) ROUND_CODES(w, 32, inverse_of(d), codes);
  return f32_to_f16(d);
}

/* The weight of largest magnitude, the first of equals, becomes -8. */
static uint16_t q4_0_codes(const float *w, int8_t *codes) {
  float d = FIRST_LARGEST(w) / -8;
  if (isfinite(d)) Q4_0_CODES(w, inverse_of(d), codes);
  return f32_to_f16(d);
}

/* d = max|w|: packs weights that are ternary already. */
static uint16_t amax_codes(const float *w, size_t n, int8_t *codes) {
  float d = LARGEST(w, n);
  if (isfinite(d)) ROUND_CODES(w, n, inverse_of(d), codes);
  return f32_to_f16(d);
}

static void pack_tq2(const int8_t *codes, uint8_t *out) {
  for (size_t r = 0; r < 2; r++)
    for (size_t m = 0; m < 32; m++) {
      const int8_t *c = codes + 128 * r + m;
      out[32 * r + m] = (uint8_t)((c[0] + 1) | (c[32] + 1) << 2 |
                                  (c[64] + 1) << 4 | (c[96] + 1) << 6);
    }
}

static void pack_tq1(const int8_t *codes, uint8_t *out) {
  plain_pack_trits(codes, 160, 32, 32, out);
  plain_pack_trits(codes + 160, 80, 16, 16, out + 32);
  for (size_t m = 0; m < 4; m++) {
    const int8_t *c = codes + 240 + m;
    int v = 81 * c[0] + 27 * c[4] + 9 * c[8] + 3 * c[12] + 120;
    out[48 + m] = trit_byte((unsigned)v);
  }
}

/* Packs a block's codes and puts the scale where the type has it. */
static void pack_block(const struct codec *codec, const int8_t *codes,
                       uint16_t scale, uint8_t *out) {
  bool last = codec->id == CODEC_TQ1_0 || codec->id == CODEC_TQ2_0;
  put_half(last ? out + codec->bytes - 2 : out, scale);
  if (codec->id == CODEC_Q8_0) memcpy(out + 2, codes, 32);
  if (codec->id == CODEC_Q4_0)
    for (size_t j = 0; j < 16; j++)
      out[2 + j] = (uint8_t)((codes[j] + 8) | (codes[j + 16] + 8) << 4);
  if (codec->id == CODEC_Q2_0) pack_t2(codes, 64, out + 2);
  if (codec->id == CODEC_TQ1_0) pack_tq1(codes, out);
  if (codec->id == CODEC_TQ2_0) pack_tq2(codes, out);
}

static uint16_t block_codes(const struct codec *codec, const struct fit *how,
                            const float *w, int8_t *codes) {
  if (codec->id == CODEC_Q8_0) return q8_0_codes(w, codes);
  if (codec->id == CODEC_Q4_0) return q4_0_codes(w, codes);
  if (how->reference) return amax_codes(w, codec->block, codes);
  return ternary_fit(w, codec->block, how, codes);
}

static size_t encode_blocks(const struct row *row, const struct fit *how,
                            const float *w, uint8_t *out, double *error) {
  const struct codec *codec = row->codec;
  int8_t codes[256];
  for (size_t first = 0; first < row->cols; first += codec->block) {
    uint16_t scale = block_codes(codec, how, w + first, codes);
    if (!half_is_finite(scale)) return first;
    pack_block(codec, codes, scale, out);
    out += codec->bytes;
    if (error)
      *error += ERROR(w + first, codes, codec->block, f16_to_f32(scale));
  }
  return row->cols;
}

/* f16 of the mean magnitude as the reference packer sums it. Each of its 127
 * additions is off by at most 2^-24, ours in lanes by less: when the sum less
 * 1e-5 of it and the sum more 1e-5 of it round to the same scale, so does that
 * packer's. Otherwise, once in some dozens of blocks, its sum is made. */
static uint16_t reference_scale(const float *w, double mean) {
  uint16_t low = f32_to_f16((float)(mean * (1 - 1e-5)));
  uint16_t high = f32_to_f16((float)(mean * (1 + 1e-5)));
  return low == high ? low : f32_to_f16(sequential_sum(w) / 128);
}

/* Sums of several blocks first: each waits long for its last additions, and
 * they can wait together. */
static size_t encode_q1_0(const struct row *row, const struct fit *how,
                          const float *w, uint8_t *out, double *error) {
  enum { BATCH = 8 };
  double mean[BATCH];
  size_t blocks = row->cols / 128;
  for (size_t b = 0; b < blocks; b++, w += 128, out += 18) {
    for (size_t k = b; b % BATCH == 0 && k < b + BATCH && k < blocks; k++)
      mean[k - b] = MAGNITUDES(w + 128 * (k - b), 128) / 128;
    uint16_t scale = how->reference ? reference_scale(w, mean[b % BATCH])
                                    : f32_to_f16((float)mean[b % BATCH]);
    if (!half_is_finite(scale)) return 128 * b;
    put_half(out, scale);
    encode_signs(w, 128, out + 2, scale, error);
  }
  return row->cols;
}

/* f32, f16 and bf16: the values themselves, rounded. */
static size_t encode_floats(const struct row *row, const float *w, uint8_t *out,
                            double *error) {
  enum float_type type = (enum float_type)row->codec->id;
  size_t width = row->codec->bytes;
  float back[256];
  NARROW(type, w, row->cols, out);
  for (size_t first = 0; first < row->cols; first += 256) {
    size_t n = row->cols - first < 256 ? row->cols - first : 256;
    WIDEN(type, out + first * width, n, back);
    size_t bad = NOT_FINITE(back, n);
    if (bad < n) return first + bad;
    if (error) *error += plain_difference(w + first, back, n);
  }
  return row->cols;
}

static size_t encode_row(const struct row *row, const struct fit *how,
                         const float *w, int8_t *scratch, uint8_t *codes,
                         uint16_t *scales, double *error) {
  if (error) *error = 0;
  switch (row->codec->id) {
  case CODEC_F32:
  case CODEC_F16:
  case CODEC_BF16:
    return encode_floats(row, w, codes, error);
  case CODEC_Q1_0:
    return encode_q1_0(row, how, w, codes, error);
  case CODEC_B1:
    return encode_b1(row, w, scratch, codes, scales, error);
  case CODEC_T5:
  case CODEC_T2:
    return encode_ternary(row, how, w, scratch, codes, scales, error);
  case CODEC_Q4:
    return encode_q4(row, w, scratch, codes, scales, error);
  default:
    return encode_blocks(row, how, w, codes, error);
  }
}

#endif
