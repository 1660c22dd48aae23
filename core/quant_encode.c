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
  bool general; /* `fit`, not `encode` */
  struct floats in;
  struct picked picked; /* all, in order, of blocks */
  struct parts out;     /* of ours: all NULL when only errors are wanted */
  uint8_t *blocks;
  float *errors; /* of each row, or NULL */
  float *norms;  /* the same */
};

/* Scratch of a thread: the row as floats, scales and offsets that are not kept,
 * then what kernels need. */
struct scratch {
  float *tile;
  uint16_t *scales;
  void *rest;
};

static size_t scale_room(const struct shape *shape) {
  size_t bytes = (BASES + 1) * shape->groups * sizeof(uint16_t);
  return bytes + bytes % sizeof(float);
}

static size_t encode_scratch(lua_State *L, const struct shape *shape) {
  size_t cols = quant_multiply(L, shape->row.cols, 4 * sizeof(float));
  return cols + fit_scratch(shape->row.cols) + scale_room(shape);
}

static struct scratch scratch_at(const struct shape *shape, uint8_t *at) {
  uint8_t *scales = at + shape->row.cols * sizeof(float);
  return (struct scratch){(float *)(void *)at, (uint16_t *)(void *)scales,
                          scales + scale_room(shape)};
}

/* Blocks stand alone, so that a row may be widened and encoded in pieces that
 * stay in the nearest cache. Returns what the kernel does. */
