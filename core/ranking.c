/* core.ranking: the rows of a matrix by what each gains, the greatest first.
 *
 * Sorting millions of rows and summing what the first n of them gain is what an
 * allocator asks for again and again; eight bytes a row are kept. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

#define RANKING_META "bittern.ranking"

enum { BLOCK = 64 }; /* rows between two sums that are kept */

/* The arrays lie in a userdata of their own, which the user value keeps. */
struct ranking {
  size_t rows;  /* of the matrix */
  size_t count; /* rows that gain something */
  float *gains; /* descending */
  uint32_t *order;
  double *sums; /* of the gains before each block */
};

int luaopen_core_ranking(lua_State *L);

/* A gain, greater than zero, above its row: positive floats sort as their bits
 * do, and the greatest shall come first. */
static uint64_t key_of(float gain, size_t row) {
  uint32_t bits;
  memcpy(&bits, &gain, sizeof bits);
  return (uint64_t)~bits << 32 | (uint32_t)row;
}

/* Sorts by the upper half, a byte at a time; equal ones stay in order. `keys`
 * has the result. */
static void radix_sort(uint64_t *keys, uint64_t *other, size_t count) {
  for (int shift = 32; shift < 64; shift += 8) {
    size_t starts[257] = {0};
    for (size_t i = 0; i < count; i++)
      starts[(keys[i] >> shift & 255) + 1]++;
    for (int i = 0; i < 256; i++)
      starts[i + 1] += starts[i];
    for (size_t i = 0; i < count; i++)
      other[starts[keys[i] >> shift & 255]++] = keys[i];
    uint64_t *swap = keys;
    keys = other;
    other = swap;
  }
}

static void fill(struct ranking *r, const uint64_t *keys) {
  double sum = 0;
  for (size_t i = 0; i < r->count; i++) {
    uint32_t bits = ~(uint32_t)(keys[i] >> 32);
    if (i % BLOCK == 0) r->sums[i / BLOCK] = sum;
    memcpy(&r->gains[i], &bits, sizeof bits);
    r->order[i] = (uint32_t)keys[i];
    sum += (double)r->gains[i];
  }
  if (r->count % BLOCK == 0) r->sums[r->count / BLOCK] = sum;
}

/* Pushes the arrays of a ranking, one block. [-0, +1, m] */
static void push_arrays(lua_State *L, struct ranking *r) {
  size_t blocks = r->count / BLOCK + 1;
  double *all =
      lua_newuserdatauv(L, blocks * sizeof *r->sums + r->count * 8, 0);
  r->sums = all;
  r->gains = (float *)(void *)(all + blocks);
  r->order = (uint32_t *)(void *)(r->gains + r->count);
}

/* new(before (f32 buffer), after (f32 buffer) [, share = 1.0]) -> ranking of
 * the rows by before - share x after, the greatest first, equal ones by their
 * number; rows that gain nothing are left out. */
static int f_new(lua_State *L) {
  const struct buffer *before = buffer_check(L, 1, DTYPE_F32);
  const struct buffer *after = buffer_check(L, 2, DTYPE_F32);
  const float *from = before->data, *to = after->data;
  float share = (float)luaL_optnumber(L, 3, 1);
  luaL_argcheck(L, before->count == after->count, 2, "is of another length");
  luaL_argcheck(L, before->count <= INT32_MAX, 1, "has too many rows");
  struct ranking *r = lua_newuserdatauv(L, sizeof *r, 1);
  *r = (struct ranking){.rows = before->count};
  luaL_setmetatable(L, RANKING_META);
  uint64_t *keys = lua_newuserdatauv(L, before->count * 16 + 1, 0);
  for (size_t row = 0; row < r->rows; row++) {
    float gain = from[row] - share * to[row];
    if (gain > 0 && gain <= FLT_MAX) keys[r->count++] = key_of(gain, row);
  }
  radix_sort(keys, keys + r->rows, r->count);
  push_arrays(L, r);
  fill(r, keys);
  lua_setiuservalue(L, -3, 1);
  lua_pop(L, 1);
  return 1;
}

static struct ranking *self(lua_State *L) {
  return luaL_checkudata(L, 1, RANKING_META);
}

/* Argument 2: a number of rows from `low` to count. */
static size_t check_number(lua_State *L, const struct ranking *r, size_t low) {
  uint64_t n = bind_size(L, 2);
  luaL_argcheck(L, n >= low && n <= r->count, 2, "not that many rows gain");
  return (size_t)n;
}

/* #ranking -> rows that gain something. */
static int ranking_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)self(L)->count);
  return 1;
}

