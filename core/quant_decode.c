/* Decoding of matrices, ours and GGUF's. */
#include "quant.h"

/* Outputs of this size are written past the caches: they would not fit. */
enum { STREAM_BYTES = 4 << 20 };

/* Values that one thread decodes at once where a row is not asked for: whole
 * blocks of every codec. */
enum { TILE = 1 << 16 };

struct decoding {
  struct stored in;
  bool plain; /* codes and scales, nothing else */
  struct sink sink;
  size_t values; /* in all */
};

static void *element(const struct decoding *d, size_t i) {
  return (uint8_t *)d->sink.out + i * (d->sink.type == FLOAT_F32 ? 4 : 2);
}

/* What is stored of a row. */
static struct stored row_of(const struct rows_job *job, size_t row) {
  const struct decoding *d = job->context;
  const struct shape *shape = job->shape;
  size_t scales = row * shape->groups * sizeof(uint16_t);
  struct stored in = d->in;
  for (size_t b = 0; b < in.bases; b++) {
    in.codes[b] += row * shape->row_bytes;
    in.scales[b] += scales;
  }
  if (in.offsets) in.offsets += scales;
  return in;
}

static void decode_one(const struct rows_job *job, size_t row, uint8_t *scratch,
                       struct fault *fault) {
  const struct decoding *d = job->context;
  const struct row *shape = &job->shape->row;
  struct stored in = row_of(job, row);
  struct sink sink = d->sink;
  sink.out = element(d, row * shape->cols);
  fault->col = d->plain ? job->kernels->decode(shape, in.codes[0], in.scales[0],
                                               (int8_t *)scratch, sink)
                        : job->kernels->combine(shape, &in, scratch, sink);
  if (fault->col < shape->cols)
    fault->what =
        in.offsets ? "scale or offset is not finite" : "scale is not finite";
}

static struct sink new_sink(lua_State *L, int options, enum float_type type,
                            size_t count) {
  size_t bytes = count * (type == FLOAT_F32 ? 4 : 2);
  return (struct sink){type, bytes >= STREAM_BYTES,
                       quant_push_floats(L, options, type, count)};
}

/* Pushes option `key`, a source that must hold `each` bytes for `rows` rows;
 * the slot keeps its bytes alive. NULL without the option, or when `ok` became
 * false: then a failure is on top. [-0, +1, v] */
static const uint8_t *push_source(lua_State *L, int options, const char *key,
                                  size_t rows, size_t each, bool *ok) {
  if (!lua_istable(L, options))
    lua_pushnil(L);
  else
    lua_getfield(L, options, key);
  if (lua_isnil(L, -1)) return NULL;
  struct bytes bytes = bind_bytes(L, lua_gettop(L));
  *ok = quant_holds(L, bytes, rows, each, key);
  return bytes.data;
}

/* One further base: the table on top. */
static bool push_base(lua_State *L, const struct shape *shape,
                      struct stored *in) {
  int at = lua_gettop(L);
  bool ok = true;
  luaL_checktype(L, at, LUA_TTABLE);
  in->codes[in->bases] =
      push_source(L, at, "codes", shape->rows, shape->row_bytes, &ok);
  if (ok)
    in->scales[in->bases] = push_source(L, at, "scales", shape->rows,
                                        shape->groups * sizeof(uint16_t), &ok);
  if (ok && (!in->codes[in->bases] || !in->scales[in->bases]))
    luaL_error(L, "option 'more' must hold tables of codes and scales");
  in->bases++;
  return ok;
}

static bool push_bases(lua_State *L, int options, const struct shape *shape,
                       struct stored *in) {
  if (!lua_istable(L, options) || lua_getfield(L, options, "more") == LUA_TNIL)
    return true;
  int more = lua_gettop(L);
  luaL_checktype(L, more, LUA_TTABLE);
  lua_Integer count = luaL_len(L, more);
  if (count >= BASES) luaL_error(L, "more than %d bases", (int)BASES);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, more, i);
    if (!push_base(L, shape, in)) return false;
  }
  return true;
}

const float *quant_push_columns(lua_State *L, int options, size_t cols,
                                bool *ok) {
  const uint8_t *halves =
      push_source(L, options, "columns", 1, cols * sizeof(uint16_t), ok);
  const struct kernels *kernels = kernels_chosen();
  if (halves == NULL || !*ok || kernels == NULL) return NULL;
  float *columns = buffer_push_unset(L, DTYPE_F32, cols)->data;
  kernels->widen(FLOAT_F16, halves, cols, columns);
  size_t bad = kernels->not_finite(columns, cols);
  *ok = bad == cols;
  if (!*ok)
    bind_fail(L, "invalid_model", "column %I: its scale is not finite",
              (LUAI_UACINT)bad);
  return columns;
}

bool quant_push_stored(lua_State *L, int options, const struct shape *shape,
                       struct stored *in) {
  bool ok = true;
  luaL_checkstack(L, 4 * BASES, NULL);
  if (!push_bases(L, options, shape, in)) return false;
  in->offsets = push_source(L, options, "offsets", shape->rows,
                            shape->groups * sizeof(uint16_t), &ok);
  if (!ok) return false;
  in->columns = quant_push_columns(L, options, shape->row.cols, &ok);
  return ok;
}

/* decode(codec, codes, scales, rows, cols [, {group = 0, dtype = "f32", into =
 * buffer to fill, threads = 1, more = {{codes =, scales =}, ...}, offsets =,
 * columns =}]) -> buffer | nil, message, code. Codes, scales and the like may
 * come from a file: those of `more` are as the first ones, `offsets` as scales,
 * `columns` f16 [cols]. See docs/formats.md. */
int quant_decode(lua_State *L) {
  static const char *const known[] = {"group", "dtype",   "into",    "threads",
                                      "more",  "offsets", "columns", NULL};
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
  struct decoding d = {.in = {.bases = 1},
                       .values = shape.rows * shape.row.cols};
  d.in.codes[0] = codes.data;
  d.in.scales[0] = scales.data;
  if (!quant_push_stored(L, 6, &shape, &d.in)) return 3;
  d.plain = d.in.bases == 1 && !d.in.offsets && !d.in.columns;
  d.sink = new_sink(L, 6, type, d.values);
  if (d.values == 0) return 1;
  struct rows_job job = {kernels_chosen(), &shape, &d, decode_one,
                         combine_scratch(shape.row.cols)};
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
      job->kernels->decode(&row, d->in.codes[0] + tile * job->shape->row_bytes,
                           NULL, (int8_t *)scratch, sink);
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

/* decode_blocks(codec, source (bytes), count [, {dtype = "f32", into = buffer
 * to fill, threads = 1}]) -> buffer of `count` values | nil, message, code. A
 * dtype may stand for the options. */
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
  struct decoding d = {.in = {.bases = 1, .codes = {in.data}},
                       .sink = new_sink(L, 4, type, count),
                       .values = count};
  if (count == 0) return 1;
  struct rows_job job = {kernels_chosen(), &shape, &d, decode_tile, 1};
  int failed = quant_run(L, &job, threads, "block %I");
  return failed ? failed : 1;
}
