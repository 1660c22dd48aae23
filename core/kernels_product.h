/* Products of packed rows with activations in eight bits, on the kernels named
 * in kernels_rows.h.
 *
 * For each run of columns that share a weight scale, the integer sum of
 * code * q is exact; the term (float)sum * scale of run i goes to float lane
 * i mod 8, and the lanes meet as those of other sums do. The activations'
 * scale comes last. */
#ifndef BITTERN_KERNELS_PRODUCT_H
#define BITTERN_KERNELS_PRODUCT_H

enum { TERMS = 8, SPAN = 32 };

#ifndef SUM_PLANES
#define SUM_PLANES plain_planes
#define SUM_SPANS  plain_spans
#define SUM_TRITS  plain_sum_trits
#define SUM_Q4_0   plain_sum_q4_0
#define SUM_CODES  plain_sum_codes

/* Two runs of 16 bytes whose columns lie in `planes` planes of 32 (codecs.c):
 * the sum of the unsigned codes times q, of each. */
INLINE void plain_planes(size_t planes, const uint8_t *a, const uint8_t *b,
                         const int8_t *q, int32_t sums[2]) {
  unsigned bits = (unsigned)(8 / planes), mask = (1u << bits) - 1;
  sums[0] = sums[1] = 0;
  for (size_t p = 0; p < planes; p++)
    for (size_t m = 0; m < SPAN / 2; m++) {
      const int8_t *at = q + SPAN * p + m;
      sums[0] += (int)(a[m] >> p * bits & mask) * at[0];
      sums[1] += (int)(b[m] >> p * bits & mask) * at[SPAN / 2];
    }
}

/* The same over `count` spans of 32 bytes that follow each other. */
INLINE int32_t plain_spans(size_t planes, const uint8_t *codes, size_t count,
                           const int8_t *q) {
  int32_t total = 0, sums[2];
  for (size_t i = 0; i < count; i++) {
    const uint8_t *at = codes + SPAN * i;
    plain_planes(planes, at, at + SPAN / 2, q + SPAN * planes * i, sums);
    total += sums[0] + sums[1];
  }
  return total;
}

/* Trits plus one, times q. */
INLINE int32_t plain_sum_trits(const uint8_t *codes, size_t n, unsigned power,
                               const int8_t *q) {
  int32_t sum = 0;
  for (size_t k = 0; k < n; k++)
    sum += (trit_code(codes[k], power) + 1) * q[k];
  return sum;
}

/* Code plus eight, times q. */
INLINE int32_t plain_sum_q4_0(const uint8_t *codes, const int8_t *q) {
  int32_t sum = 0;
  for (size_t j = 0; j < 32; j++)
    sum += (q4_0_code(codes, j) + 8) * q[j];
  return sum;
}

INLINE int32_t plain_sum_codes(const int8_t *codes, size_t n, const int8_t *q) {
  int32_t sum = 0;
  for (size_t j = 0; j < n; j++)
    sum += codes[j] * q[j];
  return sum;
}
#endif

/* Eights of terms at once, into the lanes: how many are done, a multiple of
 * eight. None in plain C. */
#ifndef FIRST_PAIRED
#define FIRST_PAIRED(planes, blocks, in, x, lane)    0
#define FIRST_BLOCKS(id, bytes, blocks, in, x, lane) 0
#define FIRST_Q4(runs, codes, scales, x, lane)       0
#endif
#ifndef SUM_T5
#define SUM_T5 plain_sum_t5
INLINE int32_t plain_sum_t5(const uint8_t *codes, size_t cols, size_t m,
                            const int8_t *q) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  int32_t sum = 0;
  for (size_t t = 0, start = 0; t < TRITS && start < cols; t++, start += m)
    sum += SUM_TRITS(codes, cols - start < m ? cols - start : m, powers[t],
                     q + start);
  return sum;
}
#endif
#ifndef SUM_TQ1
#define SUM_TQ1 plain_sum_tq1
INLINE int32_t plain_sum_tq1(const uint8_t *in, const int8_t *q) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  int32_t sum = 0;
  for (size_t n = 0; n < TRITS; n++) {
    sum += SUM_TRITS(in, 32, powers[n], q + 32 * n);
    sum += SUM_TRITS(in + 32, 16, powers[n], q + 160 + 16 * n);
    if (n < 4) sum += SUM_TRITS(in + 48, 4, powers[n], q + 240 + 4 * n);
  }
  return sum;
}
#endif

/* Blocks of 16 bytes behind their scale, in pairs; the last may be alone. */
INLINE float product_paired(size_t planes, const struct row *row,
                            const uint8_t *in, const struct activations *x) {
  static const uint8_t none[SPAN / 2];
  float lane[TERMS] = {0};
  size_t blocks = row->cols / row->codec->block;
  int32_t factor = planes == 8 ? 2 : 1;
  size_t done = FIRST_PAIRED(planes, blocks, in, x, lane);
  const int8_t *q = x->q + done / 2 * SPAN * planes;
  in += 18 * done;
  for (size_t i = done; i < blocks; i += 2, in += 36, q += SPAN * planes) {
    bool pair = i + 1 < blocks;
    int32_t sums[2];
    SUM_PLANES(planes, in + 2, pair ? in + 20 : none, q, sums);
    lane[i % TERMS] +=
        (float)(factor * sums[0] - x->sums[i]) * f16_to_f32(half_at(in));
    if (pair)
      lane[i % TERMS + 1] += (float)(factor * sums[1] - x->sums[i + 1]) *
                             f16_to_f32(half_at(in + 18));
  }
  return meet_floats(lane, TERMS);
}

