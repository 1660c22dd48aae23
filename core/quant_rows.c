/* Encoding and decoding of matrices, ours and GGUF's. */
#include <math.h>
#include <string.h>

#include "quant.h"

/* Outputs of this size are written past the caches: they would not fit. */
enum { STREAM_BYTES = 4 << 20 };

/* Values that one thread decodes at once where a row is not asked for: whole
 * blocks of every codec. */
enum { TILE = 1 << 16 };

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

struct decoding {
  const uint8_t *codes;
  const uint8_t *scales;
  struct sink sink;
  size_t values; /* in all */
};

static void *element(const struct decoding *d, size_t i) {
  return (uint8_t *)d->sink.out + i * (d->sink.type == FLOAT_F32 ? 4 : 2);
}

static void decode_one(const struct rows_job *job, size_t row, uint8_t *scratch,
                       struct fault *fault) {
  const struct decoding *d = job->context;
  const struct shape *shape = job->shape;
  struct sink sink = d->sink;
  sink.out = element(d, row * shape->row.cols);
  fault->col =
      job->kernels->decode(&shape->row, d->codes + row * shape->row_bytes,
                           d->scales + row * shape->groups * sizeof(uint16_t),
                           (int8_t *)scratch, sink);
  if (fault->col < shape->row.cols) fault->what = "scale is not finite";
}

static struct sink new_sink(lua_State *L, int options, enum float_type type,
                            size_t count) {
  size_t bytes = count * (type == FLOAT_F32 ? 4 : 2);
  return (struct sink){type, bytes >= STREAM_BYTES,
                       quant_push_floats(L, options, type, count)};
}

/* decode(codec, codes, scales, rows, cols [, {group = 0, dtype = "f32", into =
 * buffer to fill, threads = 1}]) -> buffer | nil, message, code. Codes and
 * scales may come from a file. */
int quant_decode(lua_State *L) {
  static const char *const known[] = {"group", "dtype", "into", "threads",
                                      NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, 6, known);
  luaL_argcheck(L, codec->block == 0, 1, "is made of blocks: decode_blocks");
  struct bytes codes = bind_bytes(L, 2), scales = bind_bytes(L, 3);
  struct shape shape = quant_check_shape(L, codec, (size_t)bind_size(L, 4),
                                         (size_t)bind_size(L, 5), 6);
  size_t threads = quant_check_threads(L, 6, shape.rows);
  enum float_type type = quant_check_type(L, 6, "dtype");
  if (!quant_holds(L, codes, shape.rows, shape.row_bytes, "codes")) return 3;
  if (!quant_holds(L, scales, shape.rows, shape.groups * sizeof(uint16_t),
                   "scales"))
    return 3;
  size_t count = shape.rows * shape.row.cols;
  struct decoding d = {codes.data, scales.data, new_sink(L, 6, type, count),
                       count};
  if (count == 0) return 1;
  struct rows_job job = {kernels_chosen(), &shape, &d, decode_one,
                         shape.row.cols};
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  return failed ? failed : 1;
}

/* A tile of blocks; the last one is what is left. */
static void decode_tile(const struct rows_job *job, size_t tile,
                        uint8_t *scratch, struct fault *fault) {
  const struct decoding *d = job->context;
  struct row row = job->shape->row;
  size_t first = tile * TILE;
  row.cols = d->values - first < TILE ? d->values - first : TILE;
  struct sink sink = d->sink;
  sink.out = element(d, first);
  size_t bad =
      job->kernels->decode(&row, d->codes + tile * job->shape->row_bytes, NULL,
                           (int8_t *)scratch, sink);
  fault->row = (first + bad) / row.codec->block;
  if (bad < row.cols) fault->what = "scale is not finite";
}

/* Option table or the name of a dtype at `arg`: leaves a table there. */
static void accept_dtype(lua_State *L, int arg) {
  if (lua_type(L, arg) != LUA_TSTRING) return;
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, arg);
  lua_setfield(L, -2, "dtype");
  lua_replace(L, arg);
}

/* decode_blocks(codec, source, count [, dtype or {dtype = "f32", into = buffer
 * to fill, threads = 1}]) -> buffer of `count` values | nil, message, code. */
int quant_decode_blocks(lua_State *L) {
  static const char *const known[] = {"dtype", "into", "threads", NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  luaL_argcheck(L, codec->block != 0, 1, "has no blocks: decode");
  struct bytes in = bind_bytes(L, 2);
  size_t count = (size_t)bind_size(L, 3);
  accept_dtype(L, 4);
  bind_check_keys(L, 4, known);
  quant_multiply(L, count, sizeof(float));
  if (count % codec->block != 0)
    return bind_fail(L, "invalid_model", "%I values are not whole blocks of %I",
                     (LUAI_UACINT)count, (LUAI_UACINT)codec->block);
  if (!quant_holds(L, in, count / codec->block, codec->bytes, codec->name))
    return 3;
  enum float_type type = quant_check_type(L, 4, "dtype");
  struct shape shape = quant_check_shape(L, codec, count / TILE + 1, TILE, 5);
  shape.rows = count / TILE + (count % TILE != 0);
  size_t threads = quant_check_threads(L, 4, shape.rows);
  struct decoding d = {in.data, NULL, new_sink(L, 4, type, count), count};
  if (count == 0) return 1;
  struct rows_job job = {kernels_chosen(), &shape, &d, decode_tile, 1};
  int failed = quant_run(L, &job, threads, "block %I");
  return failed ? failed : 1;
}
