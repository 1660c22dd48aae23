/* General fits of our rows: errors that are weighted by column, factors of
 * columns, several bases, offsets. With a factor c for column j, the error
 * h (w - c v)^2 is g (x - v)^2 of x = w / c and g = h c^2, so that every fit is
 * one of values x with weights g. */
#ifndef BITTERN_KERNELS_FIT_H
#define BITTERN_KERNELS_FIT_H

#include "kernels_encode.h"

/* ---- one base ---- */

/* As ternary_least_squares, from the weighted mean magnitude. */
static float lloyd(const struct group *s, double mean, int iterations) {
  float scale = 0;
  struct pair used = PAIR_ABOVE(s, (float)(0.7 * mean)), before;
  for (int round = 0; round < iterations && used.weight > 0; round++) {
    scale = (float)(used.sum / used.weight);
    before = used;
    used = PAIR_ABOVE(s, scale / 2);
    if (used.weight == before.weight) break;
  }
  return scale;
}

/* A scale for |x|; not finite when the values are not. */
static float one_scale(const struct row *row, const struct fit *how,
                       const struct group *s) {
  struct pair all = PAIR_MAGNITUDES(s);
  double mean = all.sum / all.weight;
  bool is_mean = row->codec->id == CODEC_B1 || how->mean_abs;
  return is_mean || !isfinite(mean) ? (float)mean
                                    : lloyd(s, mean, how->iterations);
}

/* As q4_scales, in float with weights. Weights leave the best scale less
 * certain: tries go further, from the largest value / 7 down to 0.6 of it. */
static float weighted_q4_scale(const struct group *s) {
  float most = LARGEST(s->x, s->n), inverse = inverse_of(most) * Q4_MAX;
  struct pair best = {0, 0};
  if (!isfinite(most)) return most;
  for (int t = 0; t < 8; t++) {
    struct pair now = PAIR_Q4(s, inverse * (1 + (float)t * 0.095f));
    bool better =
        now.sum * now.sum * best.weight > best.sum * best.sum * now.weight;
    if (better || best.weight == 0) best = now;
  }
  return best.weight > 0 ? (float)(best.sum / best.weight) : 0;
}

/* ---- offsets ---- */

struct line {
  float scale;
  float offset;
};

/* With codes 1 for `up`, -1 for `down` and 0 for the rest, least squares of
 * scale * code + offset: the two normal equations. */
static struct line solve_line(struct pair all, struct pair up,
                              struct pair down) {
  double used = up.weight + down.weight, tilt = up.weight - down.weight;
  double product = up.sum - down.sum;
  double determinant = used * all.weight - tilt * tilt;
  if (!(determinant > 1e-12 * all.weight * all.weight))
    return (struct line){0, (float)(all.sum / all.weight)};
  double scale = (product * all.weight - tilt * all.sum) / determinant;
  double offset = (used * all.sum - tilt * product) / determinant;
  return (struct line){(float)fabs(scale), (float)offset};
}

/* Lloyd's iteration with a free offset, from the mean and the mean distance
 * from it (the ITF of PT2-LLM, arXiv 2510.03267). */
static struct line fit_line(const struct group *s, const struct fit *how) {
  struct pair all = PAIR_VALUES(s), up, down, before = {-1, 0};
  struct line line = {0, (float)(all.sum / all.weight)};
  if (!isfinite(line.offset)) return line;
  up = PAIR_OVER(s, line.offset);
  double distance = 2 * (up.sum - up.weight * (double)line.offset) / all.weight;
  float half = (float)(0.7 * distance);
  if (how->mean_abs) return (struct line){(float)distance, line.offset};
  for (int round = 0; round < how->iterations; round++) {
    up = PAIR_OVER(s, line.offset + half);
    down = PAIR_UNDER(s, line.offset - half);
    struct pair now = {up.weight, down.weight};
    if (now.weight == before.weight && now.sum == before.sum) break;
    line = solve_line(all, up, down);
    half = line.scale / 2;
    before = now;
  }
  return line;
}

static bool fit_offset(const struct group *s, const struct fit *how,
                       int8_t *codes, uint16_t *scale, uint16_t *offset) {
  struct line line = fit_line(s, how);
  *scale = f32_to_f16(line.scale);
  *offset = f32_to_f16(line.offset);
  float step = f16_to_f32(*scale), middle = f16_to_f32(*offset);
  float low = (-step + middle) / 2 + middle / 2;
  float high = (step + middle) / 2 + middle / 2;
  plain_codes_between(s->x, s->n, low, high, codes);
  return half_is_finite(*scale) && half_is_finite(*offset);
}

/* ---- several bases ----
 *
 * Codes of a weight times their scales add up to one of a few levels, which are
 * symmetric. The levels that are not negative split |x| at the middles between
 * them; the sums over each part are all that least squares needs:
 *
 *   |x|  0 ---- level 0 --|-- level 1 ---|--- level 2 ...
 *              +1 -1           -1 +1 ...   codes of the bases */

