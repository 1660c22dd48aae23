/* Encoding of matrices, ours and GGUF's. */
#include <math.h>
#include <string.h>

#include "quant.h"

/* Columns that are widened at once. */
enum { PIECE = 1024 };

static struct fit check_fit(lua_State *L, int arg) {
  struct fit how = {0};
  const char *scale = bind_opt_string(L, arg, "scale", "least_squares");
  how.mean_abs = strcmp(scale, "mean_abs") == 0;
  if (!how.mean_abs && strcmp(scale, "least_squares") != 0)
    luaL_error(L, "option 'scale' must be least_squares or mean_abs, not '%s'",
               scale);
  how.iterations = (int)bind_opt_integer(L, arg, "iterations", 1, 1000, 8);
  return how;
}

struct encoding {
  struct fit how;
  struct floats in;
  uint8_t *codes;
  uint16_t *scales; /* of ours */
  float *errors;    /* of each row, or NULL */
};

/* Scratch of a thread: the row as floats, then its codes. */
static size_t encode_scratch(lua_State *L, size_t cols) {
  return quant_multiply(L, cols, sizeof(float) + 1) + 64;
}

/* Blocks stand alone, so that a row may be widened and encoded in pieces that
 * stay in the nearest cache. Returns what the kernel does. */
static size_t encode_pieces(const struct rows_job *job, size_t row,
                            uint8_t *scratch, double *error) {
  const struct encoding *e = job->context;
  struct row piece = job->shape->row;
  size_t cols = piece.cols, block = piece.codec->block;
  uint8_t *out = e->codes + row * job->shape->row_bytes;
  float *tile = (float *)(void *)scratch;
  for (size_t first = 0; first < cols; first += PIECE) {
    double part = 0;
    piece.cols = cols - first < PIECE ? cols - first : PIECE;
    const float *w = quant_floats(job->kernels, &e->in, row * cols + first,
                                  piece.cols, tile);
    size_t bad = job->kernels->encode(&piece, &e->how, w, NULL,
                                      out + first / block * piece.codec->bytes,
                                      NULL, error ? &part : NULL);
    if (bad < piece.cols) return first + bad;
    if (error) *error += part;
  }
  return cols;
}

/* Why a row was refused. */
static void blame(const struct rows_job *job, struct fault *fault,
                  uint8_t *scratch) {
  const struct encoding *e = job->context;
  size_t cols = job->shape->row.cols;
  const float *w = quant_floats(job->kernels, &e->in, fault->row * cols, cols,
                                (float *)(void *)scratch);
  fault->what = job->shape->row.codec->block == 1
                    ? "value is too large for 16 bits"
                    : "scale is too large for 16 bits";
  size_t bad = job->kernels->not_finite(w, cols);
  if (bad == cols) return;
  fault->col = bad;
  fault->what = "weight is not finite";
}

static void encode_one(const struct rows_job *job, size_t row, uint8_t *scratch,
                       struct fault *fault) {
  const struct encoding *e = job->context;
  const struct shape *shape = job->shape;
  size_t cols = shape->row.cols;
  float *tile = (float *)(void *)scratch;
  double error = 0, *wanted = e->errors ? &error : NULL;
  if (e->scales == NULL)
    fault->col = encode_pieces(job, row, scratch, wanted);
  else
    fault->col = job->kernels->encode(
        &shape->row, &e->how,
        quant_floats(job->kernels, &e->in, row * cols, cols, tile),
        (int8_t *)(tile + cols), e->codes + row * shape->row_bytes,
        e->scales + row * shape->groups, wanted);
  if (fault->col < cols) blame(job, fault, scratch);
  if (e->errors) e->errors[row] = (float)error;
}

/* encode(codec, weights (buffer of f32, f16 or bf16, or bytes with option
 * dtype), rows, cols [, {scale = "least_squares"|"mean_abs", group = 0 for the
 * whole row, iterations = 8, dtype, threads = 1}])
 *   -> {codes = u8 [rows, row_bytes], scales = f16 [rows, groups],
 *       errors = f32 [rows], squared error with the rounded scale}
 * | nil, message, code. q4 always takes the scale of least error. */
