/* core.statistics: how the values of a tensor are distributed, in one pass over
 * pieces of it and in memory that does not grow.
 *
 * Values are counted by their leading 16 bits, which are those of bf16:
 *
 *   31 | 30 ... 23 | 22 ... 16 | 15 ... 0
 *   s  | exponent  | fraction  | ignored
 *
 * Shares and histograms are made of these counts afterwards: exact for bf16,
 * and for others with magnitudes cut to 8 significant bits, whatever the scale
 * of the tensor. */
#include <math.h>
#include <string.h>

#include "buffer.h"

#define STATISTICS_META "bittern.statistics"

enum {
  SHIFT = 16,
  BINS = 1 << (32 - SHIFT),
  SIGN = BINS / 2,              /* negative values from here on */
  FINITE = 0x7F800000 >> SHIFT, /* bins of one sign that count */
  CHUNK = 4096,
  LANES = 8
};

/* Moments that pieces are merged into: m2 is the sum of squared distances from
 * the mean. */
struct moments {
  uint64_t count;
  double mean;
  double m2;
  double min;
  double max;
};

struct statistics {
  size_t cols;    /* values of a row; 0 when there are no rows */
  size_t column;  /* values of the unfinished row so far */
  double squares; /* their sum of squares */
  uint64_t count; /* all values */
  uint64_t zeros;
  uint64_t nans;
  uint64_t infinities;
  struct moments values; /* of the finite ones */
  struct moments norms;  /* Euclidean norms of finished rows */
  uint64_t bins[BINS];
};

int luaopen_core_statistics(lua_State *L);

static void merge(struct moments *into, const struct moments *from) {
  if (from->count == 0) return;
  if (into->count == 0) {
    *into = *from;
    return;
  }
  double a = (double)into->count, b = (double)from->count;
  double distance = from->mean - into->mean;
  into->m2 += from->m2 + distance * distance * a * b / (a + b);
  into->mean += distance * b / (a + b);
  into->count += from->count;
  into->min = fmin(into->min, from->min);
  into->max = fmax(into->max, from->max);
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Counts the bins; values that are not finite or zero are set apart. Returns
 * the number of finite values. */
static size_t count_bins(struct statistics *s, const float *x, size_t n) {
  size_t finite = n;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = bits_of(x[i]);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude >= 0x7F800000) {
      finite--;
      if (magnitude > 0x7F800000)
        s->nans++;
      else
        s->infinities++;
      continue;
    }
    s->zeros += magnitude == 0;
    s->bins[bits >> SHIFT]++;
  }
  return finite;
}

/* Copies the finite values to `out`. */
static void take_finite(const float *x, size_t n, float *out) {
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i])) *out++ = x[i];
}

/* Lanes hide the latency of additions: value i goes to lane i mod LANES, then
 * lanes are added from the first to the last. */
static double add_lanes(const double lanes[LANES]) {
  double sum = 0;
  for (size_t i = 0; i < LANES; i++)
    sum += lanes[i];
  return sum;
}

static double sum_of(const float *x, size_t n) {
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lanes[j] += (double)x[i + j];
  for (; i < n; i++)
    lanes[i % LANES] += (double)x[i];
  return add_lanes(lanes);
}

/* Sum of the squared distances from `mean`. */
static double distances(const float *x, size_t n, double mean) {
  double lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) {
      double distance = (double)x[i + j] - mean;
      lanes[j] += distance * distance;
    }
  for (; i < n; i++) {
    double distance = (double)x[i] - mean;
    lanes[i % LANES] += distance * distance;
  }
  return add_lanes(lanes);
}

/* Moments of `n` > 0 finite values. */
static struct moments measure(const float *x, size_t n) {
  /* All n were copied: they were counted. */
  /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
  float low = x[0], high = x[0];
  for (size_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  double mean = sum_of(x, n) / (double)n;
  return (struct moments){n, mean, distances(x, n, mean), (double)low,
                          (double)high};
}

static void finish_row(struct statistics *s) {
  double norm = sqrt(s->squares);
  struct moments row = {1, norm, 0, norm, norm};
  merge(&s->norms, &row);
  s->squares = 0;
  s->column = 0;
}

/* Adds at most CHUNK values of one row. */
static void add_chunk(struct statistics *s, const float *x, size_t n) {
  float finite_values[CHUNK];
  double squares = 0;
  size_t finite = count_bins(s, x, n);
  const float *values = x;
  if (finite < n) {
    take_finite(x, n, finite_values);
    values = finite_values;
  }
  if (finite > 0) {
    struct moments m = measure(values, finite);
    squares = distances(values, finite, 0);
    merge(&s->values, &m);
  }
  s->count += n;
  s->squares += squares;
  s->column += n;
  if (s->cols > 0 && s->column == s->cols) finish_row(s);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static struct statistics *self(lua_State *L) {
  return luaL_checkudata(L, 1, STATISTICS_META);
}

/* new([cols = 0]) -> statistics of nothing yet; with cols, of rows that long
 * too. */
static int f_new(lua_State *L) {
  size_t cols = lua_isnoneornil(L, 1) ? 0 : (size_t)bind_size(L, 1);
  struct statistics *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->cols = cols;
  luaL_setmetatable(L, STATISTICS_META);
  return 1;
}

/* statistics:add(values (f32 buffer)) -> true | nil, message, code. Rows may
 * be cut anywhere. */
static int f_add(lua_State *L) {
  struct statistics *s = self(L);
  const struct buffer *buffer = buffer_check(L, 2, DTYPE_F32);
  const float *x = buffer->data;
  for (size_t left = buffer->count; left > 0;) {
    size_t n = smaller(left, CHUNK);
    if (s->cols > 0) n = smaller(n, s->cols - s->column);
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
    add_chunk(s, x, n);
    x += n;
    left -= n;
  }
  lua_pushboolean(L, 1);
  return 1;
}

static void set_integer(lua_State *L, const char *key, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, key);
}

/* Sets mean, std, min and max of the table on the top, if there are any. */
static void set_moments(lua_State *L, const struct moments *m) {
  const char *const keys[] = {"mean", "std", "min", "max"};
  if (m->count == 0) return;
  const double numbers[] = {m->mean, sqrt(m->m2 / (double)m->count), m->min,
                            m->max};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    lua_pushnumber(L, numbers[i]);
    lua_setfield(L, -2, keys[i]);
  }
}

