/* The pass of documents through a model: one document per thread, as products
 * of matrices; and the threads. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "forward.h"
#include "kernels.h"

enum {
  QUERIES = 48,      /* rows of attention scores held at once */
  HEAD_CHUNK = 1024, /* logits of a token held at once */
  MOST_THREADS = 256,
};

/* What one document needs while it runs; `n` tokens. */
struct scratch {
  float *memory;
  size_t n;
  size_t score_stride;  /* n rounded up to PANEL */
  float *x;             /* [n, hidden] the residual stream */
  float *norm;          /* [n, hidden] */
  float *branch;        /* [n, hidden] what is added to x */
  float *q, *mixed;     /* [n, heads * head_dim] */
  float *k, *v;         /* [n, kv_heads * head_dim] */
  float *gate, *up;     /* [n, intermediate] */
  float *cosine, *sine; /* [n, head_dim / 2] */
  float *panel;         /* [longest input, PANEL] */
  float *keys, *values; /* panels of one key/value head */
  float *scores;        /* [QUERIES, score_stride] */
  float *logits;        /* [n, HEAD_CHUNK], when scoring */
  float *top, *target;  /* [n] running maximum; the target's logit */
  double *sum;          /* [n] of exp(logit - top) */
};

static size_t round_up(size_t n, size_t step) {
  return (n + step - 1) / step * step;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* One array of the scratch block: where to, and how many floats. */
struct part {
  float **to;
  size_t rows, cols;
};

/* Hands out one block to all parts, each 64-byte aligned. */
static int carve(struct scratch *s, const struct part *parts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].cols != 0 && parts[i].rows > (SIZE_MAX >> 8) / parts[i].cols)
      return -1;
    size_t floats = round_up(parts[i].rows * parts[i].cols, PANEL);
    if (floats > (SIZE_MAX >> 4) - total) return -1;
    total += floats;
  }
  s->memory = aligned_alloc(64, larger(total, PANEL) * sizeof(float));
  if (s->memory == NULL) return -1;
  float *at = s->memory;
  for (size_t i = 0; i < count; i++) {
    *parts[i].to = at;
    at += round_up(parts[i].rows * parts[i].cols, PANEL);
  }
  return 0;
}

static int scratch_new(struct scratch *s, const struct forward_config *c,
                       size_t n, bool scoring) {
  size_t q = c->heads * c->head_dim;
  size_t kv = c->kv_heads * c->head_dim;
  size_t deepest = larger(larger(c->hidden, c->intermediate), q);
  float *sum = NULL;
  *s = (struct scratch){.n = n, .score_stride = round_up(n, PANEL)};
  const struct part parts[] = {
      {&s->x, n, c->hidden},
      {&s->norm, n, c->hidden},
      {&s->branch, n, c->hidden},
      {&s->q, n, q},
      {&s->mixed, n, q},
      {&s->k, n, kv},
      {&s->v, n, kv},
      {&s->gate, n, c->intermediate},
      {&s->up, n, c->intermediate},
      {&s->cosine, n, c->head_dim / 2},
      {&s->sine, n, c->head_dim / 2},
      {&s->panel, deepest, PANEL},
      {&s->keys, s->score_stride, c->head_dim},
      {&s->values, n, round_up(c->head_dim, PANEL)},
      {&s->scores, QUERIES, s->score_stride},
      {&s->logits, scoring ? n : 0, HEAD_CHUNK},
      {&s->top, n, 1},
      {&s->target, n, 1},
      {&sum, n, sizeof(double) / sizeof(float)},
  };
  if (carve(s, parts, sizeof parts / sizeof *parts) != 0) return -1;
  s->sum = (double *)(void *)sum;
  return 0;
}

/* y [rows, outputs] = x [rows, inputs] times w [outputs, inputs] transposed. */
static int linear(const struct scratch *s, const float *x, size_t inputs,
                  const float *w, size_t outputs, float *y, size_t y_stride) {
  for (size_t o = 0; o < outputs; o += PANEL) {
    size_t n = outputs - o < PANEL ? outputs - o : PANEL;
    if (bind_interrupted()) return -1;
    panel_pack(w + o * inputs, inputs, 1, n, inputs, s->panel);
    panel_multiply(x, inputs, s->n, s->panel, inputs, y + o, y_stride, n);
  }
  return 0;
}

/* Angles as the reference has them: f32 inverse frequencies times positions. */
static void make_angles(const struct scratch *s,
                        const struct forward_config *c) {
  size_t half = c->head_dim / 2;
  for (size_t i = 0; i < half; i++) {
    double power = (double)(2 * i) / (double)c->head_dim;
    float frequency = (float)(1.0 / pow(c->theta, power));
    for (size_t t = 0; t < s->n; t++) {
      double angle = (double)((float)t * frequency);
      s->cosine[t * half + i] = (float)cos(angle);
      s->sine[t * half + i] = (float)sin(angle);
    }
  }
}

