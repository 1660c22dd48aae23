/* Gated DeltaNet: each value head keeps a matrix S [key_dim, value_dim] which
 * is, for every token, first made smaller by the head's decay, then moved so
 * that it gives v for k, and read with q:
 *
 *   S = exp(g) S;  S = S + k beta (v - S^T k)^T;  out = S^T q
 *   g = -exp(A_log) softplus(a + dt_bias);  beta = sigmoid(b)
 *
 * q, k and v come out of a convolution over the last tokens and SiLU; q and k
 * have length 1, q is divided by sqrt(key_dim). Consecutive value heads share a
 * key head. Heads are shared out among the threads. Prompts go in chunks
 * (forward_delta_chunks.c). */
#include <math.h>
#include <string.h>

#include "bind.h"
#include "forward.h"
#include "forward_delta.h"
#include "forward_wide.h"

enum { FEWEST = 4 }; /* tokens that are worth no chunk */

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

/* One token of one head. */
static void step(const struct delta_rule *r, size_t t) {
  size_t n = r->value_dim;
  const float *q = r->q + t * r->stride, *k = r->k + t * r->stride;
  const float *v = r->v + t * r->stride;
  float *out = r->out + t * r->out_stride;
  scale_all(r->state, r->key_dim * n, r->decay[t]);
  memset(out, 0, n * sizeof *out);
  for (size_t i = 0; i < r->key_dim; i++)
    add_scaled(out, r->state + i * n, n, k[i]);
  for (size_t j = 0; j < n; j++)
    out[j] = r->beta[t] * (v[j] - out[j]);
  for (size_t i = 0; i < r->key_dim; i++)
    add_scaled(r->state + i * n, out, n, k[i]);
  memset(out, 0, n * sizeof *out);
  for (size_t i = 0; i < r->key_dim; i++)
    add_scaled(out, r->state + i * n, n, q[i]);
}

void delta_steps(const struct delta_rule *r) {
  memset(r->state, 0, r->key_dim * r->value_dim * sizeof *r->state);
  for (size_t t = 0; t < r->n; t++)
    step(r, t);
}

/* exp(g) of head `h`, whose a is given. */
static float decay_of(const struct delta *d, size_t h, float a) {
  double x = (double)a + (double)d->bias[h];
  double softplus = x > 20 ? x : log1p(exp(x));
  return (float)exp(-exp((double)d->decay[h]) * softplus);
}

static float sigmoid(float x) { return (float)(1 / (1 + exp(-(double)x))); }

/* The rule for value head `h`; decay and beta are filled. */
static struct delta_rule rule_of(const struct worker *w, const struct delta *d,
                                 size_t h) {
  const struct scratch *s = w->s;
  size_t channels = d->qkv.outputs, keys = d->key_heads * d->key_dim;
  size_t k = h / (d->value_heads / d->key_heads) * d->key_dim;
  const float *b = s->c, *a = s->c + s->n * d->value_heads;
  float *decay = w->own.delta, *beta = decay + s->n;
  for (size_t t = 0; t < s->n; t++) {
    decay[t] = decay_of(d, h, a[t * d->value_heads + h]);
    beta[t] = sigmoid(b[t * d->value_heads + h]);
  }
  return (struct delta_rule){.n = s->n,
                             .key_dim = d->key_dim,
                             .value_dim = d->value_dim,
                             .q = s->mixed + k,
                             .k = s->mixed + keys + k,
                             .v = s->mixed + 2 * keys + h * d->value_dim,
                             .stride = channels,
                             .decay = decay,
                             .beta = beta,
                             .out = s->a + h * d->value_dim,
                             .out_stride = d->value_heads * d->value_dim,
                             .state = beta + s->n};
}

/* All tokens of value head `h`, then its gated norm. */
static void run_head(const struct worker *w, const struct delta *d, size_t h) {
  struct delta_rule rule = rule_of(w, d, h);
  size_t dim = d->value_dim, stride = rule.out_stride;
  if (rule.n > FEWEST)
    delta_chunks(&rule, w->own.panel, rule.state + d->key_dim * dim);
  else
    delta_steps(&rule);
  rms_norm(rule.out, stride, rule.n, dim, &d->norm, rule.out, stride);
  for (size_t t = 0; t < rule.n; t++) {
    float *out = rule.out + t * stride, *z = w->s->b + t * stride + h * dim;
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
