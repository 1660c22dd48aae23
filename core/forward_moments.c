/* Second moments of what goes into matrices: of each column, and of each pair.
 */
#include <string.h>

#include "bind.h"
#include "forward.h"
#include "forward_wide.h"

enum { BLOCK = 48 }; /* columns whose products are added to together */

/* The inputs of a transposed matrix are its rows, of which nothing is asked. */
static const struct moment *find(const struct forward_document *document,
                                 const struct linear *linear) {
  for (size_t i = 0; i < document->moment_count && !linear->transposed; i++)
    if (document->moments[i].matrix == linear->matrix)
      return &document->moments[i];
  return NULL;
}

KERNEL static void add_squares(double *sum, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    sum[i] += (double)x[i] * (double)x[i];
}

static size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

/* What a thread holds of a chunk of tokens. */
struct held {
  float rows[BLOCK * CHUNK];  /* column by column */
  float panel[CHUNK * PANEL]; /* token by token */
};

static void hold_rows(struct held *held, const float *x, size_t stride,
                      size_t tokens, size_t n) {
  for (size_t t = 0; t < tokens; t++)
    for (size_t i = 0; i < n; i++)
      held->rows[i * CHUNK + t] = x[t * stride + i];
}

static void hold_panel(struct held *held, const float *x, size_t stride,
                       size_t tokens, size_t n) {
  for (size_t t = 0; t < tokens; t++)
    memcpy(held->panel + t * PANEL, x + t * stride, n * sizeof *x);
}

/* Columns first .. first + n - 1 times those up to them, over a chunk. */
static void add_block(const struct moment *m, const float *x, size_t tokens,
                      size_t first, size_t n, struct held *held) {
  float *out = m->products + first * m->inputs;
  hold_rows(held, x + first, m->inputs, tokens, n);
  for (size_t o = 0; o < first + n; o += PANEL) {
    size_t width = at_most(m->inputs - o, PANEL);
    hold_panel(held, x + o, m->inputs, tokens, width);
    panel_multiply_chunk(held->rows, CHUNK, n, held->panel, tokens, out + o,
                         m->inputs, width, false);
  }
}

/* Blocks grow towards the end, so they are dealt out in turn. */
static void add_products(const struct worker *w, const struct moment *m,
                         const float *x) {
  struct held held = {.panel = {0}};
  for (size_t t = 0; t < w->s->n; t += CHUNK)
    for (size_t b = w->index; b * BLOCK < m->inputs; b += w->count) {
      if (bind_interrupted()) return;
      add_block(m, x + t * m->inputs, at_most(w->s->n - t, CHUNK), b * BLOCK,
                at_most(m->inputs - b * BLOCK, BLOCK), &held);
    }
}

void moments_add(const struct worker *w, const struct linear *linear,
                 const float *x) {
  const struct moment *m = find(w->document, linear);
  if (m == NULL) return;
  struct share share = worker_share(w, m->inputs);
  for (size_t t = 0; t < w->s->n; t++)
    add_squares(m->squares + share.first, x + t * m->inputs + share.first,
                share.end - share.first);
  if (m->products) add_products(w, m, x);
}

void moments_finish(float *products, size_t inputs, double divisor) {
  for (size_t i = 0; i < inputs; i++)
    for (size_t j = 0; j <= i; j++) {
      float value = (float)((double)products[i * inputs + j] / divisor);
      products[i * inputs + j] = products[j * inputs + i] = value;
    }
}