/* ranking:gain(n) -> number: what the row of rank n, from 1 on, gains. */
static int ranking_gain(lua_State *L) {
  const struct ranking *r = self(L);
  lua_pushnumber(L, (lua_Number)r->gains[check_number(L, r, 1) - 1]);
  return 1;
}

/* ranking:above(gain (number)) -> integer: how many rows gain more than that.
 */
static int ranking_above(lua_State *L) {
  const struct ranking *r = self(L);
  double gain = luaL_checknumber(L, 2);
  size_t low = 0, high = r->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((double)r->gains[middle] > gain)
      low = middle + 1;
    else
      high = middle;
  }
  lua_pushinteger(L, (lua_Integer)low);
  return 1;
}

/* ranking:sum(n) -> number: what the first n rows gain together. */
static int ranking_sum(lua_State *L) {
  const struct ranking *r = self(L);
  size_t n = check_number(L, r, 0);
  double sum = r->sums[n / BLOCK];
  for (size_t i = n / BLOCK * BLOCK; i < n; i++)
    sum += (double)r->gains[i];
  lua_pushnumber(L, sum);
  return 1;
}

/* ranking:rows(n) -> i32 buffer of the first n rows' numbers, ascending. */
static int ranking_rows(lua_State *L) {
  const struct ranking *r = self(L);
  size_t n = check_number(L, r, 0), next = 0;
  int32_t *out = buffer_push(L, DTYPE_I32, n)->data;
  uint8_t *chosen = lua_newuserdatauv(L, r->rows + 1, 0);
  memset(chosen, 0, r->rows + 1);
  for (size_t i = 0; i < n; i++)
    chosen[r->order[i]] = 1;
  for (size_t row = 0; row < r->rows; row++)
    if (chosen[row]) out[next++] = (int32_t)row;
  lua_pop(L, 1);
  return 1;
}

/* Index of the first of ascending `rows` that is not below `row`. */
static size_t first_from(const struct buffer *rows, int64_t row) {
  const int32_t *numbers = rows->data;
  size_t low = 0, high = rows->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (numbers[middle] < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Deals 0 .. count - 1 out: `picked` gets those that, `first` added, stand in
 * from .. to, `others` the rest. False where these do not ascend. */
static bool deal(const int32_t *from, const int32_t *to, int32_t first,
                 int32_t count, int32_t *others, int32_t *picked) {
  ptrdiff_t left = count - (to - from);
  for (int32_t row = 0; row < count; row++) {
    if (from < to && *from == first + row) {
      *picked++ = row;
      from++;
    } else if (left-- > 0)
      *others++ = row;
    else
      return false;
  }
  return true;
}

/* split(rows (i32 buffer), first (integer), count) -> i32 buffer, i32 buffer of
 * numbers counted from `first`: those of the rows first to first + count - 1
 * that are not among the ascending `rows`, and those that are. */
static int f_split(lua_State *L) {
  const struct buffer *rows = buffer_check(L, 1, DTYPE_I32);
  const int32_t *numbers = rows->data;
  uint64_t first = bind_size(L, 2), count = bind_size(L, 3);
  luaL_argcheck(L, first <= INT32_MAX, 2, "is no row of a matrix");
  luaL_argcheck(L, count <= INT32_MAX - first, 3, "is past every row");
  size_t from = first_from(rows, (int64_t)first);
  size_t to = first_from(rows, (int64_t)(first + count));
  luaL_argcheck(L, to - from <= count, 1, "does not ascend");
  int32_t *others = buffer_push(L, DTYPE_I32, count - (to - from))->data;
  int32_t *picked = buffer_push(L, DTYPE_I32, to - from)->data;
  bool ascends = deal(numbers + from, numbers + to, (int32_t)first,
                      (int32_t)count, others, picked);
  luaL_argcheck(L, ascends, 1, "does not ascend");
  return 2;
}

/* Lua collects what it holds. */
static int ranking_close(lua_State *L) {
  (void)L;
  return 0;
}

static int ranking_tostring(lua_State *L) {
  lua_pushfstring(L, "ranking (%I rows)", (LUAI_UACINT)self(L)->count);
  return 1;
}

int luaopen_core_ranking(lua_State *L) {
  static const luaL_Reg ranking_methods[] = {{"gain", ranking_gain},
                                             {"above", ranking_above},
                                             {"sum", ranking_sum},
                                             {"rows", ranking_rows},
                                             {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(new), BIND(split), {NULL, NULL}};
  buffer_require(L);
  bind_type(L, RANKING_META, ranking_methods, ranking_close, ranking_tostring);
  luaL_getmetatable(L, RANKING_META);
  lua_pushcfunction(L, ranking_len);
  lua_setfield(L, -2, "__len");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
