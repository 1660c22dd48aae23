/* The pass of documents through a model: every thread runs all steps, each on
 * its share of tokens, heads or outputs, and they meet in between. */
#include <math.h>
#include <stdlib.h>

#include "bind.h"
#include "forward.h"
#include "forward_scratch.h"
#include "forward_team.h"

struct share worker_share(const struct worker *w, size_t n) {
  size_t each = n / w->count, rest = n % w->count;
  size_t first = each * w->index + rest * w->index / w->count;
  size_t next = w->index + 1;
  return (struct share){first, each * next + rest * next / w->count};
}

bool worker_meet(const struct worker *w) {
  if (bind_interrupted()) atomic_store(&w->team->stop, true);
  return team_meet(w->team);
}

/* ---- linear layers ---- */

static bool is_int8(const struct worker *w, const struct linear *linear) {
  return !w->model->exact && linear_is_int8(linear);
}

/* Fills the activations of a linear layer; true when it wants any. */
static bool fill(const struct worker *w, const float *x,
                 const struct linear *linear, const struct eights *eights) {
  if (!is_int8(w, linear)) return false;
  int8_fill(w, &linear->matrix->kept, x, &eights[0]);
  if (linear->matrix->rescue.count > 0)
    int8_fill(w, &linear->matrix->rescue, x, &eights[1]);
  return true;
}

static void multiply(const struct worker *w, const float *x,
                     const struct linear *linear, const struct eights *eights,
                     float *y, size_t stride) {
  if (is_int8(w, linear))
    linear_int8(w, linear, eights, y, stride);
  else
    linear_exact(w, linear, x, y, stride);
}

bool worker_linears(const struct worker *w, const float *x, size_t count,
                    const struct linear *const *linears, float *const *y,
                    const size_t *strides) {
  bool filled = false;
  moments_add(w, linears[0], x);
  for (size_t i = 0; i < count; i++)
    filled |= fill(w, x, linears[i], w->s->eights + 2 * i);
  if (filled && !worker_meet(w)) return false;
  for (size_t i = 0; i < count; i++)
    multiply(w, x, linears[i], w->s->eights + 2 * i, y[i], strides[i]);
  return worker_meet(w);
}

/* ---- layers ---- */

static void normalise(const struct worker *w, const struct norm *norm) {
  struct share share = worker_share(w, w->s->n);
  size_t hidden = w->model->hidden, rows = share.end - share.first;
  const float *x = w->s->x + share.first * hidden;
  float *y = w->s->norm + share.first * hidden;
  if (norm->centred)
    layer_norm(x, hidden, rows, hidden, norm, y, hidden);
  else
    rms_norm(x, hidden, rows, hidden, norm, y, hidden);
}

/* x += branch, of the worker's tokens. */
static void add_branch(const struct worker *w) {
  struct share share = worker_share(w, w->s->n);
  size_t hidden = w->model->hidden, at = share.first * hidden;
  add_to(w->s->x + at, w->s->branch + at, (share.end - share.first) * hidden);
}

/* Blames the first token of the worker's whose numbers are not finite. */
static void check_tokens(const struct worker *w, size_t stage, const float *x,
                         size_t width, size_t stride) {
  struct share share = worker_share(w, w->s->n);
  for (size_t t = share.first; t < share.end; t++)
    if (kernels_scalar.not_finite(x + t * stride, width) < width) {
      team_blame(w->team, t, stage);
      return;
    }
}

static void activate(const struct worker *w, const struct mlp *mlp) {
  struct share share = worker_share(w, w->s->n);
  size_t inner = mlp->up.outputs, at = share.first * inner;
  size_t count = (share.end - share.first) * inner;
  if (mlp->activation == GELU_TANH)
    gelu_tanh(w->s->a + at, count);
  else
    silu_multiply(w->s->a + at, w->s->b + at, count);
}

static bool mlp_run(const struct worker *w, const struct mlp *mlp) {
  const struct scratch *s = w->s;
  bool gated = mlp->gate.matrix != NULL;
  size_t inner = mlp->up.outputs;
  const struct linear *both[] = {&mlp->gate, &mlp->up}, *down[] = {&mlp->down};
  float *parts[] = {s->a, s->b}, *branch[] = {s->branch};
  const size_t strides[] = {inner, inner}, hidden[] = {w->model->hidden};
  if (!worker_linears(w, s->norm, gated ? 2 : 1, gated ? both : both + 1, parts,
                      strides))
    return false;
  activate(w, mlp);
  return worker_meet(w) && worker_linears(w, s->a, 1, down, branch, hidden);
}

static bool layer_run(const struct worker *w, const struct layer *layer) {
  normalise(w, &layer->before);
  if (!worker_meet(w)) return false;
  if (!(layer->attention.heads > 0 ? attention_run(w, &layer->attention)
                                   : delta_run(w, &layer->delta)))
    return false;
  add_branch(w);
  normalise(w, &layer->between);
  if (!worker_meet(w) || !mlp_run(w, &layer->mlp)) return false;
  add_branch(w);
  return true;
}

/* ---- what comes before the layers ---- */

/* Angles as the reference has them: f32 frequencies times positions. */
static void make_angles(const struct worker *w) {
  struct share share = worker_share(w, w->s->n);
  size_t half = w->model->rotated / 2;
  for (size_t t = share.first; t < share.end; t++)
    for (size_t i = 0; i < half; i++) {
      double angle = (double)((float)t * w->model->frequencies[i]);
      w->s->cosine[t * half + i] = (float)cos(angle);
      w->s->sine[t * half + i] = (float)sin(angle);
    }
}