/* The value as decoding makes it. */
INLINE float level_value(const int8_t *code, const float *scale, size_t bases) {
  float value = (float)code[0] * scale[0];
  for (size_t b = 1; b < bases; b++)
    value += (float)code[b] * scale[b];
  return value;
}

static void add_level(struct levels *levels, const int8_t *code,
                      const float *scale, size_t bases) {
  float value = level_value(code, scale, bases);
  int8_t sign = value < 0 ? -1 : 1;
  size_t at = levels->count++;
  for (; at > 0 && levels->value[at - 1] > fabsf(value); at--) {
    levels->value[at] = levels->value[at - 1];
    memcpy(levels->code[at], levels->code[at - 1], BASES);
  }
  levels->value[at] = fabsf(value);
  for (size_t b = 0; b < bases; b++)
    levels->code[at][b] = (int8_t)(sign * code[b]);
}

/* Of each level and its negative, one: combinations that begin, after zeros,
 * with 1. */
static void make_levels(bool binary, const float *scale, size_t bases,
                        struct levels *levels) {
  size_t states = binary ? 2 : 3, count = 1;
  for (size_t b = 0; b < bases; b++)
    count *= states;
  levels->count = 0;
  for (size_t k = count / 2; k < count; k++) {
    int8_t code[BASES] = {0};
    for (size_t b = bases, rest = k; b-- > 0; rest /= states)
      code[b] = (int8_t)((int)(rest % states) * (binary ? 2 : 1) - 1);
    add_level(levels, code, scale, bases);
  }
}

/* The sums of each level's part. */
static void level_sums(const struct group *s, const struct levels *levels,
                       struct pair *part) {
  part[0] = PAIR_MAGNITUDES(s);
  for (size_t m = 1; m < levels->count; m++) {
    part[m] = PAIR_ABOVE(s, level_end(levels, m - 1));
    part[m - 1].weight -= part[m].weight;
    part[m - 1].sum -= part[m].sum;
  }
}

struct equations {
  double a[BASES][BASES];
  double b[BASES];
};

static struct equations normal_equations(const struct levels *levels,
                                         const struct pair *part,
                                         size_t bases) {
  struct equations e = {{{0}}, {0}};
  for (size_t m = 0; m < levels->count; m++)
    for (size_t i = 0; i < bases; i++) {
      const int8_t *code = levels->code[m];
      e.b[i] += part[m].sum * code[i];
      for (size_t k = 0; k < bases; k++)
        e.a[i][k] += part[m].weight * code[i] * code[k];
    }
  return e;
}

/* Takes the unknown `i` out of the equations behind it. One that the others
 * determine, such as that of a base equal to an earlier one, becomes 0. */
static void eliminate(struct equations *e, size_t i, size_t bases,
                      double least) {
  if (!(e->a[i][i] > least)) {
    for (size_t k = 0; k < bases; k++)
      e->a[i][k] = e->a[k][i] = 0;
    e->a[i][i] = 1;
    e->b[i] = 0;
  }
  for (size_t r = i + 1; r < bases; r++) {
    double factor = e->a[r][i] / e->a[i][i];
    for (size_t k = i; k < bases; k++)
      e->a[r][k] -= factor * e->a[i][k];
    e->b[r] -= factor * e->b[i];
  }
}

static void solve(struct equations *e, size_t bases, double least,
                  float *scale) {
  for (size_t i = 0; i < bases; i++)
    eliminate(e, i, bases, least);
  for (size_t i = bases; i-- > 0;) {
    for (size_t k = i + 1; k < bases; k++)
      e->b[i] -= e->a[i][k] * e->b[k];
    e->b[i] /= e->a[i][i];
    scale[i] = (float)fabs(e->b[i]);
  }
}

/* Scales from the first base to the last, each of what the ones before leave;
 * `y` is room for the group. */
static void greedy_scales(const struct row *row, const struct fit *how,
                          const struct group *s, float *y, float *scale) {
  for (size_t i = 0; i < s->n; i++)
    y[i] = fabsf(s->x[i]);
  for (size_t b = 0; b < how->bases; b++) {
    scale[b] = one_scale(row, how, &(struct group){y, s->g, s->n});
    if (row->codec->id == CODEC_B1)
      plain_fold_binary(y, s->n, scale[b]);
    else
      plain_fold_ternary(y, s->n, scale[b]);
  }
}

/* In turns the levels nearest under the scales, and the scales of least squares
 * under those codes, until no weight changes its level. */
static void refine_scales(const struct row *row, const struct fit *how,
                          const struct group *s, float *scale) {
  struct levels levels;
  struct pair part[MOST_LEVELS];
  double before[MOST_LEVELS] = {-1};
  bool binary = row->codec->id == CODEC_B1, moved = true;
  for (int round = 0; round < how->iterations && moved; round++) {
    make_levels(binary, scale, how->bases, &levels);
    level_sums(s, &levels, part);
    struct equations e = normal_equations(&levels, part, how->bases);
    solve(&e, how->bases, 1e-9 * e.a[0][0], scale);
    moved = round == 0;
    for (size_t m = 0; m < levels.count; m++) {
      moved = moved || part[m].weight != before[m];
      before[m] = part[m].weight;
    }
  }
}

