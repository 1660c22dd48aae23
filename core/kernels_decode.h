/* Decoding of rows, on the kernels named in kernels_rows.h: every value is
 * code * scale in float, then rounded to the type of the sink. */
#ifndef BITTERN_KERNELS_DECODE_H
#define BITTERN_KERNELS_DECODE_H

/* f32, f16 and bf16 to any of them, through a tile of floats. */
static void decode_floats(const struct row *row, const uint8_t *in,
                          struct sink sink) {
  enum float_type type = (enum float_type)row->codec->id;
  size_t width = row->codec->bytes;
  float tile[256];
  if (type == sink.type) {
    if (row->cols > 0) memcpy(sink.out, in, row->cols * width);
  } else if (sink.type == FLOAT_F32) {
    WIDEN(type, in, row->cols, sink.out);
  } else {
    for (size_t first = 0; first < row->cols; first += 256) {
      size_t n = row->cols - first < 256 ? row->cols - first : 256;
      WIDEN(type, in + first * width, n, tile);
      NARROW(sink.type, tile, n, sink_at(sink, first).out);
    }
  }
}

INLINE void decode_block(enum codec_id id, const uint8_t *in, float scale,
                         struct sink sink) {
  if (id == CODEC_Q8_0) RUN_Q8_0(in + 2, scale, sink);
  if (id == CODEC_Q4_0) RUN_Q4_0(in + 2, scale, sink);
  if (id == CODEC_Q1_0) RUN_B1(in + 2, 128, scale, sink);
  if (id == CODEC_Q2_0) RUN_T2(in + 2, 64, scale, sink);
  if (id == CODEC_TQ1_0) RUN_TQ1(in, scale, sink);
  if (id == CODEC_TQ2_0) RUN_TQ2(in, scale, sink);
}

/* With a constant codec and type this is one loop without branches. */
INLINE size_t decode_blocks(enum codec_id id, size_t values, size_t bytes,
                            size_t cols, const uint8_t *in, struct sink sink) {
  size_t at = id == CODEC_TQ1_0 || id == CODEC_TQ2_0 ? bytes - 2 : 0;
  for (size_t first = 0; first < cols; first += values, in += bytes) {
    uint16_t half = half_at(in + at);
    if (!half_is_finite(half)) return first;
    decode_block(id, in, f16_to_f32(half), sink_at(sink, first));
  }
  return cols;
}

INLINE void decode_t5(const uint8_t *codes, size_t n, float scale,
                      struct sink sink) {
  static const unsigned powers[TRITS] = {1, 3, 9, 27, 81};
  size_t m = n / TRITS + (n % TRITS != 0);
  for (size_t t = 0, start = 0; t < TRITS && start < n; t++, start += m)
    RUN_TRITS(codes, n - start < m ? n - start : m, powers[t], scale,
              sink_at(sink, start));
}

/* A run of our codes that starts at a byte. */
INLINE void decode_run(enum codec_id id, const uint8_t *codes, size_t n,
                       float scale, struct sink sink) {
  if (id == CODEC_B1) RUN_B1(codes, n, scale, sink);
  if (id == CODEC_T5) decode_t5(codes, n, scale, sink);
  if (id == CODEC_T2) RUN_T2(codes, n, scale, sink);
  if (id == CODEC_Q4) RUN_Q4(codes, n, scale, sink);
}

/* The codes of a row of ours as small integers. */
static void unpack_row(const struct row *row, const uint8_t *codes,
                       int8_t *out) {
  size_t n = row->cols, m = n / TRITS + (n % TRITS != 0);
  if (row->codec->id == CODEC_B1)
    for (size_t j = 0; j < n; j++)
      out[j] = (int8_t)b1_code(codes, j);
  if (row->codec->id == CODEC_T2)
    for (size_t j = 0; j < n; j++)
      out[j] = (int8_t)t2_code(codes, j);
  if (row->codec->id == CODEC_Q4)
    for (size_t j = 0; j < n; j++)
      out[j] = (int8_t)q4_code(codes, j);
  if (row->codec->id == CODEC_T5) {
    unsigned power = 1;
    for (size_t start = 0; start < n; start += m, power *= 3)
      for (size_t k = 0; k < m && start + k < n; k++)
        out[start + k] = (int8_t)trit_code(codes[k], power);
  }
}

/* Whether each group begins at a byte whose columns follow each other. */
INLINE bool groups_are_runs(const struct row *row) {
  static const uint8_t columns[] = {8, 0, 4, 2}; /* of a byte: b1 t5 t2 q4 */
  size_t n = columns[row->codec->id - CODEC_B1];
  return row->group >= row->cols || (n != 0 && row->group % n == 0);
}

