/* Sums and codes of the general fits in plain C, which compilers turn into
 * vectors for every instruction set: the lanes are those of kernels_plain.h. */
#ifndef BITTERN_KERNELS_FIT_PLAIN_H
#define BITTERN_KERNELS_FIT_PLAIN_H

#include "kernels_encode_plain.h"

/* Values x of the columns of a group, and how much the error of each weighs. */
struct group {
  const float *x;
  const float *g;
  size_t n;
};

/* Two sums over some of the columns: of g, and of g * x or g * |x|. */
struct pair {
  double weight;
  double sum;
};

/* Returns the sums of two expressions of the element number `at`. */
#define PAIR_IN_LANES(n, weight, weighted)                                     \
  double lane[2][LANES] = {{0}, {0}};                                          \
  for (size_t start = 0; start < (n); start += CHUNK) {                        \
    float part[2][LANES] = {{0}, {0}};                                         \
    size_t i = start, end = chunk_end(start, n);                               \
    for (; i + LANES <= end; i += LANES)                                       \
      for (size_t j = 0, at = i; j < LANES; j++, at++) {                       \
        part[0][j] += (weight);                                                \
        part[1][j] += (weighted);                                              \
      }                                                                        \
    for (size_t at = i; at < end; at++) {                                      \
      part[0][at % LANES] += (weight);                                         \
      part[1][at % LANES] += (weighted);                                       \
    }                                                                          \
    add_chunk(lane[0], part[0]);                                               \
    add_chunk(lane[1], part[1]);                                               \
  }                                                                            \
  return (struct pair) { meet(lane[0]), meet(lane[1]) }

/* The same for the elements that meet a condition. */
#define PAIR_WHERE(n, condition, weight, value)                                \
  PAIR_IN_LANES(n, (condition) ? (weight) : 0,                                 \
                (condition) ? (weight) * (value) : 0)

/* Of all columns. */
APART struct pair pair_magnitudes(const struct group *s) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_LANES(s->n, g[at], g[at] * fabsf(x[at]));
}

APART struct pair pair_values(const struct group *s) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_LANES(s->n, g[at], g[at] * x[at]);
}

/* Of those where |x|, or x, is above or below the limit. */
APART struct pair pair_above(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE(s->n, fabsf(x[at]) > limit, g[at], fabsf(x[at]));
}

APART struct pair pair_over(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE(s->n, x[at] > limit, g[at], x[at]);
}

APART struct pair pair_under(const struct group *s, float limit) {
  const float *x = s->x, *g = s->g;
  PAIR_WHERE(s->n, x[at] < limit, g[at], x[at]);
}

/* With q4's codes q of |x|: of g * q * q and of g * q * |x|. */
APART struct pair pair_q4(const struct group *s, float inverse) {
  const float *x = s->x, *g = s->g;
  PAIR_IN_LANES(s->n, g[at] * square(q4_code_of(fabsf(x[at]), inverse)),
                g[at] * q4_code_of(fabsf(x[at]), inverse) * fabsf(x[at]));
}

/* Sums of w^2 and of (w - v)^2, times h where there is one. */
APART double plain_weighted_norm(const float *w, const float *h, size_t n) {
  SUM_IN_LANES(n, square(w[at]) * h[at]);
}

APART double plain_difference(const float *w, const float *v, size_t n) {
  SUM_IN_LANES(n, square(w[at] - v[at]));
}

APART double plain_weighted_difference(const float *w, const float *v,
                                       const float *h, size_t n) {
  SUM_IN_LANES(n, square(w[at] - v[at]) * h[at]);
}

/* y becomes its distance from the level that a scale gives it; y >= 0. */
MAYBE void plain_fold_binary(float *y, size_t n, float scale) {
  for (size_t i = 0; i < n; i++)
    y[i] = fabsf(y[i] - scale);
}

MAYBE void plain_fold_ternary(float *y, size_t n, float scale) {
  const float half = scale / 2;
  for (size_t i = 0; i < n; i++)
    y[i] = y[i] > half ? fabsf(y[i] - scale) : y[i];
}

MAYBE void plain_signs_of(const float *x, size_t n, int8_t *codes) {
  for (size_t i = 0; i < n; i++)
    codes[i] = x[i] >= 0 ? 1 : -1;
}

/* Codes -1 below `low`, 1 above `high`, else 0. */
MAYBE void plain_codes_between(const float *x, size_t n, float low, float high,
                               int8_t *codes) {
  for (size_t i = 0; i < n; i++)
    codes[i] = (int8_t)((x[i] > high) - (x[i] < low));
}

/* ---- levels of several bases: see kernels_fit.h ---- */

enum { MOST_LEVELS = (3 * 3 * 3 * 3 + 1) / 2 };
static_assert(BASES == 4, "three codes to the power of the bases");

struct levels {
  size_t count;
  float value[MOST_LEVELS]; /* ascending */
  int8_t code[MOST_LEVELS][BASES];
};

INLINE float level_end(const struct levels *levels, size_t m) {
  return levels->value[m] / 2 + levels->value[m + 1] / 2;
}

/* The codes of each base. */
MAYBE void plain_level_codes(const struct group *s, const struct levels *levels,
                             size_t bases, int8_t *const *codes, size_t first) {
  for (size_t i = first; i < s->n; i++) {
    size_t m = 0;
    while (m + 1 < levels->count && fabsf(s->x[i]) > level_end(levels, m))
      m++;
    for (size_t b = 0; b < bases; b++)
      codes[b][i] =
          (int8_t)(s->x[i] < 0 ? -levels->code[m][b] : levels->code[m][b]);
  }
}

/* ---- elements ---- */

/* Adds code * scale to the values. */
MAYBE void plain_add_codes(const int8_t *codes, size_t n, float scale,
                           float *values) {
  for (size_t i = 0; i < n; i++)
    values[i] += (float)codes[i] * scale;
}

MAYBE void plain_shift(float *values, size_t n, float offset) {
  for (size_t i = 0; i < n; i++)
    values[i] += offset;
}

MAYBE void plain_multiply(const float *factor, size_t n, float *product) {
  for (size_t i = 0; i < n; i++)
    product[i] *= factor[i];
}

/* What columns take from a row: see kernels_columns.h. */
MAYBE void plain_add_signed(const float *w, size_t n, float scale,
                            float *products, float *squares) {
  for (size_t i = 0; i < n; i++) {
    products[i] += fabsf(w[i]) * scale;
    squares[i] += scale * scale;
  }
}

/* The same for ternary codes of x, that are 0 up to half the scale. */
MAYBE void plain_add_used(const float *w, const float *x, size_t n, float scale,
                          float *products, float *squares) {
  for (size_t i = 0; i < n; i++) {
    float used = fabsf(x[i]) > scale / 2 ? scale : 0;
    products[i] += fabsf(w[i]) * used;
    squares[i] += used * used;
  }
}

#endif
