/* Linear layers in eight bits.
 *
 * The columns of a row are cut into segments that share a weight scale and a
 * scale of the activations: 256 columns, or the largest part of a group that is
 * a multiple of 32. Rows are unpacked to bytes, a tile at a time, and each tile
 * is multiplied with all tokens: many of them in bands whose activations lie
 * interleaved, so that their sums stay in registers; few of them one by one. */
#include <math.h>
#include <string.h>

#include "forward_int8.h"
#include "forward_wide.h"

bool linear_is_int8(const struct linear *linear) {
  const struct matrix *m = linear->matrix;
  return !linear->transposed && int8_fits(&m->kept) &&
         (m->rescue.count == 0 || int8_fits(&m->rescue));
}

size_t int8_scratch(size_t cols) {
  return TILE * (int8_padded(cols) + (cols / SPAN + 1) * sizeof(float)) + 64;
}

/* ---- activations ---- */

size_t int8_band(size_t tokens) { return tokens > FEW ? BAND : 1; }

size_t int8_tokens(size_t tokens) {
  size_t band = int8_band(tokens);
  return (tokens + band - 1) / band * band;
}

/* Adding 1.5 * 2^23 leaves no fraction bits: rounds to nearest even. */
INLINE int8_t to_int8(float x) {
  return (int8_t)(int)((x + 0x1.8p23f) - 0x1.8p23f);
}

/* Fills q and its sum, both 0 before, and returns its scale: NaN, with no q,
 * where x is not finite. */
KERNEL static float fill_segment(const float *x, size_t n, int8_t *q,
                                 int32_t *sum) {
  float top = 0, poison = 0;
  for (size_t i = 0; i < n; i++) {
    float magnitude = fabsf(x[i]);
    top = magnitude > top ? magnitude : top;
    poison += x[i] * 0.0f;
  }
  if (poison != 0) return NAN;
  float inverse = 127 / top;
  if (!isfinite(inverse)) return 0;
  int32_t total = 0;
  for (size_t i = 0; i < n; i++) {
    q[i] = to_int8(x[i] * inverse);
    total += q[i];
  }
  *sum = total;
  return top / 127;
}

/* A segment of one token, its factors of columns taken in. */
static float fill_scaled(const float *x, const float *columns, size_t n,
                         int8_t *q, int32_t *sum) {
  float scaled[SEGMENT];
  if (columns == NULL) return fill_segment(x, n, q, sum);
  for (size_t i = 0; i < n; i++)
    scaled[i] = x[i] * columns[i];
  return fill_segment(scaled, n, q, sum);
}

/* One token of a band, `x` NULL for none; fours of q lie `band` fours apart. */
static void fill_token(const struct rows *rows, const float *x, size_t band,
                       int8_t *q, float *scales, int32_t *sums) {
  size_t cols = rows->row.cols, step = int8_segment(rows);
  const float *columns = rows->in.columns;
  for (size_t first = 0; first < cols; first += step) {
    size_t n = cols - first < step ? cols - first : step;
    int8_t part[SEGMENT] = {0};
    *sums = 0;
    *scales = x ? fill_scaled(x + first, columns ? columns + first : NULL, n,
                              part, sums)
                : 0;
    for (size_t i = 0; i < int8_padded(n); i += 4, q += 4 * band)
      memcpy(q, part + i, 4);
    scales += band, sums += band;
  }
}

void int8_fill(const struct worker *w, const struct rows *rows, const float *x,
               const struct eights *out) {
  size_t band = int8_band(w->s->n), cols = rows->row.cols;
  size_t padded = int8_padded(cols), segments = int8_segments(rows);
  struct share share = worker_share(w, int8_tokens(w->s->n) / band);
  for (size_t t = share.first * band; t < share.end * band; t++) {
    size_t of = t / band * band, in = t % band;
    fill_token(rows, t < w->s->n ? x + t * cols : NULL, band,
               out->q + of * padded + 4 * in, out->scales + of * segments + in,
               out->sums + of * segments + in);
  }
}

/* ---- outputs ---- */

/* Rescued rows that come before `row`, which lies at or behind `from`. */
static size_t skip_rescued(const struct matrix *m, size_t before, size_t row) {
  while (before < m->rescue.count && (size_t)m->rescued[before] < row)
    before++;
  return before;
}

/* The rows of one kind among outputs of this worker, a tile at a time. */
static void run_kind(const struct worker *w, const struct linear *linear,
                     bool rescued, const struct eights *x, struct share share,
                     struct int8_target to) {
  const struct matrix *m = linear->matrix;
  struct int8_batch batch = {.rows = rescued ? &m->rescue : &m->kept};
  size_t before = 0;
  for (size_t o = share.first; o < share.end; o++) {
    size_t row = linear->first + o;
    before = skip_rescued(m, before, row);
    bool is = before < m->rescue.count && (size_t)m->rescued[before] == row;
    if (is != rescued) continue;
    batch.places[batch.count] = rescued ? before : row - before;
    batch.outputs[batch.count++] = o;
    if (batch.count < TILE) continue;
    int8_multiply(w, &batch, x, to);
    batch.count = 0;
  }
  if (batch.count > 0) int8_multiply(w, &batch, x, to);
}

void linear_int8(const struct worker *w, const struct linear *linear,
                 const struct eights eights[2], float *y, size_t y_stride) {
  struct share share = worker_share(w, linear->outputs);
  struct int8_target to = {.y = y, .stride = y_stride};
  run_kind(w, linear, false, &eights[0], share, to);
  if (linear->matrix->rescue.count > 0)
    run_kind(w, linear, true, &eights[1], share, to);
  for (size_t t = 0; linear->bias && t < w->s->n; t++)
    add_to(y + t * y_stride + share.first, linear->bias + share.first,
           share.end - share.first);
}