static void embed(const struct worker *w, const int32_t *tokens) {
  const struct forward_model *model = w->model;
  struct share share = worker_share(w, w->s->n);
  for (size_t t = share.first; t < share.end; t++) {
    float *x = w->s->x + t * model->hidden;
    matrix_row(w->kernels, model->embedding, (size_t)tokens[t], w->own.decoding,
               x);
    if (model->positions == NULL) continue;
    matrix_row(w->kernels, model->positions, t, w->own.decoding,
               w->s->branch + t * model->hidden);
    add_to(x, w->s->branch + t * model->hidden, model->hidden);
  }
}

/* Leaves the normed last hidden state in s->norm. */
static bool run_layers(const struct worker *w, const int32_t *tokens) {
  size_t hidden = w->model->hidden;
  make_angles(w);
  embed(w, tokens);
  check_tokens(w, 0, w->s->x, hidden, hidden);
  if (!worker_meet(w)) return false;
  for (size_t i = 0; i < w->model->layer_count; i++) {
    if (!layer_run(w, &w->model->layers[i])) return false;
    check_tokens(w, i + 1, w->s->x, hidden, hidden);
  }
  normalise(w, &w->model->norm);
  return worker_meet(w);
}

/* ---- what comes behind them ---- */

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

/* Part of the head: its outputs from `from` on. */
static struct linear head_part(const struct linear *head, size_t from,
                               size_t most) {
  struct linear part = *head;
  size_t left = head->outputs - from;
  part.first += from;
  part.outputs = left < most ? left : most;
  return part;
}

static bool score_chunk(const struct worker *w,
                        const struct forward_document *document, size_t from) {
  const struct scratch *s = w->s;
  struct linear part = head_part(&w->model->head, from, HEAD_CHUNK);
  struct share share = worker_share(w, s->n);
  multiply(w, s->norm, &part, s->eights, s->logits, HEAD_CHUNK);
  if (!worker_meet(w)) return false;
  check_tokens(w, w->model->layer_count + 1, s->logits, part.outputs,
               HEAD_CHUNK);
  for (size_t t = share.first; t < share.end; t++)
    gather_logits(s, t, from, part.outputs, (size_t)document->tokens[t + 1]);
  return worker_meet(w);
}

/* The head in chunks of the vocabulary, so that its logits are never all held
 * at once. */
static bool score_head(const struct worker *w,
                       const struct forward_document *document) {
  const struct scratch *s = w->s;
  struct share share = worker_share(w, s->n);
  for (size_t from = 0; from < w->model->vocab; from += HEAD_CHUNK)
    if (!score_chunk(w, document, from)) return false;
  for (size_t t = share.first; t < share.end; t++)
    document->nll[t] =
        (float)(log(s->sum[t]) + (double)s->top[t] - (double)s->target[t]);
  return true;
}

static bool logits_head(const struct worker *w,
                        const struct forward_document *document) {
  size_t vocab = w->model->vocab;
  multiply(w, w->s->norm, &w->model->head, w->s->eights, document->logits,
           vocab);
  if (!worker_meet(w)) return false;
  check_tokens(w, w->model->layer_count + 1, document->logits, vocab, vocab);
  return worker_meet(w);
}

static void run_head(const struct worker *w,
                     const struct forward_document *document) {
  if (document->moments) {
    moments_add(w, &w->model->head, w->s->norm);
    return;
  }
  if (fill(w, w->s->norm, &w->model->head, w->s->eights) && !worker_meet(w))
    return;
  if (document->logits)
    logits_head(w, document);
  else
    score_head(w, document);
}

/* ---- documents ---- */

struct work {
  const struct forward_model *model;
  const struct needs *needs;
  struct forward_document *document;
  struct scratch s;
  struct team team;
};

static void work_on(void *context, size_t index, size_t count) {
  struct work *work = context;
  struct worker w = {.model = work->model,
                     .document = work->document,
                     .s = &work->s,
                     .team = &work->team,
                     .index = index,
                     .count = count,
                     .kernels = kernels_chosen()};
  if (!own_open(&w.own, work->needs, &work->s)) {
    atomic_store(&work->team.no_memory, true);
    atomic_store(&work->team.stop, true);
  }
  if (worker_meet(&w) && run_layers(&w, work->document->tokens))
    run_head(&w, work->document);
  free(w.own.memory);
}

static enum forward_status status_of(struct team *team) {
  if (atomic_load(&team->no_memory)) return FORWARD_NO_MEMORY;
  if (atomic_load(&team->position) != SIZE_MAX) return FORWARD_NOT_FINITE;
  return atomic_load(&team->stop) ? FORWARD_INTERRUPTED : FORWARD_OK;
}

static enum forward_status run_document(const struct forward_model *model,
                                        const struct needs *needs,
                                        struct forward_document *document,
                                        size_t threads) {
  struct work work = {.model = model, .needs = needs, .document = document};
  bool scoring = document->nll != NULL;
  /* Nothing is predicted after the last token. */
  size_t n = document->count - (scoring && document->count > 0 ? 1 : 0);
  if (n == 0) return FORWARD_OK;
  if (!scratch_open(&work.s, model, needs, n, scoring))
    return FORWARD_NO_MEMORY;
  team_open(&work.team);
  team_run(&work.team, threads, work_on, &work);
  enum forward_status status = status_of(&work.team);
  document->position = atomic_load(&work.team.position);
  document->stage = atomic_load(&work.team.stage);
  team_close(&work.team);
  free(work.s.memory);
  return status;
}

void forward_run(const struct forward_model *model,
                 struct forward_document *documents, size_t count,
                 size_t threads) {
  struct needs needs = needs_of(model);
  for (size_t i = 0; i < count; i++) {
    documents[i].status = run_document(model, &needs, &documents[i], threads);
    if (documents[i].status != FORWARD_OK) return;
  }
}
