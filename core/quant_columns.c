/* Factors of columns, by alternating closed forms over all rows. */
#include <math.h>
#include <string.h>

#include "quant.h"

/* Rows are summed in so many blocks, however many threads share them: in float
 * from the first row of a block to its last, then in double from the first
 * block to the last. */
enum { BLOCKS = 64 };

/* Rounds of Lloyd's fit of a ternary scale, in each round of ours. */
enum { SCALE_ROUNDS = 3 };

struct columns {
  struct fit how;
  struct row row;
  struct floats in;
  struct picked picked;
  size_t blocks;
  float *products; /* [blocks, cols] */
  float *squares;  /* the same */
  double *totals;  /* of the products, then of the squares: [2, cols] */
  float *factors;  /* [cols] */
  float *weights, *inverses;
};

/* Rows of block `index`, two of which never share one. */
static void sum_block(const struct rows_job *job, size_t index,
                      uint8_t *scratch, struct fault *fault) {
  const struct columns *c = job->context;
  size_t cols = c->row.cols, count = c->picked.count;
  size_t end = quant_share(count, index + 1, c->blocks);
  float *tile = (float *)(void *)scratch, *x = tile + cols;
  float *products = c->products + index * cols;
  float *squares = c->squares + index * cols;
  memset(products, 0, cols * sizeof *products);
  memset(squares, 0, cols * sizeof *squares);
  for (size_t i = quant_share(count, index, c->blocks); i < end; i++) {
    size_t row = quant_picked(&c->picked, i);
    const float *w = quant_floats(job->kernels, &c->in, row * cols, cols, tile);
    size_t bad =
        job->kernels->sum_columns(&c->row, &c->how, w, x, products, squares);
    if (bad == cols) continue;
    *fault = (struct fault){row, bad, "scale is too large for 16 bits"};
    quant_blame(job->kernels, w, cols, fault);
    return;
  }
}

/* The sums of all blocks, the first to the last. */
static void sum_blocks(const struct columns *c) {
  size_t cols = c->row.cols;
  memset(c->totals, 0, 2 * cols * sizeof *c->totals);
  for (size_t b = 0; b < c->blocks; b++)
    for (size_t i = 0; i < cols; i++) {
      c->totals[i] += (double)c->products[b * cols + i];
      c->totals[cols + i] += (double)c->squares[b * cols + i];
    }
}

/* A column that no code uses keeps the factor it has. */
static float next_factor(const struct columns *c, size_t col) {
  double product = c->totals[col], squares = c->totals[c->row.cols + col];
  return squares > 0 ? (float)(product / squares) : c->factors[col];
}

/* Makes the root mean square of each group 1, so that none of its factors
 * exceeds the root of its length. */
static void normalise(const struct row *row, float *factors) {
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t left = row->cols - first;
    size_t n = left < row->group ? left : row->group;
    double sum = 0;
    for (size_t i = first; i < first + n; i++)
      sum += (double)factors[i] * (double)factors[i];
    double root = sqrt(sum / (double)n);
    for (size_t i = first; i < first + n && root > 0; i++)
      factors[i] = (float)((double)factors[i] / root);
  }
}

/* One round over all rows: 0, or 3 with a failure pushed. */
static int improve(lua_State *L, struct columns *c, size_t threads) {
  const struct shape blocks = {.row = c->row, .rows = c->blocks};
  struct rows_job job = {kernels_chosen(), &blocks, c, sum_block,
                         quant_multiply(L, c->row.cols, 2 * sizeof(float))};
  fit_weights(&c->row, c->how.importance, c->factors, c->weights, c->inverses);
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  if (failed) return failed;
  sum_blocks(c);
  for (size_t i = 0; i < c->row.cols; i++) {
    c->factors[i] = next_factor(c, i);
    if (!isfinite(c->factors[i]))
      return bind_fail(L, "invalid_model",
                       "column %I: its scale is too large for 16 bits",
                       (LUAI_UACINT)i);
  }
  normalise(&c->row, c->factors);
  return 0;
}

/* Room for the sums and for what fits read. [-0, +6, m] */
static void new_columns(lua_State *L, struct columns *c) {
  size_t cols = c->row.cols, sums = quant_multiply(L, c->blocks, cols);
  c->products = buffer_push_unset(L, DTYPE_F32, sums)->data;
  c->squares = buffer_push_unset(L, DTYPE_F32, sums)->data;
  c->totals = lua_newuserdatauv(L, 2 * cols * sizeof *c->totals, 0);
  c->factors = buffer_push_unset(L, DTYPE_F32, cols)->data;
  c->weights = buffer_push_unset(L, DTYPE_F32, cols)->data;
  c->inverses = buffer_push_unset(L, DTYPE_F32, cols)->data;
  c->how.weights = c->weights;
  c->how.inverses = c->inverses;
  for (size_t i = 0; i < cols; i++)
    c->factors[i] = 1;
}

/* column_scales(codec, weights, rows, cols [, {group = 0, iterations = 4,
 * dtype, importance = f32 [cols], rows = i32 buffer of the ascending numbers of
 * those that are looked at, threads = 1}]) -> f16 buffer [cols] | nil, message,
 * code.
 *
 * Factors c for quant.encode's option `columns` that lessen the sum of
 * h (w - s q c)^2 over codes q and scales s of rows or their groups. Every
 * round reads the weights once: with the factors so far each row has its
 * scales, and with these each column its factor. The first round, and all of b1
 * and q4, takes the signs as codes; the others of ternary codecs take their
 * zeros too. The root mean square of a group's factors is 1; a column of zeros
 * has 0, unless all weights are. Weights are those of quant.encode. Memory is
 * 64 rows of sums. */
int quant_column_scales(lua_State *L) {
  static const char *const known[] = {
      "group", "iterations", "dtype", "importance", "threads", "rows", NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, 5, known);
  luaL_argcheck(L, codec->block == 0, 1, "is made of blocks");
  struct columns c = {.in = quant_check_floats(L, 2, 5, "dtype")};
  struct shape shape = quant_check_shape(L, codec, (size_t)bind_size(L, 3),
                                         (size_t)bind_size(L, 4), 5);
  luaL_argcheck(L, c.in.count == shape.rows * shape.row.cols, 2,
                "does not hold rows x cols weights");
  c.row = shape.row;
  if (!quant_check_picked(L, 5, shape.rows, &c.picked)) return 3;
  c.blocks = c.picked.count < BLOCKS ? c.picked.count : BLOCKS;
  c.how = (struct fit){.iterations = SCALE_ROUNDS, .bases = 1};
  size_t threads = quant_check_threads(L, 5, c.blocks);
  int rounds = (int)bind_opt_integer(L, 5, "iterations", 1, 1000, 4);
  if (!quant_push_importance(L, 5, c.row.cols, &c.how.importance)) return 3;
  new_columns(L, &c);
  bool ternary = codec->id == CODEC_T5 || codec->id == CODEC_T2;
  for (int round = 0; round < rounds; round++) {
    c.row.codec = &codecs[round > 0 && ternary ? codec->id : CODEC_B1];
    int failed = improve(L, &c, threads);
    if (failed) return failed;
  }
  void *out = buffer_push_unset(L, DTYPE_F16, c.row.cols)->data;
  kernels_chosen()->narrow(FLOAT_F16, c.factors, c.row.cols, out);
  return 1;
}
