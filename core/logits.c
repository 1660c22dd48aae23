/* core.logits: what two models say of the same tokens, position by position. */
#include <math.h>
#include <string.h>

#include "buffer.h"

int luaopen_core_logits(lua_State *L);

/* The logits of one position under one model. */
struct row {
  const float *logits;
  size_t best; /* the first of the largest */
  double log_sum;
};

static struct row row_of(const float *logits, size_t vocab) {
  struct row row = {.logits = logits};
  for (size_t i = 1; i < vocab; i++)
    if (logits[i] > logits[row.best]) row.best = i;
  float top = logits[row.best];
  double sum = 0;
  for (size_t i = 0; i < vocab; i++)
    sum += (double)expf(logits[i] - top);
  row.log_sum = log(sum) + (double)top;
  return row;
}

/* KL(p || q) = sum of p (log p - log q), the logarithms of the sums apart:
 * sum of p (a - b) - (log sum a - log sum b). */
static double divergence(const struct row *p, const struct row *q,
                         size_t vocab) {
  float top = p->logits[p->best];
  double sum = 0, weighted = 0;
  for (size_t i = 0; i < vocab; i++) {
    double weight = (double)expf(p->logits[i] - top);
    sum += weight;
    weighted += weight * ((double)p->logits[i] - (double)q->logits[i]);
  }
  return fmax(0, weighted / sum - (p->log_sum - q->log_sum));
}

static float cost(const struct row *row, int32_t token) {
  return (float)(row->log_sum - (double)row->logits[token]);
}

/* The buffers that compare() fills, an element for each target. */
struct result {
  float *reference, *other, *divergence;
  uint8_t *agree;
};

static void *push_field(lua_State *L, enum dtype dtype, size_t count,
                        const char *key) {
  void *data = buffer_push(L, dtype, count)->data;
  lua_setfield(L, -2, key);
  return data;
}

static struct result push_result(lua_State *L, size_t count) {
  struct result result;
  lua_createtable(L, 0, 4);
  result.reference = push_field(L, DTYPE_F32, count, "reference");
  result.other = push_field(L, DTYPE_F32, count, "other");
  result.divergence = push_field(L, DTYPE_F32, count, "divergence");
  result.agree = push_field(L, DTYPE_U8, count, "agree");
  return result;
}

static void compare_at(const float *reference, const float *other, size_t vocab,
                       int32_t token, struct result *to, size_t t) {
  struct row p = row_of(reference + t * vocab, vocab);
  struct row q = row_of(other + t * vocab, vocab);
  to->reference[t] = cost(&p, token);
  to->other[t] = cost(&q, token);
  to->divergence[t] = (float)divergence(&p, &q, vocab);
  to->agree[t] = p.best == q.best;
}

static size_t check_vocab(lua_State *L, const struct buffer *tokens,
                          const struct buffer *a, const struct buffer *b) {
  lua_Integer vocab = luaL_checkinteger(L, 4);
  luaL_argcheck(L, vocab >= 1 && vocab <= INT32_MAX, 4, "out of range");
  size_t most = SIZE_MAX / (size_t)vocab;
  luaL_argcheck(L, tokens->count <= most, 1, "too many tokens");
  size_t count = tokens->count * (size_t)vocab;
  luaL_argcheck(L, a->count == count, 2, "must be [tokens, vocabulary]");
  luaL_argcheck(L, b->count == count, 3, "must be [tokens, vocabulary]");
  const int32_t *token = tokens->data;
  for (size_t i = 0; i < tokens->count; i++)
    luaL_argcheck(L, token[i] >= 0 && token[i] < vocab, 1,
                  "a token is outside of the vocabulary");
  return (size_t)vocab;
}

/* compare(tokens (i32 buffer), reference (f32 buffer [tokens, vocab]), other
 * (f32 buffer [tokens, vocab]), vocab (integer)) -> {reference, other = f32
 * buffers of nats that each token but the first costs; divergence = f32 buffer
 * of the KL divergence of `other` from `reference` at its position; agree = u8
 * buffer, 1 where both think the same token the likeliest} | nil, message,
 * code. The logits are finite numbers. */
static int f_compare(lua_State *L) {
  const struct buffer *tokens = buffer_check(L, 1, DTYPE_I32);
  const struct buffer *reference = buffer_check(L, 2, DTYPE_F32);
  const struct buffer *other = buffer_check(L, 3, DTYPE_F32);
  size_t vocab = check_vocab(L, tokens, reference, other);
  size_t count = tokens->count > 0 ? tokens->count - 1 : 0;
  struct result result = push_result(L, count);
  for (size_t t = 0; t < count; t++) {
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    compare_at(reference->data, other->data, vocab,
               ((const int32_t *)tokens->data)[t + 1], &result, t);
  }
  return 1;
}

int luaopen_core_logits(lua_State *L) {
  static const luaL_Reg functions[] = {BIND(compare), {NULL, NULL}};
  buffer_require(L);
  luaL_newlib(L, functions);
  return 1;
}