int quant_encode(lua_State *L) {
  static const char *const known[] = {"scale", "group",   "iterations",
                                      "dtype", "threads", NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, 5, known);
  luaL_argcheck(L, codec->block == 0, 1, "is made of blocks: encode_blocks");
  struct encoding e = {.in = quant_check_floats(L, 2, 5, "dtype")};
  struct shape shape = quant_check_shape(L, codec, (size_t)bind_size(L, 3),
                                         (size_t)bind_size(L, 4), 5);
  size_t rows = shape.rows, cols = shape.row.cols;
  size_t threads = quant_check_threads(L, 5, rows);
  e.how = check_fit(L, 5);
  luaL_argcheck(L, e.in.count == rows * cols, 2,
                "does not hold rows x cols weights");
  lua_createtable(L, 0, 3);
  e.codes =
      buffer_push_unset(L, DTYPE_U8, quant_multiply(L, rows, shape.row_bytes))
          ->data;
  lua_setfield(L, -2, "codes");
  e.scales =
      buffer_push_unset(L, DTYPE_F16, quant_multiply(L, rows, shape.groups))
          ->data;
  lua_setfield(L, -2, "scales");
  e.errors = buffer_push_unset(L, DTYPE_F32, rows)->data;
  lua_setfield(L, -2, "errors");
  struct rows_job job = {kernels_chosen(), &shape, &e, encode_one,
                         encode_scratch(L, cols)};
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  return failed ? failed : 1;
}

static bool check_reference(lua_State *L, const struct codec *codec, int arg) {
  const char *fit = bind_opt_string(L, arg, "fit", "reference");
  bool reference = strcmp(fit, "reference") == 0;
  if (!reference && strcmp(fit, "least_squares") != 0)
    luaL_error(L, "option 'fit' must be reference or least_squares, not '%s'",
               fit);
  if (!reference && !codec->fitted)
    luaL_error(L, "%s has no fitted encoder", codec->name);
  return reference;
}

/* encode_blocks(codec, weights (as encode's), cols [, {fit =
 * "reference"|"least_squares", iterations = 8, errors = false, dtype, threads =
 * 1}]) -> u8 buffer of blocks [, f32 buffer of each row's squared error]
 * | nil, message, code. */
int quant_encode_blocks(lua_State *L) {
  static const char *const known[] = {"fit",   "iterations", "errors",
                                      "dtype", "threads",    NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, 4, known);
  luaL_argcheck(L, codec->block != 0, 1, "has no blocks: encode");
  struct encoding e = {.in = quant_check_floats(L, 2, 4, "dtype")};
  size_t cols = (size_t)bind_size(L, 3);
  luaL_argcheck(L, cols > 0 ? e.in.count % cols == 0 : e.in.count == 0, 3,
                "does not divide the weights");
  struct shape shape =
      quant_check_shape(L, codec, cols > 0 ? e.in.count / cols : 0, cols, 5);
  size_t threads = quant_check_threads(L, 4, shape.rows);
  e.how = (struct fit){
      .reference = check_reference(L, codec, 4),
      .iterations = (int)bind_opt_integer(L, 4, "iterations", 1, 1000, 8)};
  bool errors = bind_opt_boolean(L, 4, "errors", false);
  lua_settop(L, 4);
  e.codes = buffer_push_unset(L, DTYPE_U8,
                              quant_multiply(L, shape.rows, shape.row_bytes))
                ->data;
  if (errors) e.errors = buffer_push_unset(L, DTYPE_F32, shape.rows)->data;
  struct rows_job job = {kernels_chosen(), &shape, &e, encode_one,
                         encode_scratch(L, cols)};
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  return failed ? failed : errors ? 2 : 1;
}
