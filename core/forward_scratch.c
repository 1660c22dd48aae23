/* The memory that the work on a document needs. */
#include <stdlib.h>

#include "forward.h"
#include "forward_delta.h"
#include "forward_scratch.h"

static size_t round_up(size_t n, size_t step) {
  return (n + step - 1) / step * step;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* One array of a block of memory: where to, and how many bytes each row. */
struct part {
  void *to; /* a pointer to a pointer */
  size_t rows, bytes;
};

/* One block for all parts, each 64-byte aligned; NULL without memory. */
static float *carve(const struct part *parts, size_t count) {
  size_t total = 64;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].bytes != 0 && parts[i].rows > (SIZE_MAX >> 8) / parts[i].bytes)
      return NULL;
    size_t bytes = round_up(parts[i].rows * parts[i].bytes, 64);
    if (bytes > (SIZE_MAX >> 2) - total) return NULL;
    total += bytes;
  }
  uint8_t *memory = aligned_alloc(64, total), *at = memory;
  for (size_t i = 0; memory != NULL && i < count; i++) {
    *(void **)parts[i].to = at;
    at += round_up(parts[i].rows * parts[i].bytes, 64);
  }
  return (float *)(void *)memory;
}

/* Adds what a linear layer needs. */
static void need_linear(struct needs *needs, const struct linear *linear) {
  if (linear->matrix == NULL) return;
  size_t cols = linear->matrix->cols, inputs = linear->inputs;
  size_t rows = linear->transposed ? CHUNK : PANEL;
  needs->deepest = larger(needs->deepest, inputs);
  needs->columns = larger(needs->columns, cols);
  needs->tile = larger(needs->tile, rows * cols * sizeof(float));
  if (linear_is_int8(linear))
    needs->tile = larger(needs->tile, int8_scratch(cols));
  needs->eights = needs->eights || linear_is_int8(linear);
}

static void need_attention(struct needs *needs, const struct attention *a) {
  size_t q = a->heads * a->head_dim, kv = a->kv_heads * a->head_dim;
  const struct linear *all[] = {&a->query, &a->key, &a->value, &a->output};
  for (size_t i = 0; i < 4; i++)
    need_linear(needs, all[i]);
  needs->a = larger(needs->a, a->gated ? 2 * q : q);
  needs->b = larger(needs->b, kv);
  needs->c = larger(needs->c, kv);
  needs->mixed = larger(needs->mixed, q);
  needs->head_dim = larger(needs->head_dim, a->head_dim);
}

static void need_delta(struct needs *needs, const struct delta *d) {
  const struct linear *all[] = {&d->qkv, &d->z, &d->a, &d->b, &d->output};
  for (size_t i = 0; i < 5; i++)
    need_linear(needs, all[i]);
  size_t value = d->value_heads * d->value_dim;
  needs->a = larger(needs->a, d->qkv.outputs);
  needs->b = larger(needs->b, value);
  needs->c = larger(needs->c, 2 * d->value_heads);
  needs->mixed = larger(needs->mixed, larger(value, d->qkv.outputs));
  needs->deepest = larger(needs->deepest, larger(d->key_dim, DELTA_CHUNK));
  needs->delta =
      larger(needs->delta, d->key_dim * d->value_dim +
                               delta_scratch(d->key_dim, d->value_dim));
}

struct needs needs_of(const struct forward_model *model) {
  struct needs needs = {.columns = model->hidden, .tile = 0};
  need_linear(&needs, &model->head);
  for (size_t i = 0; i < model->layer_count; i++) {
    const struct layer *layer = &model->layers[i];
    if (layer->attention.heads > 0)
      need_attention(&needs, &layer->attention);
    else
      need_delta(&needs, &layer->delta);
    need_linear(&needs, &layer->mlp.gate);
    need_linear(&needs, &layer->mlp.up);
    need_linear(&needs, &layer->mlp.down);
    needs.a = larger(needs.a, layer->mlp.up.outputs);
    needs.b = larger(needs.b, layer->mlp.up.outputs);
  }
  needs.eights = needs.eights && !model->exact;
  return needs;
}

bool scratch_open(struct scratch *s, const struct forward_model *model,
                  const struct needs *needs, size_t n, bool scoring) {
  enum { F = sizeof(float), PLAIN = 13, EIGHTS = 2 * LINEARS };
  size_t eights = needs->eights ? int8_tokens(n) : 0;
  size_t segments = needs->deepest / 32 + 1;
  struct part parts[PLAIN + 3 * EIGHTS] = {
      {&s->x, n, model->hidden * F},
      {&s->norm, n, model->hidden * F},
      {&s->branch, n, model->hidden * F},
      {&s->a, n, needs->a * F},
      {&s->b, n, needs->b * F},
      {&s->c, n, needs->c * F},
      {&s->mixed, n, needs->mixed * F},
      {&s->cosine, n, model->rotated / 2 * F},
      {&s->sine, n, model->rotated / 2 * F},
      {&s->logits, scoring ? n : 0, HEAD_CHUNK * F},
      {&s->top, n, F},
      {&s->target, n, F},
      {&s->sum, n, sizeof(double)},
  };
  for (size_t i = 0; i < EIGHTS; i++) {
    struct part *at = parts + PLAIN + 3 * i;
    at[0] = (struct part){&s->eights[i].q, eights, needs->deepest + 32};
    at[1] = (struct part){&s->eights[i].scales, eights, segments * F};
    at[2] = (struct part){&s->eights[i].sums, eights, segments * F};
  }
  s->n = n;
  s->score_stride = round_up(n, PANEL);
  s->memory = carve(parts, PLAIN + 3 * EIGHTS);
  return s->memory != NULL;
}

bool own_open(struct own *own, const struct needs *needs,
              const struct scratch *s) {
  enum { F = sizeof(float) };
  size_t values = round_up(needs->head_dim, PANEL);
  size_t keys = s->score_stride * needs->head_dim;
  const struct part parts[] = {
      {&own->tile, 1, needs->tile},
      {&own->panel, needs->deepest, PANEL * F},
      {&own->delta, 1, (needs->delta > 0 ? 2 * s->n + needs->delta : 0) * F},
      {&own->keys, 1, keys * F},
      {&own->values, s->n, values * F},
      {&own->scores, QUERIES, (needs->head_dim > 0 ? s->score_stride : 0) * F},
      {&own->decoding, 1, matrix_scratch(needs->columns)},
  };
  own->memory = carve(parts, sizeof parts / sizeof *parts);
  return own->memory != NULL;
}
