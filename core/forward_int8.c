/* Products of packed rows with activations in eight bits.
 *
 * The columns of a row are cut into segments that share a weight scale and a
 * scale of the activations: 256 columns, or the largest part of a group that is
 * a multiple of 32. Codes are unpacked to bytes u from 0 on, value = u - bias,
 * and four rows are multiplied with two tokens at once. Of a segment's integer
 * products, the fours of neighbours go to lanes 0..7 in turn; lane 0 begins
 * with -bias * sum(q). Each lane becomes a float, is multiplied by both scales
 * and added to that lane of the sum. So all instruction sets agree. */
#include <math.h>
#include <string.h>

#include "forward.h"
#include "forward_int8.h"
#include "forward_wide.h"

/* ---- which rows, and how they are cut ---- */

static size_t segment_of(const struct rows *rows) {
  size_t run = row_run(&rows->row);
  if (run >= rows->row.cols) return SEGMENT;
  for (size_t n = SEGMENT; n >= SPAN; n /= 2)
    if (run % n == 0) return n;
  return 0;
}

bool int8_fits(const struct rows *rows) {
  enum codec_id id = rows->row.codec->id;
  return id != CODEC_F32 && id != CODEC_F16 && id != CODEC_BF16 &&
         id != CODEC_Q8_0 && segment_of(rows) > 0;
}

bool linear_is_int8(const struct linear *linear) {
  const struct matrix *m = linear->matrix;
  return !linear->transposed && int8_fits(&m->kept) &&
         (m->rescue.count == 0 || int8_fits(&m->rescue));
}

static size_t padded(size_t cols) { return (cols + SPAN - 1) / SPAN * SPAN; }

static size_t segments_of(const struct rows *rows) {
  size_t n = segment_of(rows);
  return rows->row.cols / n + (rows->row.cols % n != 0);
}

size_t int8_scratch(size_t cols) {
  return ROWS * (padded(cols) + (cols / SPAN + 1) * 2 * sizeof(float)) + 64;
}

/* ---- activations ---- */

/* Adding 1.5 * 2^23 leaves no fraction bits: rounds to nearest even. */
INLINE int8_t to_int8(float x) {
  return (int8_t)(int)((x + 0x1.8p23f) - 0x1.8p23f);
}

/* The scale of q; NaN where x is not finite. */
KERNEL static float fill_segment(const float *x, size_t n, int8_t *q,
                                 int32_t *sum) {
  float top = 0, poison = 0;
  for (size_t i = 0; i < n; i++) {
    float magnitude = fabsf(x[i]);
    top = magnitude > top ? magnitude : top;
    poison += x[i] * 0.0f;
  }
  float inverse = 127 / top;
  if (!isfinite(inverse) || poison != 0) inverse = 0;
  int32_t total = 0;
  for (size_t i = 0; i < n; i++) {
    q[i] = to_int8(x[i] * inverse);
    total += q[i];
  }
  *sum = total;
  return poison != 0 ? NAN : inverse > 0 ? top / 127 : 0;
}

/* One token's; `scaled` has room for a segment. */
static void fill_token(const struct rows *rows, const float *x, int8_t *q,
                       float *scales, int32_t *sums) {
  size_t cols = rows->row.cols, step = segment_of(rows);
  const float *columns = rows->in.columns;
  float scaled[SEGMENT];
  for (size_t first = 0, s = 0; first < cols; first += step, s++) {
    size_t n = cols - first < step ? cols - first : step;
    for (size_t i = 0; columns && i < n; i++)
      scaled[i] = x[first + i] * columns[first + i];
    scales[s] =
        fill_segment(columns ? scaled : x + first, n, q + first, &sums[s]);
  }
  memset(q + cols, 0, padded(cols) - cols);
}

void int8_fill(const struct worker *w, const struct rows *rows, const float *x,
               const struct eights *out) {
  struct share share = worker_share(w, w->s->n);
  size_t cols = rows->row.cols, segments = segments_of(rows);
  for (size_t t = share.first; t < share.end; t++)
    fill_token(rows, x + t * cols, out->q + t * padded(cols),
               out->scales + t * segments, out->sums + t * segments);
}