/* ---- groups and rows ---- */

/* Room for a row: values, then codes. */
struct work {
  float *x;
  float *y;
  int8_t *codes[BASES];
};

static struct work work_of(void *scratch, size_t cols) {
  struct work work = {scratch, NULL, {NULL}};
  work.y = work.x + cols;
  for (size_t b = 0; b < BASES; b++)
    work.codes[b] = (int8_t *)(work.y + cols) + b * cols;
  return work;
}

static bool fit_bases(const struct row *row, const struct fit *how,
                      const struct group *s, float *y, int8_t *const *codes,
                      uint16_t *const *scales) {
  float scale[BASES] = {0};
  struct levels levels;
  greedy_scales(row, how, s, y, scale);
  if (!isfinite(scale[0])) return false;
  if (!how->mean_abs) refine_scales(row, how, s, scale);
  for (size_t b = 0; b < how->bases; b++) {
    *scales[b] = f32_to_f16(scale[b]);
    if (!half_is_finite(*scales[b])) return false;
    scale[b] = f16_to_f32(*scales[b]);
  }
  make_levels(row->codec->id == CODEC_B1, scale, how->bases, &levels);
  LEVEL_CODES(s, &levels, how->bases, codes);
  return true;
}

static bool fit_one(const struct row *row, const struct fit *how,
                    const struct group *s, int8_t *codes, uint16_t *scale) {
  bool q4 = row->codec->id == CODEC_Q4;
  float wide = q4 ? weighted_q4_scale(s) : one_scale(row, how, s);
  *scale = f32_to_f16(wide);
  float value = f16_to_f32(*scale);
  if (!half_is_finite(*scale)) return false;
  if (q4)
    Q4_CODES(s->x, s->n, inverse_of(value), codes);
  else if (row->codec->id == CODEC_B1)
    plain_signs_of(s->x, s->n, codes);
  else if (value == 0)
    memset(codes, 0, s->n);
  else
    TERNARY_CODES(s->x, s->n, value / 2, codes);
  return true;
}

/* Group `k` of a row, which starts at column `first`. */
static bool fit_group(const struct row *row, const struct fit *how,
                      const struct work *work, const float *x, size_t first,
                      size_t k, const struct parts *out) {
  const struct group s = {x + first, how->weights + first,
                          group_at(row, first)};
  int8_t *codes[BASES];
  uint16_t *scales[BASES];
  for (size_t b = 0; b < how->bases; b++) {
    codes[b] = work->codes[b] + first;
    scales[b] = out->scales[b] + k;
  }
  if (how->offsets)
    return fit_offset(&s, how, codes[0], scales[0], out->offsets + k);
  if (how->bases > 1)
    return fit_bases(row, how, &s, work->y + first, codes, scales);
  return fit_one(row, how, &s, codes[0], scales[0]);
}

/* What the row decodes to: the order of combine_row. */
static void fitted_values(const struct row *row, const struct fit *how,
                          const struct work *work, const struct parts *in,
                          float *values) {
  for (size_t first = 0, k = 0; first < row->cols; first += row->group, k++) {
    size_t n = group_at(row, first);
    struct sink sink = {FLOAT_F32, false, values + first};
    SCALE(work->codes[0] + first, n, f16_to_f32(in->scales[0][k]), sink);
    for (size_t b = 1; b < how->bases; b++)
      plain_add_codes(work->codes[b] + first, n, f16_to_f32(in->scales[b][k]),
                      values + first);
    if (how->offsets)
      plain_shift(values + first, n, f16_to_f32(in->offsets[k]));
  }
  if (how->columns) plain_multiply(how->columns, row->cols, values);
}

/* The distance from two levels of 0 is the norm, and its kernel is there. */
static double norm_of(const float *w, const float *importance, size_t n) {
  return importance ? plain_weighted_norm(w, importance, n)
                    : SIGN_ERROR(w, n, 0);
}

static size_t fit_row(const struct row *row, const struct fit *how,
                      const float *w, void *scratch, const struct parts *out,
                      double *error) {
  size_t cols = row->cols;
  struct work work = work_of(scratch, cols);
  const float *x = how->columns ? work.x : w;
  for (size_t i = 0; how->columns && i < cols; i++)
    work.x[i] = w[i] * how->inverses[i];
  for (size_t first = 0, k = 0; first < cols; first += row->group, k++)
    if (!fit_group(row, how, &work, x, first, k, out)) return first;
  for (size_t b = 0; b < how->bases && out->codes[b]; b++)
    pack_row(row->codec, work.codes[b], cols, out->codes[b]);
  if (error == NULL) return cols;
  fitted_values(row, how, &work, out, work.y);
  *error = how->importance
               ? plain_weighted_difference(w, work.y, how->importance, cols)
               : plain_difference(w, work.y, cols);
  return cols;
}

#endif