static size_t encode_pieces(const struct rows_job *job, size_t row,
                            uint8_t *scratch, double *error) {
  const struct encoding *e = job->context;
  struct row piece = job->shape->row;
  size_t cols = piece.cols, block = piece.codec->block;
  uint8_t *out = e->blocks + row * job->shape->row_bytes;
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

void quant_blame(const struct kernels *kernels, const float *w, size_t cols,
                 struct fault *fault) {
  size_t bad = kernels->not_finite(w, cols);
  if (bad == cols) return;
  fault->col = bad;
  fault->what = "weight is not finite";
}

/* Why a row was refused. */
static void blame(const struct rows_job *job, struct fault *fault,
                  uint8_t *scratch) {
  const struct encoding *e = job->context;
  size_t cols = job->shape->row.cols;
  fault->row = quant_picked(&e->picked, fault->row);
  const float *w = quant_floats(job->kernels, &e->in, fault->row * cols, cols,
                                (float *)(void *)scratch);
  fault->what = job->shape->row.codec->block == 1
                    ? "value is too large for 16 bits"
                    : "scale is too large for 16 bits";
  quant_blame(job->kernels, w, cols, fault);
}

/* Where row `row` goes. */
static struct parts parts_at(const struct encoding *e,
                             const struct shape *shape, size_t row,
                             const struct scratch *room) {
  struct parts out = e->out;
  size_t groups = shape->groups;
  for (size_t b = 0; b < e->how.bases; b++) {
    if (out.codes[b]) out.codes[b] += row * shape->row_bytes;
    out.scales[b] = out.scales[b] ? out.scales[b] + row * groups
                                  : room->scales + b * groups;
  }
  out.offsets =
      out.offsets ? out.offsets + row * groups : room->scales + BASES * groups;
  return out;
}

/* A row of ours. Returns what the kernel does. */
static size_t encode_row(const struct rows_job *job, size_t row,
                         uint8_t *scratch, double *error) {
  const struct encoding *e = job->context;
  const struct shape *shape = job->shape;
  const struct kernels *kernels = job->kernels;
  size_t cols = shape->row.cols;
  struct scratch room = scratch_at(shape, scratch);
  struct parts out = parts_at(e, shape, row, &room);
  size_t from = quant_picked(&e->picked, row);
  const float *w = quant_floats(kernels, &e->in, from * cols, cols, room.tile);
  if (e->norms)
    e->norms[row] = (float)kernels->norm(w, e->how.importance, cols);
  if (!e->general)
    return kernels->encode(&shape->row, &e->how, w, room.rest, out.codes[0],
                           out.scales[0], error);
  size_t bad = kernels->not_finite(w, cols);
  if (bad < cols) return bad;
  return kernels->fit(&shape->row, &e->how, w, room.rest, &out, error);
}

static void encode_one(const struct rows_job *job, size_t row, uint8_t *scratch,
                       struct fault *fault) {
  const struct encoding *e = job->context;
  double error = 0, *wanted = e->errors ? &error : NULL;
  bool blocks = job->shape->row.codec->block != 0;
  fault->col = blocks ? encode_pieces(job, row, scratch, wanted)
                      : encode_row(job, row, scratch, wanted);
  if (fault->col < job->shape->row.cols) blame(job, fault, scratch);
  if (e->errors) e->errors[row] = (float)error;
}

bool quant_push_importance(lua_State *L, int options, size_t cols,
                           const float **out) {
  if (!lua_istable(L, options) ||
      lua_getfield(L, options, "importance") == LUA_TNIL)
    return true;
  const struct buffer *buffer = buffer_test(L, -1, DTYPE_F32);
  if (buffer == NULL || buffer->count != cols)
    luaL_error(L, "option 'importance' must be a buffer of %I f32",
               (LUAI_UACINT)cols);
  *out = buffer->data;
  for (size_t i = 0; i < cols; i++)
    if (!((*out)[i] >= 0 && isfinite((*out)[i]))) {
      bind_fail(L, "invalid_model",
                "column %I: importance must be a number of 0 or more",
                (LUAI_UACINT)i);
      return false;
    }
  return true;
}

/* Reads what only general fits have. False: a failure is on top. [-0, +any, v]
 */
static bool push_general(lua_State *L, const struct row *row,
                         struct encoding *e) {
  enum codec_id id = row->codec->id;
  struct fit *how = &e->how;
  how->bases = (size_t)bind_opt_integer(L, 5, "bases", 1, BASES, 1);
  how->offsets = bind_opt_boolean(L, 5, "offsets", false);
  if (how->bases > 1 && id == CODEC_Q4) luaL_error(L, "q4 has one base");
  if (how->offsets && ((id != CODEC_T2 && id != CODEC_T5) || how->bases > 1))
    luaL_error(L, "offsets are for ternary codecs with one base");
  if (!quant_push_importance(L, 5, row->cols, &how->importance)) return false;
  bool ok = true;
  how->columns = quant_push_columns(L, 5, row->cols, &ok);
  e->general =
      how->bases > 1 || how->offsets || how->importance || how->columns;
  if (!ok || !e->general) return ok;
  float *weights = buffer_push_unset(L, DTYPE_F32, row->cols)->data;
  float *inverses = buffer_push_unset(L, DTYPE_F32, row->cols)->data;
  fit_weights(row, how->importance, how->columns, weights, inverses);
  how->weights = weights;
  how->inverses = inverses;
  return true;
}

/* Pushes field `key` of the table on top, past any metamethod: what it holds
 * must stay in the table while threads fill it. [-0, +1, m] */
static void raw_field(lua_State *L, const char *key) {
  lua_pushstring(L, key);
  lua_rawget(L, -2);
}

/* Sets field `key` of the table below the value on top. [-1, +0, m] */
static void set_raw_field(lua_State *L, const char *key) {
  lua_pushstring(L, key);
  lua_insert(L, -2);
  lua_rawset(L, -3);
}

/* Field `key` of the table on top: the buffer that is there when it has room,
 * or a new one. [-0, +0, em] */
static void *new_field(lua_State *L, const char *key, enum dtype dtype,
                       size_t rows, size_t each) {
  size_t count = quant_multiply(L, rows, each);
  raw_field(L, key);
  struct buffer *buffer = buffer_refill(L, -1, dtype, count);
  lua_pop(L, 1);
  if (buffer != NULL) return buffer->data;
  buffer = buffer_push_unset(L, dtype, count);
  set_raw_field(L, key);
  return buffer->data;
}

/* Option `into`, or a new table. [-0, +any, em] */
static void push_results(lua_State *L, int arg) {
  if (lua_istable(L, arg) && lua_getfield(L, arg, "into") != LUA_TNIL) {
    if (!lua_istable(L, -1)) luaL_error(L, "option 'into' must be a table");
    return;
  }
  lua_createtable(L, 0, 5);
}

/* Codes and scales of base `b` into the table on top. */
static void new_base(lua_State *L, const struct shape *shape, struct parts *out,
                     size_t b) {
  out->codes[b] =
      new_field(L, "codes", DTYPE_U8, shape->rows, shape->row_bytes);
  out->scales[b] =
      new_field(L, "scales", DTYPE_F16, shape->rows, shape->groups);
}

/* Codes and scales of base `b`, counted from 1, into the array on top. */
static void new_further(lua_State *L, const struct shape *shape,
                        struct parts *out, size_t b) {
  if (lua_rawgeti(L, -1, (lua_Integer)b) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 2);
  }
  new_base(L, shape, out, b);
  lua_rawseti(L, -2, (lua_Integer)b);
}

/* The bases after the first. */
static void new_more(lua_State *L, const struct shape *shape,
                     struct encoding *e) {
  raw_field(L, "more");
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_createtable(L, BASES - 1, 0);
  }
  for (size_t b = 1; b < e->how.bases; b++)
    new_further(L, shape, &e->out, b);
  for (size_t b = e->how.bases; b < BASES; b++) {
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)b);
  }
  set_raw_field(L, "more");
}

