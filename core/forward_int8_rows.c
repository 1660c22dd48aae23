/* Packed rows as bytes from 0 on, and their scales spread over segments. */
#include <string.h>

#include "forward_int8.h"
#include "forward_wide.h"

/* ---- how rows are cut ---- */

size_t int8_segment(const struct rows *rows) {
  size_t run = row_run(&rows->row);
  if (run >= rows->row.cols) return SEGMENT;
  for (size_t n = SEGMENT; n >= SPAN; n /= 2)
    if (run % n == 0) return n;
  return 0;
}

size_t int8_segments(const struct rows *rows) {
  size_t n = int8_segment(rows);
  return rows->row.cols / n + (rows->row.cols % n != 0);
}

size_t int8_padded(size_t cols) { return (cols + SPAN - 1) / SPAN * SPAN; }

bool int8_fits(const struct rows *rows) {
  enum codec_id id = rows->row.codec->id;
  return id != CODEC_F32 && id != CODEC_F16 && id != CODEC_BF16 &&
         id != CODEC_Q8_0 && int8_segment(rows) > 0;
}

/* ---- codes ---- */

KERNEL static void unpack_trits(const uint8_t *in, size_t n, unsigned power,
                                uint8_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = (uint8_t)((in[i] * power & 255) * 3 >> 8);
}

static void unpack_t5(const uint8_t *in, size_t cols, uint8_t *out) {
  size_t m = cols / 5 + (cols % 5 != 0);
  unsigned power = 1;
  for (size_t first = 0; first < cols; first += m, power *= 3)
    unpack_trits(in, cols - first < m ? cols - first : m, power, out + first);
}

static void unpack_tq1(const uint8_t *in, uint8_t *out) {
  unsigned power = 1;
  for (size_t n = 0; n < 5; n++, power *= 3) {
    unpack_trits(in, 32, power, out + 32 * n);
    unpack_trits(in + 32, 16, power, out + 160 + 16 * n);
    if (n < 4) unpack_trits(in + 48, 4, power, out + 240 + 4 * n);
  }
}

static void unpack_tq2(const uint8_t *in, uint8_t *out) {
  for (size_t half = 0; half < 2; half++)
    for (unsigned l = 0; l < 4; l++)
      for (size_t m = 0; m < 32; m++)
        out[128 * half + 32 * l + m] = in[32 * half + m] >> 2 * l & 3;
}

static void unpack_q4_0(const uint8_t *in, uint8_t *out) {
  for (size_t j = 0; j < 16; j++) {
    out[j] = in[j] & 15;
    out[j + 16] = in[j] >> 4;
  }
}

/* A block without its scale. */
static void unpack_block(const struct int8_kernels *k, enum codec_id id,
                         const uint8_t *in, uint8_t *out) {
  if (id == CODEC_Q4_0) unpack_q4_0(in + 2, out);
  if (id == CODEC_Q1_0) k->bits(in + 2, 128, out);
  if (id == CODEC_Q2_0) k->pairs(in + 2, 64, out);
  if (id == CODEC_TQ1_0) unpack_tq1(in, out);
  if (id == CODEC_TQ2_0) unpack_tq2(in, out);
}

static void unpack_row(const struct int8_kernels *k, const struct row *row,
                       const uint8_t *in, uint8_t *out) {
  const struct codec *codec = row->codec;
  size_t block = codec->block;
  for (size_t i = 0; block > 0 && i < row->cols / block; i++)
    unpack_block(k, codec->id, in + i * codec->bytes, out + i * block);
  if (codec->id == CODEC_B1) k->bits(in, row->cols, out);
  if (codec->id == CODEC_T2) k->pairs(in, row->cols, out);
  if (codec->id == CODEC_Q4) k->nibbles(in, row->cols, out);
  if (codec->id == CODEC_T5) unpack_t5(in, row->cols, out);
  memset(out + row->cols, 0, int8_padded(row->cols) - row->cols);
}

static int bias_of(enum codec_id id) {
  return id == CODEC_Q4 || id == CODEC_Q4_0 ? 8 : 1;
}

/* ---- scales ---- */

/* The number of f16 in front of, or behind, a block; or apart. */
static float scale_at(const struct rows *rows, const uint8_t *codes,
                      const uint8_t *scales, size_t group) {
  const struct codec *codec = rows->row.codec;
  const uint8_t *at = scales + 2 * group;
  if (codec->block > 0) {
    bool last = codec->id == CODEC_TQ1_0 || codec->id == CODEC_TQ2_0;
    at = codes + group * codec->bytes + (last ? codec->bytes - 2 : 0);
  }
  return f16_to_f32((uint16_t)(at[0] | at[1] << 8));
}

/* A row's numbers, one for each segment, `step` apart. */
static void spread_scales(const struct rows *rows, const uint8_t *codes,
                          const uint8_t *scales, float *out, size_t step) {
  size_t cols = rows->row.cols, segment = int8_segment(rows);
  size_t run = row_run(&rows->row), group = 0, next = 0;
  float value = 0;
  for (size_t first = 0; first < cols; first += segment, out += step) {
    if (first == next) {
      value = scale_at(rows, codes, scales, group++);
      next += run;
    }
    *out = value;
  }
}

void int8_offsets(const struct rows *rows, size_t place, float *offsets) {
  spread_scales(rows, NULL, rows->in.offsets + 2 * place * rows->groups,
                offsets, 1);
}

/* ---- tiles ---- */

/* Asks for the row that is TILE rows further: likely the next tile's. */
static void prefetch(const struct rows *rows, size_t base, size_t place) {
  if (place + TILE >= rows->count) return;
  const uint8_t *codes = rows->in.codes[base];
  const uint8_t *next = codes + (place + TILE) * rows->row_bytes;
  for (size_t i = 0; i < rows->row_bytes; i += 64)
    __builtin_prefetch(next + i);
}

static size_t place_of(const struct int8_batch *batch, size_t r) {
  return batch->places[r < batch->count ? r : 0];
}

void int8_scales(const struct int8_batch *batch, size_t base,
                 struct int8_tile *tile) {
  const struct rows *rows = batch->rows;
  const uint8_t *halves = rows->in.scales[base];
  tile->cols = int8_padded(rows->row.cols);
  tile->segment = int8_segment(rows);
  tile->segments = int8_segments(rows);
  tile->bias = bias_of(rows->row.codec->id);
  for (size_t r = 0; r < TILE; r++) {
    size_t place = place_of(batch, r);
    spread_scales(rows, rows->in.codes[base] + place * rows->row_bytes,
                  halves ? halves + 2 * place * rows->groups : NULL,
                  tile->scales + r, TILE);
  }
}

void int8_unpack(const struct int8_kernels *kernels,
                 const struct int8_batch *batch, size_t base,
                 struct int8_tile *tile) {
  const struct rows *rows = batch->rows;
  for (size_t r = 0; r < TILE; r++) {
    size_t place = place_of(batch, r);
    prefetch(rows, base, place);
    unpack_row(kernels, &rows->row,
               rows->in.codes[base] + place * rows->row_bytes,
               tile->u + r * tile->cols);
  }
}
