/* Gated DeltaNet, token by token: each value head keeps a matrix S [key_dim,
 * value_dim] which is, for every token, first made smaller by the head's decay,
 * then moved so that it gives v for k, and read with q:
 *
 *   S = exp(g) S;  S = S + k beta (v - S^T k)^T;  out = S^T q
 *   g = -exp(A_log) softplus(a + dt_bias);  beta = sigmoid(b)
 *
 * q, k and v come out of a convolution over the last tokens and SiLU; q and k
 * have length 1, q is divided by sqrt(key_dim). Consecutive value heads share a
 * key head. Heads are shared out among the threads. */
#include <math.h>
#include <string.h>

#include "bind.h"
#include "forward.h"
#include "forward_wide.h"

/* The convolution of one token, `x` being its row of `channels`. */
static void convolve(const struct delta *d, const float *x, size_t t,
                     size_t channels, float *y) {
  for (size_t c = 0; c < channels; c++) {
    float sum = 0;
    for (size_t j = 0; j < d->width; j++) {
      size_t back = d->width - 1 - j;
      if (back <= t)
        sum += d->convolution[c * d->width + j] * *(x + c - back * channels);
    }
    y[c] = sum;
  }
  silu(y, channels);
}

/* x / sqrt(sum(x^2) + 1e-6) * factor. */
static void unit_length(float *x, size_t n, float factor) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)x[i] * (double)x[i];
  float inverse = factor / sqrtf((float)sum + 1e-6f);
  for (size_t i = 0; i < n; i++)
    x[i] *= inverse;
}

static void prepare_tokens(const struct worker *w, const struct delta *d) {
  size_t channels = d->qkv.outputs, keys = d->key_heads * d->key_dim;
  struct share share = worker_share(w, w->s->n);
  float factor = (float)(1.0 / sqrt((double)d->key_dim));
  for (size_t t = share.first; t < share.end; t++) {
    float *y = w->s->mixed + t * channels;
    convolve(d, w->s->a + t * channels, t, channels, y);
    for (size_t h = 0; h < d->key_heads; h++) {
      unit_length(y + h * d->key_dim, d->key_dim, factor);
      unit_length(y + keys + h * d->key_dim, d->key_dim, 1);
    }
  }
}

KERNEL static void scale_all(float *x, size_t n, float factor) {
  for (size_t i = 0; i < n; i++)
    x[i] *= factor;
}

/* sum += x * factor. */
KERNEL static void add_scaled(float *sum, const float *x, size_t n,
                              float factor) {
  for (size_t i = 0; i < n; i++)
    sum[i] += x[i] * factor;
}

/* One token of one head; out has room for value_dim. */
static void step(const struct delta *d, float *state, const float *q,
                 const float *k, const float *v, float decay, float beta,
                 float *out) {
  size_t n = d->value_dim;
  scale_all(state, d->key_dim * n, decay);
  memset(out, 0, n * sizeof *out);
  for (size_t i = 0; i < d->key_dim; i++)
    add_scaled(out, state + i * n, n, k[i]);
  for (size_t j = 0; j < n; j++)
    out[j] = beta * (v[j] - out[j]);
  for (size_t i = 0; i < d->key_dim; i++)
    add_scaled(state + i * n, out, n, k[i]);
  memset(out, 0, n * sizeof *out);
  for (size_t i = 0; i < d->key_dim; i++)
    add_scaled(out, state + i * n, n, q[i]);
}

/* exp(g) of head `h`, whose a is given. */
static float decay_of(const struct delta *d, size_t h, float a) {
  double x = (double)a + (double)d->bias[h];
  double softplus = x > 20 ? x : log1p(exp(x));
  return (float)exp(-exp((double)d->decay[h]) * softplus);
}

static float sigmoid(float x) { return (float)(1 / (1 + exp(-(double)x))); }

/* All tokens of value head `h`, then its gated norm. */
static void run_head(const struct worker *w, const struct delta *d, size_t h) {
  const struct scratch *s = w->s;
  size_t channels = d->qkv.outputs, keys = d->key_heads * d->key_dim;
  size_t dim = d->value_dim, width = d->value_heads * dim;
  size_t k = h / (d->value_heads / d->key_heads) * d->key_dim;
  const float *b = s->c, *a = s->c + s->n * d->value_heads;
  memset(w->own.keys, 0, d->key_dim * dim * sizeof(float));
  for (size_t t = 0; t < s->n; t++) {
    const float *row = s->mixed + t * channels;
    float *out = s->a + t * width + h * dim, *z = s->b + t * width + h * dim;
    size_t at = t * d->value_heads + h;
    step(d, w->own.keys, row + k, row + keys + k, row + 2 * keys + h * dim,
         decay_of(d, h, a[at]), sigmoid(b[at]), out);
    rms_norm(out, dim, 1, dim, &d->norm, out, dim);
    silu_multiply(z, out, dim);
    memcpy(out, z, dim * sizeof *out);
  }
}

bool delta_run(const struct worker *w, const struct delta *d) {
  const struct scratch *s = w->s;
  size_t heads = d->value_heads, values = heads * d->value_dim;
  const struct linear *in[] = {&d->qkv, &d->z, &d->b, &d->a};
  const struct linear *out[] = {&d->output};
  float *parts[] = {s->a, s->b, s->c, s->c + s->n * heads};
  const size_t strides[] = {d->qkv.outputs, values, heads, heads};
  const size_t hidden[] = {w->model->hidden};
  float *branch[] = {s->branch};
  if (!worker_linears(w, s->norm, 4, in, parts, strides)) return false;
  prepare_tokens(w, d);
  if (!worker_meet(w)) return false;
  struct share share = worker_share(w, heads);
  for (size_t h = share.first; h < share.end && !bind_interrupted(); h++)
    run_head(w, d, h);
  return worker_meet(w) && worker_linears(w, s->a, 1, out, branch, hidden);
}