/* Fields that this call does not fill are those of another one. */
static void drop_fields(lua_State *L, const struct encoding *e,
                        bool errors_only, bool norms) {
  const struct {
    const char *key;
    bool wanted;
  } fields[] = {{"codes", !errors_only},
                {"scales", !errors_only},
                {"offsets", !errors_only && e->how.offsets},
                {"more", !errors_only && e->how.bases > 1},
                {"norms", norms}};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (fields[i].wanted) continue;
    lua_pushnil(L);
    set_raw_field(L, fields[i].key);
  }
}

/* Fills the table on top with what is wanted. */
static void new_results(lua_State *L, const struct shape *shape,
                        struct encoding *e, bool errors_only, bool norms) {
  drop_fields(L, e, errors_only, norms);
  if (!errors_only) {
    new_base(L, shape, &e->out, 0);
    if (e->how.offsets)
      e->out.offsets =
          new_field(L, "offsets", DTYPE_F16, shape->rows, shape->groups);
    if (e->how.bases > 1) new_more(L, shape, e);
  }
  if (norms) e->norms = new_field(L, "norms", DTYPE_F32, shape->rows, 1);
  e->errors = new_field(L, "errors", DTYPE_F32, shape->rows, 1);
}

/* encode(codec, weights, rows, cols [, options])
 *   -> {codes = u8 [rows, row_bytes], scales = f16 [rows, groups],
 *       errors = f32 [rows], norms = f32 [rows] with norms,
 *       more = {{codes =, scales =}, ...} with bases,
 *       offsets = f16 [rows, groups] with offsets}
 *   or, with errors_only, {errors, norms} | nil, message, code.
 *
 * `weights` are a buffer of f32, f16 or bf16, or bytes of option `dtype`, which
 * are read where they lie. Options: dtype; rows = i32 buffer of the ascending
 * numbers of those that are encoded; group = columns to a scale, 0 for the
 * whole row; scale = "least_squares"|"mean_abs"; iterations = 8, of Lloyd's
 * fits and those of bases; bases = 1..4; offsets = false; columns = f16 [cols],
 * factors of the decoded values; importance = f32 [cols], numbers h >= 0;
 * errors_only = false; norms = errors_only; threads = 1; into = what an earlier
 * call returned: it is returned again, its buffers filled anew where they have
 * room. q4 always takes the scale of least error.
 *
 * The error of a row is the sum of h (w - v)^2 over its columns, v being what
 * quant.decode gives for the rounded scales; its norm is the sum of h w^2. Fits
 * minimise the same sum: binary scales are the weighted mean of |w|, ternary
 * ones Lloyd's, bases and offsets least squares under given codes in turn with
 * the nearest codes. */
int quant_encode(lua_State *L) {
  static const char *const known[] = {
      "scale", "group",   "iterations", "dtype",      "threads",
      "bases", "offsets", "columns",    "importance", "errors_only",
      "norms", "rows",    "into",       NULL};
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, 5, known);
  luaL_argcheck(L, codec->block == 0, 1, "is made of blocks: encode_blocks");
  struct encoding e = {.in = quant_check_floats(L, 2, 5, "dtype")};
  struct shape shape = quant_check_shape(L, codec, (size_t)bind_size(L, 3),
                                         (size_t)bind_size(L, 4), 5);
  bool errors_only = bind_opt_boolean(L, 5, "errors_only", false);
  e.how = check_fit(L, 5);
  luaL_argcheck(L, e.in.count == shape.rows * shape.row.cols, 2,
                "does not hold rows x cols weights");
  if (!quant_check_picked(L, 5, shape.rows, &e.picked)) return 3;
  shape.rows = e.picked.count;
  size_t threads = quant_check_threads(L, 5, shape.rows);
  if (!push_general(L, &shape.row, &e)) return 3;
  bool norms = bind_opt_boolean(L, 5, "norms", errors_only);
  push_results(L, 5);
  new_results(L, &shape, &e, errors_only, norms);
  struct rows_job job = {kernels_chosen(), &shape, &e, encode_one,
                         encode_scratch(L, &shape)};
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
 * "reference"|"least_squares", iterations = 8, errors = false, dtype, threads
 * = 1}]) -> u8 buffer of blocks [, f32 buffer of each row's squared error] |
 * nil, message, code. */
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
  e.blocks = buffer_push_unset(L, DTYPE_U8,
                               quant_multiply(L, shape.rows, shape.row_bytes))
                 ->data;
  if (errors) e.errors = buffer_push_unset(L, DTYPE_F32, shape.rows)->data;
  struct rows_job job = {kernels_chosen(), &shape, &e, encode_one,
                         encode_scratch(L, &shape)};
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  return failed ? failed : errors ? 2 : 1;
}