/* ---- rows as bytes ---- */

KERNEL static void unpack_bits(const uint8_t *in, size_t n, unsigned bits,
                               unsigned shift, uint8_t *out) {
  unsigned each = 8 / bits, mask = (1u << bits) - 1;
  size_t i = 0;
  for (; (i + 1) * each <= n; i++)
    for (unsigned j = 0; j < each; j++)
      out[i * each + j] = (uint8_t)((in[i] >> j * bits & mask) << shift);
  for (size_t j = i * each; j < n; j++)
    out[j] = (uint8_t)((in[i] >> (j % each) * bits & mask) << shift);
}

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
static void unpack_block(enum codec_id id, const uint8_t *in, uint8_t *out) {
  if (id == CODEC_Q4_0) unpack_q4_0(in + 2, out);
  if (id == CODEC_Q1_0) unpack_bits(in + 2, 128, 1, 1, out);
  if (id == CODEC_Q2_0) unpack_bits(in + 2, 64, 2, 0, out);
  if (id == CODEC_TQ1_0) unpack_tq1(in, out);
  if (id == CODEC_TQ2_0) unpack_tq2(in, out);
}

static void unpack_row(const struct row *row, const uint8_t *in, uint8_t *out) {
  const struct codec *codec = row->codec;
  size_t block = codec->block;
  for (size_t i = 0; block > 0 && i < row->cols / block; i++)
    unpack_block(codec->id, in + i * codec->bytes, out + i * block);
  if (codec->id == CODEC_B1) unpack_bits(in, row->cols, 1, 1, out);
  if (codec->id == CODEC_T2) unpack_bits(in, row->cols, 2, 0, out);
  if (codec->id == CODEC_Q4) unpack_bits(in, row->cols, 4, 0, out);
  if (codec->id == CODEC_T5) unpack_t5(in, row->cols, out);
  memset(out + row->cols, 0, padded(row->cols) - row->cols);
}

static int bias_of(enum codec_id id) {
  return id == CODEC_Q4 || id == CODEC_Q4_0 ? 8 : 1;
}

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

/* A row's scale, or offset, for each of its segments. */
static void spread_scales(const struct rows *rows, const uint8_t *codes,
                          const uint8_t *scales, float *out) {
  size_t step = segment_of(rows), run = row_run(&rows->row);
  for (size_t first = 0, s = 0; first < rows->row.cols; first += step, s++)
    out[s] = scale_at(rows, codes, scales, first / run);
}

/* ---- products ---- */

/* Four rows, or fewer, of the same kind. */
struct quad {
  size_t count;
  size_t index[ROWS];  /* among those that are stored */
  size_t output[ROWS]; /* where their products go */
};

static void unpack_quad(const struct rows *rows, const struct quad *quad,
                        size_t base, uint8_t *tile, float *scales,
                        struct int8_block *block) {
  size_t cols = rows->row.cols, segments = segments_of(rows);
  for (size_t r = 0; r < ROWS; r++) {
    size_t i = quad->index[r < quad->count ? r : 0];
    const uint8_t *codes = rows->in.codes[base] + i * rows->row_bytes;
    const uint8_t *halves = rows->in.scales[base];
    block->u[r] = tile + r * padded(cols);
    block->weights[r] = scales + r * segments;
    unpack_row(&rows->row, codes, tile + r * padded(cols));
    spread_scales(rows, codes, halves ? halves + 2 * i * rows->groups : NULL,
                  scales + r * segments);
  }
  block->cols = padded(cols);
  block->segment = segment_of(rows);
  block->bias = bias_of(rows->row.codec->id);
}

static void aim(struct int8_block *block, const struct eights *x,
                size_t segments, size_t t, size_t tokens) {
  for (size_t i = 0; i < TOKENS; i++) {
    size_t at = t + i < tokens ? t + i : t;
    block->q[i] = x->q + at * block->cols;
    block->scales[i] = x->scales + at * segments;
    block->sums[i] = x->sums + at * segments;
  }
}

