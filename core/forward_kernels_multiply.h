/* Template, included once for each vector width: the product of a chunk of
 * rows with a panel. The includer defines WIDTH (floats in a vector), ROWS
 * (rows whose sums fit the registers), TARGET (a function attribute) and
 * NAME(x), which tells the instances apart. Every element's sum runs in the
 * same order in all of them. */

typedef float NAME(lanes) __attribute__((vector_size(WIDTH * sizeof(float))));

/* `rows` is a constant at each call, so that the sums stay in registers. */
TARGET static inline __attribute__((always_inline)) void
NAME(rows)(const float *x, size_t x_stride, const size_t rows,
           const float *panel, size_t depth, float *y, size_t y_stride,
           size_t n, bool first) {
  NAME(lanes) sum[ROWS][PANEL / WIDTH] = {{{0}}};
  for (size_t k = 0; k < depth; k++) {
    NAME(lanes) w[PANEL / WIDTH];
    for (size_t i = 0; i < PANEL / WIDTH; i++) {
      NAME(lanes) part;
      memcpy(&part, panel + k * PANEL + i * WIDTH, sizeof part);
      w[i] = part;
    }
    for (size_t r = 0; r < rows; r++)
      for (size_t i = 0; i < PANEL / WIDTH; i++)
        sum[r][i] += w[i] * x[r * x_stride + k];
  }
  for (size_t r = 0; r < rows; r++) {
    float *out = y + r * y_stride;
    float row[PANEL];
    for (size_t i = 0; i < PANEL / WIDTH; i++) {
      NAME(lanes) part = sum[r][i];
      memcpy(row + i * WIDTH, &part, sizeof part);
    }
    for (size_t o = 0; o < n; o++)
      out[o] = first ? row[o] : out[o] + row[o];
  }
}

TARGET static void NAME(chunk)(const float *x, size_t x_stride, size_t rows,
                               const float *panel, size_t depth, float *y,
                               size_t y_stride, size_t n, bool first) {
  size_t r = 0;
  for (; r + ROWS <= rows; r += ROWS)
    NAME(rows)
  (x + r * x_stride, x_stride, ROWS, panel, depth, y + r * y_stride, y_stride,
   n, first);
  for (; r < rows; r++)
    NAME(rows)
  (x + r * x_stride, x_stride, 1, panel, depth, y + r * y_stride, y_stride, n,
   first);
}

#undef WIDTH
#undef ROWS
#undef TARGET
#undef NAME