/* Norm of each head, then its rotation by position. */
static void prepare_heads(const struct scratch *s,
                          const struct forward_config *c, float *x,
                          size_t heads, const float *weight) {
  size_t dim = c->head_dim, half = dim / 2;
  for (size_t t = 0; t < s->n; t++) {
    float *row = x + t * heads * dim;
    rms_norm(row, dim, heads, dim, weight, c->eps, row, dim);
    for (size_t h = 0; h < heads; h++)
      rotate(row + h * dim, half, s->cosine + t * half, s->sine + t * half);
  }
}

/* Panels of the keys and values of key/value head `g`. */
static void pack_head(const struct scratch *s, const struct forward_config *c,
                      size_t g) {
  size_t dim = c->head_dim, stride = c->kv_heads * dim;
  for (size_t t = 0; t < s->n; t += PANEL) {
    size_t n = s->n - t < PANEL ? s->n - t : PANEL;
    panel_pack(s->k + t * stride + g * dim, stride, 1, n, dim,
               s->keys + t * dim);
  }
  for (size_t i = 0; i < dim; i += PANEL) {
    size_t n = dim - i < PANEL ? dim - i : PANEL;
    panel_pack(s->v + g * dim + i, 1, stride, n, s->n, s->values + i * s->n);
  }
}

/* Attention of `rows` queries of head `h` from token `first` on, over the keys
 * up to each one's own. */
static void attend(const struct scratch *s, const struct forward_config *c,
                   size_t h, size_t first, size_t rows) {
  size_t dim = c->head_dim, stride = c->heads * dim;
  size_t keys = first + rows, width = s->score_stride;
  float scale = (float)(1.0 / sqrt((double)dim));
  const float *q = s->q + first * stride + h * dim;
  float *out = s->mixed + first * stride + h * dim;
  for (size_t t = 0; t < keys; t += PANEL)
    panel_multiply(q, stride, rows, s->keys + t * dim, dim, s->scores + t,
                   width, PANEL);
  for (size_t r = 0; r < rows; r++)
    softmax(s->scores + r * width, first + r + 1, keys, scale);
  for (size_t i = 0; i < dim; i += PANEL)
    panel_multiply(s->scores, width, rows, s->values + i * s->n, keys, out + i,
                   stride, dim - i < PANEL ? dim - i : PANEL);
}

/* mixed = attention of q over k and v. */
static int attention(const struct scratch *s, const struct forward_config *c) {
  size_t group = c->heads / c->kv_heads;
  for (size_t h = 0; h < c->heads; h++) {
    if (h % group == 0) pack_head(s, c, h / group);
    for (size_t t = 0; t < s->n; t += QUERIES) {
      if (bind_interrupted()) return -1;
      attend(s, c, h, t, s->n - t < QUERIES ? s->n - t : QUERIES);
    }
  }
  return 0;
}

static int attention_block(const struct scratch *s,
                           const struct forward_config *c,
                           const struct forward_layer *layer) {
  size_t hidden = c->hidden, n = s->n;
  size_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
  rms_norm(s->x, hidden, n, hidden, layer->input_norm, c->eps, s->norm, hidden);
  if (linear(s, s->norm, hidden, layer->q, q, s->q, q) != 0 ||
      linear(s, s->norm, hidden, layer->k, kv, s->k, kv) != 0 ||
      linear(s, s->norm, hidden, layer->v, kv, s->v, kv) != 0)
    return -1;
  prepare_heads(s, c, s->q, c->heads, layer->q_norm);
  prepare_heads(s, c, s->k, c->kv_heads, layer->k_norm);
  if (attention(s, c) != 0) return -1;
  if (linear(s, s->mixed, q, layer->o, hidden, s->branch, hidden) != 0)
    return -1;
  add_to(s->x, s->branch, n * hidden);
  return 0;
}

static int mlp_block(const struct scratch *s, const struct forward_config *c,
                     const struct forward_layer *layer) {
  size_t hidden = c->hidden, inner = c->intermediate, n = s->n;
  rms_norm(s->x, hidden, n, hidden, layer->post_norm, c->eps, s->norm, hidden);
  if (linear(s, s->norm, hidden, layer->gate, inner, s->gate, inner) != 0 ||
      linear(s, s->norm, hidden, layer->up, inner, s->up, inner) != 0)
    return -1;
  silu_multiply(s->gate, s->up, n * inner);
  if (linear(s, s->gate, inner, layer->down, hidden, s->branch, hidden) != 0)
    return -1;
  add_to(s->x, s->branch, n * hidden);
  return 0;
}

static void embed(const struct scratch *s, const struct forward_model *model,
                  const int32_t *tokens) {
  size_t hidden = model->config.hidden;
  for (size_t t = 0; t < s->n; t++)
    memcpy(s->x + t * hidden, model->embedding + (size_t)tokens[t] * hidden,
           hidden * sizeof(float));
}

