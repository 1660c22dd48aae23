/* Attention of all tokens over those before them, head by head. */
#include <math.h>

#include "bind.h"
#include "forward.h"
#include "forward_scratch.h"

/* Norm of each head, then its rotation by position; heads lie `step` apart. */
static void prepare_heads(const struct worker *w, const struct attention *a,
                          const struct norm *norm, float *x, size_t heads,
                          size_t step) {
  struct share share = worker_share(w, w->s->n);
  size_t half = w->model->rotated / 2;
  for (size_t t = share.first; t < share.end; t++) {
    float *row = x + t * heads * step;
    const float *cosine = w->s->cosine + t * half;
    const float *sine = w->s->sine + t * half;
    if (norm->weight) rms_norm(row, step, heads, a->head_dim, norm, row, step);
    for (size_t h = 0; h < heads; h++)
      if (w->model->neighbours)
        rotate_neighbours(row + h * step, half, cosine, sine);
      else
        rotate(row + h * step, half, cosine, sine);
  }
}

static size_t query_step(const struct attention *a) {
  return a->gated ? 2 * a->head_dim : a->head_dim;
}

/* Panels of the keys and values of key/value head `g`. */
static void pack_head(const struct worker *w, const struct attention *a,
                      size_t g) {
  const struct scratch *s = w->s;
  size_t dim = a->head_dim, stride = a->kv_heads * dim;
  for (size_t t = 0; t < s->n; t += PANEL) {
    size_t n = s->n - t < PANEL ? s->n - t : PANEL;
    panel_pack(s->b + t * stride + g * dim, stride, 1, n, dim,
               w->own.keys + t * dim);
  }
  for (size_t i = 0; i < dim; i += PANEL) {
    size_t n = dim - i < PANEL ? dim - i : PANEL;
    panel_pack(s->c + g * dim + i, 1, stride, n, s->n,
               w->own.values + i * s->n);
  }
}

/* Attention of `rows` queries of head `h` from token `first` on, over the keys
 * up to each one's own. */
static void attend(const struct worker *w, const struct attention *a, size_t h,
                   size_t first, size_t rows) {
  const struct scratch *s = w->s;
  size_t dim = a->head_dim, step = query_step(a);
  size_t q_stride = a->heads * step, stride = a->heads * dim;
  size_t keys = first + rows, width = s->score_stride;
  float scale = (float)(1.0 / sqrt((double)dim));
  const float *q = s->a + first * q_stride + h * step;
  float *out = s->mixed + first * stride + h * dim;
  for (size_t t = 0; t < keys; t += PANEL)
    panel_multiply(q, q_stride, rows, w->own.keys + t * dim, dim,
                   w->own.scores + t, width, PANEL);
  for (size_t r = 0; r < rows; r++)
    softmax(w->own.scores + r * width, first + r + 1, keys, scale);
  for (size_t i = 0; i < dim; i += PANEL)
    panel_multiply(w->own.scores, width, rows, w->own.values + i * s->n, keys,
                   out + i, stride, dim - i < PANEL ? dim - i : PANEL);
  for (size_t r = 0; a->gated && r < rows; r++)
    sigmoid_multiply(out + r * stride, q + r * q_stride + dim, dim);
}

static void attend_heads(const struct worker *w, const struct attention *a) {
  size_t group = a->heads / a->kv_heads, n = w->s->n;
  struct share share = worker_share(w, a->heads);
  for (size_t h = share.first; h < share.end; h++) {
    if (h == share.first || h % group == 0) pack_head(w, a, h / group);
    for (size_t t = 0; t < n && !bind_interrupted(); t += QUERIES)
      attend(w, a, h, t, n - t < QUERIES ? n - t : QUERIES);
  }
}

bool attention_run(const struct worker *w, const struct attention *a) {
  const struct scratch *s = w->s;
  size_t q = a->heads * query_step(a), kv = a->kv_heads * a->head_dim;
  const struct linear *in[] = {&a->query, &a->key, &a->value};
  const struct linear *out[] = {&a->output};
  float *parts[] = {s->a, s->b, s->c}, *branch[] = {s->branch};
  const size_t strides[] = {q, kv, kv}, hidden[] = {w->model->hidden};
  if (!worker_linears(w, s->norm, 3, in, parts, strides)) return false;
  prepare_heads(w, a, &a->query_norm, s->a, a->heads, query_step(a));
  prepare_heads(w, a, &a->key_norm, s->b, a->kv_heads, a->head_dim);
  if (!worker_meet(w)) return false;
  attend_heads(w, a);
  return worker_meet(w) && worker_linears(w, s->mixed, 1, out, branch, hidden);
}
