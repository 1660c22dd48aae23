/* The sums of kernels_fit_plain.h in vectors of the compiler, as wide as the
 * instruction set has them: one text for all. */
#ifndef BITTERN_KERNELS_FIT_VECTOR_H
#define BITTERN_KERNELS_FIT_VECTOR_H

#include "kernels_fit_plain.h"

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

enum { WIDE = VECTOR_BYTES / 4, VECTORS = LANES / WIDE };

typedef float vector_f __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t vector_i __attribute__((vector_size(VECTOR_BYTES)));

INLINE vector_f vector_at(const float *at) {
  vector_f v;
  memcpy(&v, at, sizeof v);
  return v;
}

INLINE void put_vector(float *at, vector_f v) { memcpy(at, &v, sizeof v); }

/* v where the mask is set, else 0. */
INLINE vector_f vector_where(vector_i mask, vector_f v) {
  return (vector_f)(mask & (vector_i)v);
}

INLINE vector_f vector_choose(vector_i mask, vector_f a, vector_f b) {
  return (vector_f)((mask & (vector_i)a) | (~mask & (vector_i)b));
}

INLINE vector_f vector_magnitude(vector_f v) {
  return (vector_f)((vector_i)v & 0x7fffffff);
}

/* q4_code_of what is not negative. */
INLINE vector_f vector_q4(vector_f x, float inverse) {
  const vector_f most = (vector_f){0} + Q4_MAX;
  x = x * inverse;
  x = vector_choose(x > most, most, x);
  return (x + 0x1.8p23f) - 0x1.8p23f;
}

/* PAIR_IN_LANES, with expressions of vectors that begin at element `at` too. */
#define PAIR_IN_VECTORS(n, weights, weighteds, weight, weighted)               \
  double lane[2][LANES] = {{0}, {0}};                                          \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    vector_f sum[2][VECTORS] = {{{0}}, {{0}}};                                 \
    float part[2][LANES];                                                      \
    size_t i = start, end = chunk_end(start, n);                               \
    for (; i + LANES <= end; i += LANES)                                       \
      for (size_t k = 0, at = i; k < VECTORS; k++, at += WIDE) {               \
        sum[0][k] += (weights);                                                \
        sum[1][k] += (weighteds);                                              \
      }                                                                        \
    memcpy(part, sum, sizeof part);                                            \
    for (size_t at = i; at < end; at++) {                                      \
      part[0][at % LANES] += (weight);                                         \
      part[1][at % LANES] += (weighted);                                       \
    }                                                                          \
    add_chunk(lane[0], part[0]);                                               \
    add_chunk(lane[1], part[1]);                                               \
  }                                                                            \
  return (struct pair) { meet(lane[0]), meet(lane[1]) }

/* PAIR_WHERE, the condition and the value being expressions of `v`. */
#define PAIR_WHERE_VECTORS(n, condition, value)                                \
  PAIR_IN_VECTORS(                                                             \
      n, vector_where(condition(vector_at(x + at)), vector_at(g + at)),        \
      vector_where(condition(vector_at(x + at)),                               \
                   vector_at(g + at) * value(vector_at(x + at))),              \
      condition##_1(x[at]) ? g[at] : 0,                                        \
      condition##_1(x[at]) ? g[at] * value##_1(x[at]) : 0)

#define AS_IT_IS(v)      (v)
#define AS_IT_IS_1(v)    (v)
#define MAGNITUDE(v)     vector_magnitude(v)
#define MAGNITUDE_1(v)   fabsf(v)
#define ABOVE_LIMIT(v)   (vector_magnitude(v) > limit)
#define ABOVE_LIMIT_1(v) (fabsf(v) > limit)
#define OVER_LIMIT(v)    ((v) > limit)
#define OVER_LIMIT_1(v)  ((v) > limit)
#define UNDER_LIMIT(v)   ((v) < limit)
#define UNDER_LIMIT_1(v) ((v) < limit)

APART struct pair vector_pair_magnitudes(const struct group *s) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_VECTORS(s->n, vector_at(g + at),
                  vector_at(g + at) * vector_magnitude(vector_at(x + at)),
                  g[at], g[at] * fabsf(x[at]));
}

APART struct pair vector_pair_values(const struct group *s) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_VECTORS(s->n, vector_at(g + at),
                  vector_at(g + at) * vector_at(x + at), g[at], g[at] * x[at]);
}

APART struct pair vector_pair_above(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE_VECTORS(s->n, ABOVE_LIMIT, MAGNITUDE);
}

APART struct pair vector_pair_over(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE_VECTORS(s->n, OVER_LIMIT, AS_IT_IS);
}

APART struct pair vector_pair_under(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE_VECTORS(s->n, UNDER_LIMIT, AS_IT_IS);
}

INLINE vector_f vector_square(vector_f v) { return v * v; }

APART struct pair vector_pair_q4(const struct group *s, float inverse) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_VECTORS(s->n,
                  vector_at(g + at) *
                      vector_square(vector_q4(
                          vector_magnitude(vector_at(x + at)), inverse)),
                  vector_at(g + at) *
                      vector_q4(vector_magnitude(vector_at(x + at)), inverse) *
                      vector_magnitude(vector_at(x + at)),
                  g[at] * square(q4_code_of(fabsf(x[at]), inverse)),
                  g[at] * q4_code_of(fabsf(x[at]), inverse) * fabsf(x[at]));
}

typedef int8_t vector_b __attribute__((vector_size(WIDE)));

/* From the codes of the lowest level, each level below |x| adds what its codes
 * are more. */
INLINE vector_i vector_level_code(vector_f size, const struct levels *levels,
                                  size_t b) {
  vector_i code = (vector_i){0} + levels->code[0][b];
  for (size_t m = 1; m < levels->count; m++) {
    int32_t step = levels->code[m][b] - levels->code[m - 1][b];
    code += (size > level_end(levels, m - 1)) & step;
  }
  return code;
}

MAYBE void vector_level_codes(const struct group *s,
                              const struct levels *levels, size_t bases,
                              int8_t *const *codes) {
  size_t i = 0;
  for (; i + WIDE <= s->n; i += WIDE) {
    vector_f x = vector_at(s->x + i), size = vector_magnitude(x);
    vector_i minus = x < 0;
    for (size_t b = 0; b < bases; b++) {
      vector_i code = vector_level_code(size, levels, b);
      vector_b bytes =
          __builtin_convertvector((code ^ minus) - minus, vector_b);
      memcpy(codes[b] + i, &bytes, sizeof bytes);
    }
  }
  plain_level_codes(s, levels, bases, codes, i);
}

MAYBE void vector_add_used(const float *w, const float *x, size_t n,
                           float scale, float *products, float *squares) {
  const vector_f value = (vector_f){0} + scale;
  size_t i = 0;
  for (; i + WIDE <= n; i += WIDE) {
    vector_f size = vector_magnitude(vector_at(x + i));
    vector_f used = vector_where(size > value / 2, value);
    vector_f product = vector_magnitude(vector_at(w + i)) * used;
    put_vector(products + i, vector_at(products + i) + product);
    put_vector(squares + i, vector_at(squares + i) + used * used);
  }
  plain_add_used(w + i, x + i, n - i, scale, products + i, squares + i);
}

#define LEVEL_CODES     vector_level_codes
#define ADD_USED        vector_add_used
#define PAIR_MAGNITUDES vector_pair_magnitudes
#define PAIR_VALUES     vector_pair_values
#define PAIR_ABOVE      vector_pair_above
#define PAIR_OVER       vector_pair_over
#define PAIR_UNDER      vector_pair_under
#define PAIR_Q4         vector_pair_q4

#endif
