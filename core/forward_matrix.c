/* Matrices where they are stored: rows decoded one by one, and products in
 * floats that decode a panel of rows at a time. */
#include <math.h>
#include <string.h>

#include "forward.h"

size_t matrix_scratch(size_t cols) { return combine_scratch(cols); }

/* How many of the rescued rows come before `row`. */
static size_t rescued_before(const struct matrix *m, size_t row) {
  size_t low = 0, high = m->rescue.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((size_t)m->rescued[middle] < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static size_t decode_stored(const struct kernels *kernels,
                            const struct rows *rows, size_t index,
                            void *decoding, float *out) {
  struct stored in = rows->in;
  struct sink sink = {FLOAT_F32, false, out};
  size_t scales = index * rows->groups * sizeof(uint16_t);
  for (size_t b = 0; b < in.bases; b++) {
    in.codes[b] += index * rows->row_bytes;
    if (in.scales[b]) in.scales[b] += scales;
  }
  if (in.offsets) in.offsets += scales;
  if (in.bases == 1 && !in.offsets && !in.columns)
    return kernels->decode(&rows->row, in.codes[0], in.scales[0], decoding,
                           sink);
  return kernels->combine(&rows->row, &in, decoding, sink);
}

void matrix_row(const struct kernels *kernels, const struct matrix *m,
                size_t row, void *decoding, float *out) {
  size_t before = m->rescue.count > 0 ? rescued_before(m, row) : 0;
  bool rescued = before < m->rescue.count && (size_t)m->rescued[before] == row;
  size_t good =
      rescued ? decode_stored(kernels, &m->rescue, before, decoding, out)
              : decode_stored(kernels, &m->kept, row - before, decoding, out);
  for (size_t i = 0; good < m->cols && i < m->cols; i++)
    out[i] = NAN;
}

/* Floats that can be read where they lie, or NULL. */
static const float *plain_floats(const struct matrix *m) {
  const uint8_t *data = m->kept.in.codes[0];
  bool aligned = (uintptr_t)data % _Alignof(float) == 0;
  if (m->kept.row.codec->id != CODEC_F32 || !aligned) return NULL;
  return (const float *)(const void *)data;
}

/* Rows first .. first + n - 1 as floats, decoded unless they are. */
static const float *rows_as_floats(const struct worker *w,
                                   const struct matrix *m, size_t first,
                                   size_t n) {
  const float *plain = plain_floats(m);
  if (plain) return plain + first * m->cols;
  for (size_t i = 0; i < n; i++)
    matrix_row(w->kernels, m, first + i, w->own.decoding,
               w->own.tile + i * m->cols);
  return w->own.tile;
}

static size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

static void add_bias(const struct linear *linear, float *y, size_t y_stride,
                     size_t n, size_t o, size_t width) {
  if (linear->bias == NULL) return;
  for (size_t t = 0; t < n; t++)
    add_to(y + t * y_stride + o, linear->bias + o, width);
}

static void panel_of_rows(const struct worker *w, const struct linear *linear,
                          const float *x, size_t o, float *y, size_t y_stride) {
  size_t n = at_most(linear->outputs - o, PANEL), depth = linear->inputs;
  const float *rows = rows_as_floats(w, linear->matrix, linear->first + o, n);
  panel_pack(rows, depth, 1, n, depth, w->own.panel);
  panel_multiply(x, depth, w->s->n, w->own.panel, depth, y + o, y_stride, n);
}

/* The panels of outputs o .. end - 1 of a chunk of stored rows, which are
 * inputs here. */
static void chunk_of_inputs(const struct worker *w, const struct linear *linear,
                            const float *x, size_t k, struct share panels,
                            float *y, size_t y_stride) {
  size_t depth = at_most(linear->inputs - k, CHUNK);
  size_t cols = linear->matrix->cols;
  const float *rows = rows_as_floats(w, linear->matrix, k, depth);
  for (size_t p = panels.first; p < panels.end; p++) {
    size_t o = p * PANEL, n = at_most(linear->outputs - o, PANEL);
    panel_pack(rows + linear->first + o, 1, cols, n, depth, w->own.panel);
    panel_multiply_chunk(x + k, linear->inputs, w->s->n, w->own.panel, depth,
                         y + o, y_stride, n, k == 0);
  }
}

void linear_exact(const struct worker *w, const struct linear *linear,
                  const float *x, float *y, size_t y_stride) {
  struct share panels =
      worker_share(w, linear->outputs / PANEL + (linear->outputs % PANEL != 0));
  if (panels.first == panels.end) return;
  size_t first = panels.first * PANEL;
  size_t end = at_most(panels.end * PANEL, linear->outputs);
  if (linear->transposed)
    for (size_t k = 0; k < linear->inputs; k += CHUNK)
      chunk_of_inputs(w, linear, x, k, panels, y, y_stride);
  else
    for (size_t o = first; o < end; o += PANEL)
      panel_of_rows(w, linear, x, o, y, y_stride);
  add_bias(linear, y, y_stride, w->s->n, first, end - first);
}