/* statistics:summary() -> {count, zeros, nans, infinities; of finite values
 * mean, std (of the whole population), min, max; rows and norms = {mean, std,
 * min, max} of finished rows}. */
static int f_summary(lua_State *L) {
  const struct statistics *s = self(L);
  lua_createtable(L, 0, 10);
  set_integer(L, "count", s->count);
  set_integer(L, "zeros", s->zeros);
  set_integer(L, "nans", s->nans);
  set_integer(L, "infinities", s->infinities);
  set_moments(L, &s->values);
  set_integer(L, "rows", s->norms.count);
  lua_createtable(L, 0, 4);
  set_moments(L, &s->norms);
  lua_setfield(L, -2, "norms");
  return 1;
}

/* The magnitude that values of a bin are taken for: its smallest. */
static double magnitude_of(size_t bin) {
  uint32_t bits = (uint32_t)bin << SHIFT;
  float value;
  memcpy(&value, &bits, sizeof value);
  return (double)value;
}

/* Values greater than `x`. `positive` and `negative` are the bins of each sign;
 * swapped, and with -x, it counts the values less than x. */
static uint64_t count_greater(const uint64_t *positive,
                              const uint64_t *negative, double x) {
  uint64_t sum = 0;
  for (size_t bin = 0; bin < FINITE; bin++) {
    double magnitude = magnitude_of(bin);
    if (magnitude > x) sum += positive[bin];
    if (-magnitude > x) sum += negative[bin];
  }
  return sum;
}

/* statistics:beyond(low (number), high (number)) -> integer: how many finite
 * values lie below `low` or above `high`. */
static int f_beyond(lua_State *L) {
  const struct statistics *s = self(L);
  double low = (double)luaL_checknumber(L, 2);
  double high = (double)luaL_checknumber(L, 3);
  luaL_argcheck(L, low <= high, 3, "must not be below the low end");
  const uint64_t *positive = s->bins, *negative = s->bins + SIGN;
  uint64_t count = count_greater(positive, negative, high) +
                   count_greater(negative, positive, -low);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* Counts of equal steps from `low` to `high`. */
static void fill_steps(const struct statistics *s, double low, double high,
                       uint64_t *steps, size_t n) {
  for (size_t i = 0; i < BINS; i++) {
    size_t bin = i % SIGN;
    if (s->bins[i] == 0 || bin >= FINITE) continue;
    double value = i >= SIGN ? -magnitude_of(bin) : magnitude_of(bin);
    double at = (value - low) / (high - low) * (double)n;
    size_t step = at <= 0 ? 0 : (size_t)fmin(at, (double)n - 1);
    steps[step] += s->bins[i];
  }
}

/* statistics:histogram(low (number), high (number), steps (integer)) -> array
 * of counts; what lies outside is counted in the first or last step. */
static int f_histogram(lua_State *L) {
  enum { MOST = 256 };
  uint64_t steps[MOST] = {0};
  const struct statistics *s = self(L);
  double low = (double)luaL_checknumber(L, 2);
  double high = (double)luaL_checknumber(L, 3);
  lua_Integer n = luaL_checkinteger(L, 4);
  luaL_argcheck(L, isfinite(high - low) && low < high, 3,
                "must be above the low end, both finite");
  luaL_argcheck(L, n >= 1 && n <= MOST, 4, "must be in 1..256");
  fill_steps(s, low, high, steps, (size_t)n);
  lua_createtable(L, (int)n, 0);
  for (lua_Integer i = 0; i < n; i++) {
    lua_pushinteger(L, (lua_Integer)steps[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* All of it goes with the userdata. */
static int f_close(lua_State *L) {
  (void)L;
  return 0;
}

static int f_tostring(lua_State *L) {
  lua_pushfstring(L, "statistics (%I values)", (LUAI_UACINT)self(L)->count);
  return 1;
}

int luaopen_core_statistics(lua_State *L) {
  static const luaL_Reg statistics_methods[] = {
      BIND(add), BIND(summary), BIND(beyond), BIND(histogram), {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(new), {NULL, NULL}};
  buffer_require(L);
  bind_type(L, STATISTICS_META, statistics_methods, f_close, f_tostring);
  luaL_newlib(L, functions);
  return 1;
}
