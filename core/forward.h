/* The forward pass of a dense Qwen3 model in float32: its parts, the pass of
 * documents through them, and the kernels below. The binding is forward.c.
 *
 * Results do not depend on the number of threads or on the processor: every
 * sum has a fixed order, nothing is contracted. */
#ifndef BITTERN_FORWARD_H
#define BITTERN_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forward_config {
  size_t hidden;
  size_t intermediate;
  size_t layers;
  size_t heads;
  size_t kv_heads; /* divides heads */
  size_t head_dim; /* even */
  size_t vocab;
  float eps;
  double theta; /* base of the rotary angles */
};

/* Matrices are [outputs, inputs], norms are vectors. */
struct forward_layer {
  const float *input_norm, *q, *k, *v, *q_norm, *k_norm, *o;
  const float *post_norm, *gate, *up, *down;
};

struct forward_model {
  struct forward_config config;
  const float *embedding; /* [vocab, hidden] */
  const float *norm;
  const float *head; /* [vocab, hidden]; the embedding when tied */
  struct forward_layer layers[];
};

enum forward_status {
  FORWARD_OK,
  FORWARD_INTERRUPTED,
  FORWARD_NO_MEMORY,
  FORWARD_NOT_FINITE,
};

/* One text. Exactly one of `nll` and `logits` is asked for. */
struct forward_document {
  const int32_t *tokens; /* each below vocab */
  size_t count;
  float *nll;    /* out: [count - 1], of token i + 1 given those before it */
  float *logits; /* out: [count, vocab] */
  enum forward_status status;
  size_t position; /* of the first logits that are not finite */
};

/* Runs the documents, at most `threads` at a time; no Lua in here. */
void forward_run(const struct forward_model *model,
                 struct forward_document *documents, size_t count,
                 size_t threads);

/* ---- kernels (forward_kernels.c) ---- */

enum { PANEL = 16 }; /* outputs that are computed side by side */

/* Lays element (o, k) = w[o * o_stride + k * k_stride] of `n` <= PANEL outputs
 * at panel[k * PANEL + o]; missing outputs are 0. */
void panel_pack(const float *w, size_t o_stride, size_t k_stride, size_t n,
                size_t depth, float *panel);

/* y[r][o] = sum over k of x[r][k] * panel[k][o] for o < n. The sum runs over k
 * in order within chunks of 256, and over the chunks in order. */
void panel_multiply(const float *x, size_t x_stride, size_t rows,
                    const float *panel, size_t depth, float *y, size_t y_stride,
                    size_t n);

/* y = x / sqrt(mean(x^2) + eps) * weight for each of `rows` rows of `n`. */
void rms_norm(const float *x, size_t stride, size_t rows, size_t n,
              const float *weight, float eps, float *y, size_t y_stride);

/* Rotates (x[i], x[i + half]) by the angle of position and i, in place. */
void rotate(float *x, size_t half, const float *cosine, const float *sine);

/* s[i] = softmax of scale * s over the first `n`; 0 in n..total-1. */
void softmax(float *s, size_t n, size_t total, float scale);

/* gate = gate / (1 + exp(-gate)) * up. */
void silu_multiply(float *gate, const float *up, size_t n);

/* x += y. */
void add_to(float *x, const float *y, size_t n);

/* Largest of n > 0 finite values; sum of exp(x - largest). */
float largest(const float *x, size_t n);
double sum_exp(const float *x, size_t n, float largest);

#endif