/* Leaves the normed last hidden state in s->norm. */
static int run_layers(const struct scratch *s,
                      const struct forward_model *model,
                      const int32_t *tokens) {
  const struct forward_config *c = &model->config;
  make_angles(s, c);
  embed(s, model, tokens);
  for (size_t i = 0; i < c->layers; i++)
    if (attention_block(s, c, &model->layers[i]) != 0 ||
        mlp_block(s, c, &model->layers[i]) != 0)
      return -1;
  rms_norm(s->x, c->hidden, s->n, c->hidden, model->norm, c->eps, s->norm,
           c->hidden);
  return 0;
}

/* Adds `n` logits, those of tokens `from` on, to the running log-sum-exp of
 * position t. */
static void gather_logits(const struct scratch *s, size_t t, size_t from,
                          size_t n, size_t wanted) {
  const float *logits = s->logits + t * HEAD_CHUNK;
  float top = largest(logits, n);
  if (from > 0 && s->top[t] > top) top = s->top[t];
  double before = from > 0 ? s->sum[t] * exp((double)(s->top[t] - top)) : 0;
  s->sum[t] = before + sum_exp(logits, n, top);
  s->top[t] = top;
  if (wanted >= from && wanted - from < n) s->target[t] = logits[wanted - from];
}

static enum forward_status not_finite(struct forward_document *document,
                                      size_t position) {
  document->position = position;
  return FORWARD_NOT_FINITE;
}

/* The head in chunks of the vocabulary, so that its logits are never all held
 * at once. */
static enum forward_status score_head(const struct scratch *s,
                                      const struct forward_model *model,
                                      struct forward_document *document) {
  size_t hidden = model->config.hidden, vocab = model->config.vocab;
  for (size_t from = 0; from < vocab; from += HEAD_CHUNK) {
    size_t n = vocab - from < HEAD_CHUNK ? vocab - from : HEAD_CHUNK;
    if (linear(s, s->norm, hidden, model->head + from * hidden, n, s->logits,
               HEAD_CHUNK) != 0)
      return FORWARD_INTERRUPTED;
    for (size_t t = 0; t < s->n; t++) {
      if (kernels_scalar.not_finite(s->logits + t * HEAD_CHUNK, n) < n)
        return not_finite(document, t);
      gather_logits(s, t, from, n, (size_t)document->tokens[t + 1]);
    }
  }
  for (size_t t = 0; t < s->n; t++)
    document->nll[t] =
        (float)(log(s->sum[t]) + (double)s->top[t] - (double)s->target[t]);
  return FORWARD_OK;
}

static enum forward_status logits_head(const struct scratch *s,
                                       const struct forward_model *model,
                                       struct forward_document *document) {
  size_t vocab = model->config.vocab;
  if (linear(s, s->norm, model->config.hidden, model->head, vocab,
             document->logits, vocab) != 0)
    return FORWARD_INTERRUPTED;
  for (size_t t = 0; t < s->n; t++)
    if (kernels_scalar.not_finite(document->logits + t * vocab, vocab) < vocab)
      return not_finite(document, t);
  return FORWARD_OK;
}

static enum forward_status run_document(const struct forward_model *model,
                                        struct forward_document *document) {
  struct scratch s;
  bool scoring = document->logits == NULL;
  /* Nothing is predicted after the last token. */
  size_t n = document->count - (scoring && document->count > 0 ? 1 : 0);
  enum forward_status status = FORWARD_INTERRUPTED;
  if (n == 0) return FORWARD_OK;
  if (scratch_new(&s, &model->config, n, scoring) != 0)
    return FORWARD_NO_MEMORY;
  if (run_layers(&s, model, document->tokens) == 0)
    status = scoring ? score_head(&s, model, document)
                     : logits_head(&s, model, document);
  free(s.memory);
  return status;
}

struct crew {
  const struct forward_model *model;
  struct forward_document *documents;
  size_t count;
  atomic_size_t next;
  atomic_bool stopped;
};

/* Takes documents in order until none is left or one failed; those before a
 * failed one are finished, so that the first failure is always the same. */
static void *work(void *data) {
  struct crew *crew = data;
  while (!atomic_load(&crew->stopped)) {
    size_t i = atomic_fetch_add(&crew->next, 1);
    if (i >= crew->count) break;
    struct forward_document *document = &crew->documents[i];
    document->status = run_document(crew->model, document);
    if (document->status != FORWARD_OK) atomic_store(&crew->stopped, true);
  }
  return NULL;
}

/* Signals are for the thread that runs Lua. */
static size_t start(struct crew *crew, pthread_t *threads, size_t wanted) {
  sigset_t all, before;
  size_t started = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (started < wanted &&
         pthread_create(&threads[started], NULL, work, crew) == 0)
    started++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

void forward_run(const struct forward_model *model,
                 struct forward_document *documents, size_t count,
                 size_t threads) {
  pthread_t others[MOST_THREADS];
  struct crew crew = {.model = model, .documents = documents, .count = count};
  size_t wanted = threads < count ? threads : count;
  if (wanted > MOST_THREADS) wanted = MOST_THREADS;
  size_t started = wanted > 1 ? start(&crew, others, wanted - 1) : 0;
  work(&crew);
  for (size_t i = 0; i < started; i++)
    pthread_join(others[i], NULL);
}
