/* Gated DeltaNet in chunks of tokens. With S the state before a chunk and
 * D[t][j] = decay[j + 1] ... decay[t], its first token being 0,
 *
 *   state after t = D[t] S + sum over j <= t of D[t][j] k[j] u[j]^T
 *
 *   u[t] = beta[t] (v[t] - D[t] S^T k[t] - K[t])
 *   K[t] = sum over j < t of D[t][j] (k[j] k[t]) u[j]
 *
 *   out[t] = D[t] S^T q[t] + Q[t]
 *   Q[t] = sum over j <= t of D[t][j] (k[j] q[t]) u[j]
 *
 * where D[t] = decay[0] ... decay[t]. All but K, which is solved in order, are
 * products of matrices. */
#include <string.h>

#include "forward.h"
#include "forward_delta.h"
#include "forward_wide.h"

enum { C = DELTA_CHUNK };

struct chunk {
  const struct delta_rule *rule;
  size_t n;
  const float *q, *k, *v, *decay, *beta; /* of its first token */
  float *out;
  float *decays; /* [n, C] D[t][j], 0 for j > t */
  float *pairs;  /* [n, C] products of two tokens */
  float *keys;   /* [key_dim, C] */
  float *u;      /* [n, value_dim] */
  float *panel;
};

size_t delta_scratch(size_t key_dim, size_t value_dim) {
  return C * (2 * C + key_dim + value_dim);
}

KERNEL static void scale_row(float *y, const float *x, size_t n, float factor) {
  for (size_t i = 0; i < n; i++)
    y[i] = x[i] * factor;
}

KERNEL static void subtract_scaled(float *y, const float *x, size_t n,
                                   float factor) {
  for (size_t i = 0; i < n; i++)
    y[i] -= x[i] * factor;
}

/* y = factor * (x - decay * y). */
KERNEL static void take_off(float *y, const float *x, size_t n, float decay,
                            float factor) {
  for (size_t i = 0; i < n; i++)
    y[i] = factor * (x[i] - decay * y[i]);
}

static void fill_decays(const struct chunk *c) {
  memset(c->decays, 0, c->n * C * sizeof *c->decays);
  for (size_t t = 0; t < c->n; t++) {
    float *row = c->decays + t * C;
    if (t > 0) scale_row(row, row - C, t, c->decay[t]);
    row[t] = 1;
  }
}

/* D[t]. */
static float since_start(const struct chunk *c, size_t t) {
  return c->decay[0] * c->decays[t * C];
}

/* pairs[t][j] = D[t][j] (x[t] k[j]). */
static void fill_pairs(const struct chunk *c, const float *x) {
  size_t dim = c->rule->key_dim, stride = c->rule->stride;
  for (size_t j = 0; j < c->n; j += PANEL) {
    size_t width = c->n - j < PANEL ? c->n - j : PANEL;
    panel_pack(c->k + j * stride, stride, 1, width, dim, c->panel);
    panel_multiply(x, stride, c->n, c->panel, dim, c->pairs + j, C, width);
  }
  for (size_t t = 0; t < c->n; t++)
    for (size_t j = 0; j < c->n; j++)
      c->pairs[t * C + j] *= c->decays[t * C + j];
}

/* u = k S and out = q S, then what follows from them alone. */
static void read_state(const struct chunk *c) {
  const struct delta_rule *r = c->rule;
  size_t keys = r->key_dim, values = r->value_dim;
  for (size_t o = 0; o < values; o += PANEL) {
    size_t width = values - o < PANEL ? values - o : PANEL;
    panel_pack(r->state + o, 1, values, width, keys, c->panel);
    panel_multiply(c->k, r->stride, c->n, c->panel, keys, c->u + o, values,
                   width);
    panel_multiply(c->q, r->stride, c->n, c->panel, keys, c->out + o,
                   r->out_stride, width);
  }
  for (size_t t = 0; t < c->n; t++) {
    float *out = c->out + t * r->out_stride, decay = since_start(c, t);
    take_off(c->u + t * values, c->v + t * r->stride, values, decay,
             c->beta[t]);
    scale_row(out, out, values, decay);
  }
}

static void solve(const struct chunk *c) {
  size_t values = c->rule->value_dim;
  fill_pairs(c, c->k);
  for (size_t t = 1; t < c->n; t++)
    for (size_t j = 0; j < t; j++)
      subtract_scaled(c->u + t * values, c->u + j * values, values,
                      c->beta[t] * c->pairs[t * C + j]);
}

/* keys[i][j] = D[last][j] k[j][i]. */
static void fill_keys(const struct chunk *c) {
  const float *decays = c->decays + (c->n - 1) * C;
  for (size_t i = 0; i < c->rule->key_dim; i++)
    for (size_t j = 0; j < c->n; j++)
      c->keys[i * C + j] = c->k[j * c->rule->stride + i] * decays[j];
}

/* out += pairs u; S = D[last] S + keys u. */
static void add_moves(const struct chunk *c) {
  const struct delta_rule *r = c->rule;
  size_t values = r->value_dim;
  fill_pairs(c, c->q);
  fill_keys(c);
  scale_row(r->state, r->state, r->key_dim * values, since_start(c, c->n - 1));
  for (size_t o = 0; o < values; o += PANEL) {
    size_t width = values - o < PANEL ? values - o : PANEL;
    panel_pack(c->u + o, 1, values, width, c->n, c->panel);
    panel_multiply_chunk(c->pairs, C, c->n, c->panel, c->n, c->out + o,
                         r->out_stride, width, false);
    panel_multiply_chunk(c->keys, C, r->key_dim, c->panel, c->n, r->state + o,
                         values, width, false);
  }
}

void delta_chunks(const struct delta_rule *r, float *panel, float *scratch) {
  struct chunk c = {.rule = r, .panel = panel, .decays = scratch};
  c.pairs = c.decays + C * C;
  c.keys = c.pairs + C * C;
  c.u = c.keys + r->key_dim * C;
  memset(r->state, 0, r->key_dim * r->value_dim * sizeof *r->state);
  for (size_t t = 0; t < r->n; t += C) {
    c.n = r->n - t < C ? r->n - t : C;
    c.q = r->q + t * r->stride, c.k = r->k + t * r->stride;
    c.v = r->v + t * r->stride, c.out = r->out + t * r->out_stride;
    c.decay = r->decay + t, c.beta = r->beta + t;
    fill_decays(&c);
    read_state(&c);
    solve(&c);
    add_moves(&c);
  }
}