INLINE size_t decode_ours(enum codec_id id, const struct row *row,
                          const uint8_t *codes, const uint8_t *scales,
                          int8_t *scratch, struct sink sink) {
  bool runs = groups_are_runs(row);
  size_t bits = id == CODEC_B1 ? 1 : id == CODEC_T2 ? 2 : 4;
  if (!runs) unpack_row(row, codes, scratch);
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t n = group_at(row, first);
    uint16_t half = half_at(scales);
    scales += sizeof half;
    if (!half_is_finite(half)) return first;
    struct sink part = sink_at(sink, first);
#ifdef STREAM
    part.stream = sink.stream && (uintptr_t)part.out % STREAM == 0;
#endif
    if (runs)
      decode_run(id, codes + first * bits / 8, n, f16_to_f32(half), part);
    else
      SCALE(scratch + first, n, f16_to_f32(half), part);
  }
  return row->cols;
}

#define DECODE_BLOCKS(id, values, bytes)                                       \
  case id:                                                                     \
    return decode_blocks(id, values, bytes, row->cols, codes, sink)
#define DECODE_OURS(id)                                                        \
  case id:                                                                     \
    return decode_ours(id, row, codes, scales, scratch, sink)

INLINE size_t decode_into(const struct row *row, const uint8_t *codes,
                          const uint8_t *scales, int8_t *scratch,
                          struct sink sink) {
  switch (row->codec->id) {
    DECODE_BLOCKS(CODEC_Q8_0, 32, 34);
    DECODE_BLOCKS(CODEC_Q4_0, 32, 18);
    DECODE_BLOCKS(CODEC_Q1_0, 128, 18);
    DECODE_BLOCKS(CODEC_Q2_0, 64, 18);
    DECODE_BLOCKS(CODEC_TQ1_0, 256, 54);
    DECODE_BLOCKS(CODEC_TQ2_0, 256, 66);
    DECODE_OURS(CODEC_B1);
    DECODE_OURS(CODEC_T5);
    DECODE_OURS(CODEC_T2);
    DECODE_OURS(CODEC_Q4);
  default:
    decode_floats(row, codes, sink);
    return row->cols;
  }
}

#define DECODE_TO(name, type, stream)                                          \
  static __attribute__((noinline)) size_t name(                                \
      const struct row *row, const uint8_t *codes, const uint8_t *scales,      \
      int8_t *scratch, void *out) {                                            \
    return decode_into(row, codes, scales, scratch,                            \
                       (struct sink){type, stream, out});                      \
  }

/* One instance for each type, and where it matters for streaming stores. */
DECODE_TO(decode_f32, FLOAT_F32, false)
DECODE_TO(decode_f16, FLOAT_F16, false)
DECODE_TO(decode_bf16, FLOAT_BF16, false)
#ifdef STREAM
DECODE_TO(stream_f32, FLOAT_F32, true)
DECODE_TO(stream_f16, FLOAT_F16, true)
DECODE_TO(stream_bf16, FLOAT_BF16, true)
#endif

static size_t decode_row(const struct row *row, const uint8_t *codes,
                         const uint8_t *scales, int8_t *scratch,
                         struct sink sink) {
#ifdef STREAM
  if (sink.stream && (uintptr_t)sink.out % STREAM == 0) {
    if (sink.type == FLOAT_F32)
      return stream_f32(row, codes, scales, scratch, sink.out);
    if (sink.type == FLOAT_F16)
      return stream_f16(row, codes, scales, scratch, sink.out);
    return stream_bf16(row, codes, scales, scratch, sink.out);
  }
#endif
  if (sink.type == FLOAT_F32)
    return decode_f32(row, codes, scales, scratch, sink.out);
  if (sink.type == FLOAT_F16)
    return decode_f16(row, codes, scales, scratch, sink.out);
  return decode_bf16(row, codes, scales, scratch, sink.out);
}

/* ---- several bases, offsets, factors of columns ---- */

MAYBE void plain_add(const float *in, size_t n, float *sum) {
  for (size_t i = 0; i < n; i++)
    sum[i] += in[i];
}

static size_t add_offsets(const struct row *row, const uint8_t *offsets,
                          float *values) {
  for (size_t first = 0; first < row->cols; first += row->group) {
    uint16_t half = half_at(offsets);
    offsets += sizeof half;
    if (!half_is_finite(half)) return first;
    plain_shift(values + first, group_at(row, first), f16_to_f32(half));
  }
  return row->cols;
}

static size_t combine_row(const struct row *row, const struct stored *in,
                          void *scratch, struct sink sink) {
  size_t cols = row->cols;
  float *sum = scratch, *next = sum + cols;
  int8_t *codes = (int8_t *)(next + cols);
  for (size_t b = 0; b < in->bases; b++) {
    size_t bad = decode_f32(row, in->codes[b], in->scales[b], codes,
                            b == 0 ? sum : next);
    if (bad < cols) return bad;
    if (b > 0) plain_add(next, cols, sum);
  }
  if (in->offsets) {
    size_t bad = add_offsets(row, in->offsets, sum);
    if (bad < cols) return bad;
  }
  if (in->columns) plain_multiply(in->columns, cols, sum);
  NARROW(sink.type, sum, cols, sink.out);
  return cols;
}

#endif
