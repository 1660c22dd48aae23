/* The forward pass: models as tables of layers, the pass of a document through
 * them on all threads, and the kernels below. The binding is forward.c.
 *
 * Results do not depend on the number of threads or on the processor: every
 * sum has a fixed order, nothing is contracted. */
#ifndef BITTERN_FORWARD_H
#define BITTERN_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

/* ---- models ---- */

/* Rows of a matrix that are stored alike, where they lie. */
struct rows {
  struct row row;
  struct stored in; /* of the first row */
  size_t count;
  size_t row_bytes; /* of a row's codes or blocks */
  size_t groups;    /* scales of a row in one base */
};

/* A matrix as it is stored; never expanded. Rescued rows lie apart. */
struct matrix {
  size_t rows, cols;
  struct rows kept, rescue;
  const int32_t *rescued; /* ascending numbers of the rescued rows */
};

/* y = x W^T + bias for the outputs first .. first + outputs - 1 of a matrix
 * [outputs, inputs], or of its transpose. */
struct linear {
  const struct matrix *matrix; /* NULL: there is none */
  const float *bias;           /* [outputs] or NULL */
  size_t inputs, outputs, first;
  bool transposed; /* the matrix is [inputs, outputs] */
};

struct norm {
  const float *weight, *bias; /* weight NULL: there is no norm */
  float eps;
  float plus;   /* is added to each weight */
  bool centred; /* the mean is taken off first; else root mean squares */
};

struct attention {
  struct linear query, key, value, output;
  struct norm query_norm, key_norm; /* of each head */
  size_t heads, kv_heads, head_dim;
  bool gated; /* query gives [query, gate] of each head */
};

/* Gated DeltaNet (forward_delta.c). */
struct delta {
  struct linear qkv, z, a, b, output;
  const float *convolution;  /* [channels, width] */
  const float *decay, *bias; /* A_log and dt_bias, [value_heads] */
  struct norm norm;          /* of each value head */
  size_t key_heads, value_heads, key_dim, value_dim, width;
};

enum activation { SILU_GATED, GELU_TANH };

struct mlp {
  struct linear gate, up, down; /* no gate: up alone is activated */
  enum activation activation;
};

struct layer {
  struct norm before, between;
  struct attention attention; /* when attention.heads > 0 */
  struct delta delta;         /* otherwise */
  struct mlp mlp;
};

struct forward_model {
  size_t hidden, vocab;
  const struct matrix *embedding; /* [vocab, hidden] */
  const struct matrix *positions; /* [most tokens, hidden] or NULL */
  struct norm norm;
  struct linear head;
  size_t rotated;           /* dimensions of a head that turn; even */
  const float *frequencies; /* [rotated / 2] */
  bool neighbours;          /* turn together, not halves */
  bool exact;               /* no activations in eight bits */
  size_t layer_count;
  struct layer *layers;
};

enum forward_status {
  FORWARD_OK,
  FORWARD_INTERRUPTED,
  FORWARD_NO_MEMORY,
  FORWARD_NOT_FINITE,
};

/* Second moments of what goes into a matrix, summed over tokens
 * (forward_moments.c). */
struct moment {
  const struct matrix *matrix; /* the first of those that read the same */
  size_t inputs;
  double *squares; /* [inputs] */
  float *products; /* [inputs, inputs], up to the diagonal; or NULL */
};

/* One text. Exactly one of `nll`, `logits` and `moments` is asked for. */
struct forward_document {
  const int32_t *tokens; /* each below vocab, as many as there are positions */
  size_t count;
  float *nll;    /* out: [count - 1], of token i + 1 given those before it */
  float *logits; /* out: [count, vocab] */
  const struct moment *moments; /* each is added to */
  size_t moment_count;
  enum forward_status status;
  size_t position; /* of the first numbers that are not finite */
  size_t stage;    /* where: 0 the embedding, then the layers, then logits */
};

/* Runs the documents one after the other, each on `threads`, until one fails;
 * no Lua in here. */
void forward_run(const struct forward_model *model,
                 struct forward_document *documents, size_t count,
                 size_t threads);

/* ---- one document (forward_pass.c) ---- */

enum {
  LINEARS = 4,       /* that are computed together, from the same input */
  HEAD_CHUNK = 1024, /* logits of a token held at once */
};

/* Activations in eight bits, of int8_tokens(n) tokens, in the order of
 * forward_int8.h's bands. */
struct eights {
  int8_t *q;
  float *scales; /* of each segment */
  int32_t *sums; /* of each segment's q */
};

/* What one document needs while it runs; `n` tokens. */
struct scratch {
  float *memory;
  size_t n;
  size_t score_stride;  /* n rounded up to PANEL */
  float *x;             /* [n, hidden] the residual stream */
  float *norm;          /* [n, hidden] */
  float *branch;        /* [n, hidden] what is added to x */
  float *a, *b, *c;     /* [n, widest]: heads, or the inside of an mlp */
  float *mixed;         /* [n, widest] */
  float *cosine, *sine; /* [n, rotated / 2] */
  float *logits;        /* [n, HEAD_CHUNK], when scoring */
  float *top, *target;  /* [n] running maximum; the target's logit */
  double *sum;          /* [n] of exp(logit - top) */
  struct eights eights[2 * LINEARS]; /* of kept, of rescued rows */
};

/* What a thread has for itself. */
struct own {
  float *memory;
  float *tile;  /* decoded rows, or what is stored of a transposed matrix */
  float *panel; /* [deepest, PANEL] */
  float *delta; /* of Gated DeltaNet: two numbers of each token, and a head's */
  float *keys, *values, *scores; /* of attention */
  void *decoding;                /* of kernels.decode and .combine */
};