/* Other blocks, one at a time. */
INLINE float product_blocks(enum codec_id id, size_t values, size_t bytes,
                            size_t cols, const uint8_t *in,
                            const struct activations *x) {
  float lane[TERMS] = {0};
  size_t at = id == CODEC_TQ1_0 || id == CODEC_TQ2_0 ? bytes - 2 : 0;
  size_t done = FIRST_BLOCKS(id, bytes, cols / values, in, x, lane);
  in += bytes * done;
  for (size_t i = done; i < cols / values; i++, in += bytes) {
    const int8_t *q = x->q + values * i;
    int32_t sum = 0;
    if (id == CODEC_TQ1_0) sum = SUM_TQ1(in, q) - x->sums[i];
    if (id == CODEC_TQ2_0) sum = SUM_SPANS(4, in, 2, q) - x->sums[i];
    if (id == CODEC_Q4_0) sum = SUM_Q4_0(in + 2, q) - 8 * x->sums[i];
    if (id == CODEC_Q8_0) sum = SUM_CODES((const int8_t *)in + 2, 32, q);
    lane[i % TERMS] += (float)sum * f16_to_f32(half_at(in + at));
  }
  return meet_floats(lane, TERMS);
}

/* A run of our codes in planes, of whole spans but for the row's last. */
INLINE int32_t sum_run(size_t planes, const uint8_t *codes, size_t bytes,
                       const int8_t *q) {
  size_t spans = bytes / SPAN, rest = bytes % SPAN;
  int32_t sum = SUM_SPANS(planes, codes, spans, q);
  if (rest > 0) {
    uint8_t last[SPAN] = {0};
    memcpy(last, codes + SPAN * spans, rest);
    sum += SUM_SPANS(planes, last, 1, q + SPAN * planes * spans);
  }
  return sum;
}

INLINE float product_planar(size_t planes, const struct row *row,
                            const uint8_t *codes, const uint8_t *scales,
                            const struct activations *x) {
  float lane[TERMS] = {0};
  size_t run = row_run(row);
  int32_t factor = planes == 8 ? 2 : 1, bias = planes == 2 ? 8 : 1;
  size_t i = 0;
  if (planes == 2) i = FIRST_Q4(row->cols / run, codes, scales, x, lane);
  for (size_t first = i * run; first < row->cols; first += run, i++) {
    size_t n = row->cols - first < run ? row->cols - first : run;
    int32_t sum = sum_run(planes, codes + first / planes,
                          n / planes + (n % planes != 0), x->q + first);
    lane[i % TERMS] += (float)(factor * sum - bias * x->sums[i]) *
                       f16_to_f32(half_at(scales + 2 * i));
  }
  return meet_floats(lane, TERMS);
}

static float product_t5(const struct row *row, const uint8_t *codes,
                        const uint8_t *scales, const struct activations *x) {
  size_t m = row->cols / TRITS + (row->cols % TRITS != 0);
  int32_t sum = SUM_T5(codes, row->cols, m, x->q);
  return (float)(sum - x->sums[0]) * f16_to_f32(half_at(scales));
}

/* Groups that end inside a span: by unpacked codes. */
static float product_unpacked(const struct row *row, const uint8_t *codes,
                              const uint8_t *scales, int8_t *scratch,
                              const struct activations *x) {
  float lane[TERMS] = {0};
  unpack_row(row, codes, scratch);
  for (size_t first = 0, i = 0; first < row->cols; first += row->group, i++) {
    size_t left = row->cols - first;
    size_t n = left < row->group ? left : row->group;
    int32_t sum = SUM_CODES(scratch + first, n, x->q + first);
    lane[i % TERMS] += (float)sum * f16_to_f32(half_at(scales + 2 * i));
  }
  return meet_floats(lane, TERMS);
}

static float product_ours(const struct row *row, const uint8_t *codes,
                          const uint8_t *scales, int8_t *scratch,
                          const struct activations *x) {
  if (row->codec->id == CODEC_T5 && row->group >= row->cols)
    return product_t5(row, codes, scales, x);
  switch (row_planes(row)) {
  case 8:
    return product_planar(8, row, codes, scales, x);
  case 4:
    return product_planar(4, row, codes, scales, x);
  case 2:
    return product_planar(2, row, codes, scales, x);
  default:
    return product_unpacked(row, codes, scales, scratch, x);
  }
}

static float dot_packed(const struct row *row, const uint8_t *codes,
                        const uint8_t *scales, int8_t *scratch,
                        const struct activations *x) {
  if (row->cols == 0) return 0;
  switch (row->codec->id) {
  case CODEC_Q8_0:
    return x->scale * product_blocks(CODEC_Q8_0, 32, 34, row->cols, codes, x);
  case CODEC_Q4_0:
    return x->scale * product_blocks(CODEC_Q4_0, 32, 18, row->cols, codes, x);
  case CODEC_TQ1_0:
    return x->scale * product_blocks(CODEC_TQ1_0, 256, 54, row->cols, codes, x);
  case CODEC_TQ2_0:
    return x->scale * product_blocks(CODEC_TQ2_0, 256, 66, row->cols, codes, x);
  case CODEC_Q1_0:
    return x->scale * product_paired(8, row, codes, x);
  case CODEC_Q2_0:
    return x->scale * product_paired(4, row, codes, x);
  default:
    return x->scale * product_ours(row, codes, scales, scratch, x);
  }
}

#endif