/* One base of four rows times all tokens, into y or added to it. */
static void multiply_quad(const struct worker *w, const struct rows *rows,
                          const struct quad *quad, struct int8_block *block,
                          const struct eights *x, float *y, size_t y_stride,
                          bool first) {
  int8_kernel kernel = int8_kernel_of(w->kernels);
  size_t segments = segments_of(rows), n = w->s->n;
  float out[ROWS][TOKENS];
  for (size_t t = 0; t < n; t += TOKENS) {
    aim(block, x, segments, t, n);
    kernel(block, out);
    for (size_t i = 0; i < TOKENS && t + i < n; i++)
      for (size_t r = 0; r < quad->count; r++) {
        float *to = y + (t + i) * y_stride + quad->output[r];
        *to = first ? out[r][i] : *to + out[r][i];
      }
  }
}

/* y += offset * sum of x, over the groups. */
static void add_offsets(const struct worker *w, const struct rows *rows,
                        const struct quad *quad, float *offsets,
                        const struct eights *x, float *y, size_t y_stride) {
  size_t segments = segments_of(rows);
  for (size_t r = 0; r < quad->count; r++) {
    spread_scales(rows, NULL,
                  rows->in.offsets + 2 * quad->index[r] * rows->groups,
                  offsets);
    for (size_t t = 0; t < w->s->n; t++) {
      float sum = 0;
      for (size_t s = 0; s < segments; s++)
        sum += offsets[s] *
               (x->scales[t * segments + s] * (float)x->sums[t * segments + s]);
      y[t * y_stride + quad->output[r]] += sum;
    }
  }
}

static void run_quad(const struct worker *w, const struct rows *rows,
                     const struct quad *quad, const struct eights *x, float *y,
                     size_t y_stride) {
  struct int8_block block;
  uint8_t *tile = (uint8_t *)w->own.tile;
  float *scales = (float *)(void *)(tile + ROWS * padded(rows->row.cols));
  for (size_t b = 0; b < rows->in.bases; b++) {
    unpack_quad(rows, quad, b, tile, scales, &block);
    multiply_quad(w, rows, quad, &block, x, y, y_stride, b == 0);
  }
  if (rows->in.offsets) add_offsets(w, rows, quad, scales, x, y, y_stride);
}

/* Rescued rows that come before `row`, which lies at or behind `from`. */
static size_t skip_rescued(const struct matrix *m, size_t before, size_t row) {
  while (before < m->rescue.count && (size_t)m->rescued[before] < row)
    before++;
  return before;
}

/* The rows of one kind among outputs of this worker, four by four. */
static void run_kind(const struct worker *w, const struct linear *linear,
                     bool rescued, const struct eights *x, struct share share,
                     float *y, size_t y_stride) {
  const struct matrix *m = linear->matrix;
  const struct rows *rows = rescued ? &m->rescue : &m->kept;
  struct quad quad = {0};
  size_t before = 0;
  for (size_t o = share.first; o < share.end; o++) {
    size_t row = linear->first + o;
    before = skip_rescued(m, before, row);
    bool is = before < m->rescue.count && (size_t)m->rescued[before] == row;
    if (is != rescued) continue;
    quad.index[quad.count] = rescued ? before : row - before;
    quad.output[quad.count++] = o;
    if (quad.count < ROWS) continue;
    run_quad(w, rows, &quad, x, y, y_stride);
    quad.count = 0;
  }
  if (quad.count > 0) run_quad(w, rows, &quad, x, y, y_stride);
}

void linear_int8(const struct worker *w, const struct linear *linear,
                 const struct eights eights[2], float *y, size_t y_stride) {
  struct share share = worker_share(w, linear->outputs);
  const struct matrix *m = linear->matrix;
  run_kind(w, linear, false, &eights[0], share, y, y_stride);
  if (m->rescue.count > 0)
    run_kind(w, linear, true, &eights[1], share, y, y_stride);
  for (size_t t = 0; linear->bias && t < w->s->n; t++)
    add_to(y + t * y_stride + share.first, linear->bias + share.first,
           share.end - share.first);
}