/* One thread's view of the work on a document. */
struct worker {
  const struct forward_model *model;
  const struct forward_document *document;
  const struct scratch *s;
  struct own own;
  struct team *team;
  size_t index, count;
  const struct kernels *kernels;
};

/* The first of `n` things that are this worker's, and the first that are not.
 */
struct share {
  size_t first, end;
};
struct share worker_share(const struct worker *w, size_t n);

/* Waits for the other workers. False, for all of them alike, when the work is
 * to be given up. */
bool worker_meet(const struct worker *w);

/* Computes y[i] = linears[i](x) of all tokens and meets. */
bool worker_linears(const struct worker *w, const float *x, size_t count,
                    const struct linear *const *linears, float *const *y,
                    const size_t *strides);

/* ---- second moments (forward_moments.c) ---- */

/* Adds the worker's share of the moments of x, which all workers see whole, to
 * those that the document wants of the linear layer's inputs. Sums run over
 * tokens in order: products in floats as panel_multiply_chunk adds them. */
void moments_add(const struct worker *w, const struct linear *linear,
                 const float *x);

/* Divides the products by `divisor` and mirrors them at the diagonal. */
void moments_finish(float *products, size_t inputs, double divisor);

/* ---- matrices (forward_matrix.c) ---- */

/* Bytes of `decoding` for a matrix of so many columns. */
size_t matrix_scratch(size_t cols);

/* A row as floats; all are NaN when a scale is not finite. */
void matrix_row(const struct kernels *kernels, const struct matrix *matrix,
                size_t row, void *decoding, float *out);

/* The worker's share of y = linear(x), in floats. */
void linear_exact(const struct worker *w, const struct linear *linear,
                  const float *x, float *y, size_t y_stride);

/* ---- products in eight bits (forward_int8.c) ---- */

enum { SEGMENT = 256 }; /* most columns that share a scale of activations */

/* Whether rows can be multiplied so. */
bool int8_fits(const struct rows *rows);

/* Whether the linear layer's matrix can. */
bool linear_is_int8(const struct linear *linear);

/* Fills the worker's share of the activations of x [n, cols]. */
void int8_fill(const struct worker *w, const struct rows *rows, const float *x,
               const struct eights *out);

/* The worker's share of y = linear(x) from filled activations. */
void linear_int8(const struct worker *w, const struct linear *linear,
                 const struct eights eights[2], float *y, size_t y_stride);

/* Tokens that have room in `eights`: n, or some more. */
size_t int8_tokens(size_t n);

/* Bytes of `tile` that linear_int8 needs for so many columns. */
size_t int8_scratch(size_t cols);

/* ---- mixing of tokens (forward_attention.c, forward_delta.c) ---- */

/* Leaves in `branch` what the layer adds to the residual stream. */
bool attention_run(const struct worker *w, const struct attention *a);
bool delta_run(const struct worker *w, const struct delta *delta);

/* ---- kernels (forward_kernels.c) ---- */

enum {
  PANEL = 16,  /* outputs that are computed side by side */
  CHUNK = 256, /* products that are summed before they join the others */
};

/* Lays element (o, k) = w[o * o_stride + k * k_stride] of `n` <= PANEL outputs
 * at panel[k * PANEL + o]; missing outputs are 0. */
void panel_pack(const float *w, size_t o_stride, size_t k_stride, size_t n,
                size_t depth, float *panel);

/* y[r][o] = sum over k of x[r][k] * panel[k][o] for o < n. The sum runs over k
 * in order within chunks, and over the chunks in order. */
void panel_multiply(const float *x, size_t x_stride, size_t rows,
                    const float *panel, size_t depth, float *y, size_t y_stride,
                    size_t n);

/* The same for one chunk, which is added to y unless it is the first. */
void panel_multiply_chunk(const float *x, size_t x_stride, size_t rows,
                          const float *panel, size_t depth, float *y,
                          size_t y_stride, size_t n, bool first);

/* y = x / sqrt(mean(x^2) + eps) * (weight + plus) for each of `rows` rows of
 * `n`. */
void rms_norm(const float *x, size_t stride, size_t rows, size_t n,
              const struct norm *norm, float *y, size_t y_stride);

/* y = (x - mean) / sqrt(variance + eps) * weight + bias. */
void layer_norm(const float *x, size_t stride, size_t rows, size_t n,
                const struct norm *norm, float *y, size_t y_stride);

/* Rotates (x[i], x[i + half]) by the angle of position and i, in place. */
void rotate(float *x, size_t half, const float *cosine, const float *sine);

/* Rotates (x[2 i], x[2 i + 1]) so. */
void rotate_neighbours(float *x, size_t half, const float *cosine,
                       const float *sine);

/* s[i] = softmax of scale * s over the first `n`; 0 in n..total-1. */
void softmax(float *s, size_t n, size_t total, float scale);

/* gate = gate / (1 + exp(-gate)) * up. */
void silu_multiply(float *gate, const float *up, size_t n);

/* x = x / (1 + exp(-x)). */
void silu(float *x, size_t n);

/* x = x / (1 + exp(-gate)). */
void sigmoid_multiply(float *x, const float *gate, size_t n);

/* x = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). */
void gelu_tanh(float *x, size_t n);

/* x += y. */
void add_to(float *x, const float *y, size_t n);

/* Largest of n > 0 finite values; sum of exp(x - largest). */
float largest(const float *x, size_t n);
double sum_exp(const float *x, size_t n, float largest);

#endif
