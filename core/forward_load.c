/* Weights from Lua: f32 buffers, and tables of what is stored of a matrix. */
#include "forward_load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "buffer.h"
#include "quant.h"

enum { MOST_WIDTH = 1 << 24 };

/* Notes the first failure. */
__attribute__((format(printf, 2, 3))) static void
fail(struct loader *loader, const char *format, ...) {
  va_list arguments;
  if (loader->failure[0] != '\0') return;
  va_start(arguments, format);
  vsnprintf(loader->failure, sizeof loader->failure, format, arguments);
  va_end(arguments);
}

/* Field `key` of the table at `at`: an integer from `low` on, which it is
 * without the field, at most `high`; raises otherwise. */
static size_t load_size(lua_State *L, int at, const char *key, size_t low,
                        size_t high) {
  return (size_t)bind_opt_integer(L, at, key, (lua_Integer)low,
                                  (lua_Integer)high, (lua_Integer)low);
}

/* Keeps the value on the top of the stack alive, and pops it. */
static void keep(struct loader *loader) {
  lua_rawseti(loader->L, loader->kept,
              (lua_Integer)lua_rawlen(loader->L, loader->kept) + 1);
}

/* ---- vectors ---- */

/* The buffer on the top of the stack, of `count` numbers, or NULL. */
static const float *check_floats(struct loader *loader, const char *name,
                                 size_t count) {
  const struct buffer *weight = buffer_test(loader->L, -1, DTYPE_F32);
  if (lua_isnil(loader->L, -1))
    fail(loader, "no tensor '%s'", name);
  else if (weight == NULL)
    fail(loader, "tensor '%s' is not an f32 buffer", name);
  else if (weight->count != count)
    fail(loader, "tensor '%s' has %zu elements, the config needs %zu", name,
         weight->count, count);
  else
    return weight->data;
  return NULL;
}

static const char *name_in(struct loader *loader, int at, const char *key) {
  return bind_opt_string(loader->L, at, key, NULL);
}

const float *load_vector(struct loader *loader, int at, const char *key,
                         size_t count) {
  const char *name = name_in(loader, at, key);
  if (name == NULL || loader->failure[0] != '\0') return NULL;
  lua_getfield(loader->L, loader->weights, name);
  const float *data = check_floats(loader, name, count);
  keep(loader);
  return data;
}

/* ---- matrices ---- */

/* Pins the sources that lie on the stack from `first` on, and keeps all. */
static void pin_all(struct loader *loader, struct loaded *loaded, int first) {
  lua_State *L = loader->L;
  for (int i = lua_gettop(L); i >= first; i--) {
    const struct source *source = bind_test_source(L, i);
    size_t most = sizeof loaded->pins / sizeof *loaded->pins;
    if (source != NULL && loaded->pin_count < most)
      loaded->pins[loaded->pin_count++] =
          (struct pin){source, bind_bytes(L, i).data};
    keep(loader);
  }
}

bool loaded_are_open(const struct loaded *loaded) {
  for (; loaded != NULL; loaded = loaded->next)
    for (size_t i = 0; i < loaded->pin_count; i++) {
      const struct pin *pin = &loaded->pins[i];
      struct bytes bytes;
      if (pin->source->get(pin->source, &bytes) != 0 || bytes.data != pin->data)
        return false;
    }
  return true;
}

/* Pushes the source in field `key`, which must hold `rows` times `each`. */
static const uint8_t *push_part(lua_State *L, int at, const char *key,
                                size_t rows, size_t each, bool *ok) {
  lua_getfield(L, at, key);
  if (!*ok) return NULL;
  struct bytes bytes = bind_bytes(L, lua_gettop(L));
  *ok = quant_holds(L, bytes, rows, each, key);
  return bytes.data;
}

/* Rows stored as the table at `at` says. False: a failure is on top. */
static bool push_rows(lua_State *L, int at, const struct codec *codec,
                      size_t count, size_t cols, struct rows *rows) {
  struct shape shape = quant_check_shape(L, codec, count, cols, at);
  bool ok = true;
  *rows = (struct rows){.row = shape.row,
                        .in = {.bases = 1},
                        .count = count,
                        .row_bytes = shape.row_bytes,
                        .groups = shape.groups};
  rows->in.codes[0] = push_part(L, at, "codes", count, shape.row_bytes, &ok);
  if (ok && codec->block == 0)
    rows->in.scales[0] =
        push_part(L, at, "scales", count, shape.groups * sizeof(uint16_t), &ok);
  return ok &&
         (codec->block != 0 || quant_push_stored(L, at, &shape, &rows->in));
}

/* The rescued rows of a matrix, if it has any. */
static bool push_rescue(lua_State *L, int at, struct matrix *m) {
  if (lua_getfield(L, at, "rescue") == LUA_TNIL) return true;
  int rescue = lua_gettop(L);
  lua_getfield(L, rescue, "rows");
  const struct buffer *rows = buffer_check(L, lua_gettop(L), DTYPE_I32);
  m->rescued = rows->data;
  for (size_t i = 0; i < rows->count; i++)
    if (m->rescued[i] < (i > 0 ? m->rescued[i - 1] + 1 : 0) ||
        (size_t)m->rescued[i] >= m->rows)
      luaL_error(L, "rescued rows must ascend within the matrix");
  return push_rows(L, rescue, codec_find("q4"), rows->count, m->cols,
                   &m->rescue);
}

/* A matrix as its table at `at` describes it. False: a failure is on top. */
static bool push_matrix(lua_State *L, int at, struct matrix *m) {
  lua_getfield(L, at, "codec");
  const struct codec *codec = quant_check_codec(L, lua_gettop(L));
  m->rows = load_size(L, at, "rows", 1, (size_t)1 << 40);
  m->cols = load_size(L, at, "cols", 1, MOST_WIDTH);
  if (codec->block > 0 && m->cols % codec->block != 0) {
    bind_fail(L, "invalid_model", "%I columns are not whole blocks of %s",
              (LUAI_UACINT)m->cols, codec->name);
    return false;
  }
  if (!push_rescue(L, at, m)) return false;
  return push_rows(L, at, codec, m->rows - m->rescue.count, m->cols, &m->kept);
}

static void dense_matrix(const struct buffer *weight, size_t rows, size_t cols,
                         struct matrix *m) {
  const struct codec *codec = &codecs[CODEC_F32];
  *m = (struct matrix){.rows = rows, .cols = cols};
  m->kept = (struct rows){.row = {codec, cols, 1},
                          .in = {.bases = 1},
                          .count = rows,
                          .row_bytes = cols * sizeof(float)};
  m->kept.in.codes[0] = weight->data;
}

/* Pushes nothing; the weight is on the top of the stack, and popped. */
static void read_matrix(struct loader *loader, const char *name, size_t rows,
                        size_t cols, struct loaded *loaded) {
  lua_State *L = loader->L;
  int at = lua_gettop(L);
  const struct buffer *buffer = buffer_test(L, at, DTYPE_F32);
  luaL_checkstack(L, 8 * BASES, NULL);
  if (buffer != NULL && buffer->count == rows * cols)
    dense_matrix(buffer, rows, cols, &loaded->matrix);
  else if (!lua_istable(L, at))
    check_floats(loader, name, rows * cols);
  else if (!push_matrix(L, at, &loaded->matrix))
    fail(loader, "tensor '%s': %s", name, lua_tostring(L, -2));
  if (loader->failure[0] == '\0') pin_all(loader, loaded, at);
  lua_settop(L, at - 1);
}

/* The matrix of that name, read once. */
static struct loaded *find_loaded(struct loader *loader, const char *name,
                                  size_t rows, size_t cols) {
  lua_State *L = loader->L;
  lua_getfield(L, loader->kept, name);
  struct loaded *loaded = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (loaded != NULL) return loaded;
  loaded = lua_newuserdatauv(L, sizeof *loaded, 0);
  memset(loaded, 0, sizeof *loaded);
  lua_setfield(L, loader->kept, name);
  lua_getfield(L, loader->weights, name);
  read_matrix(loader, name, rows, cols, loaded);
  loaded->next = loader->loaded;
  loader->loaded = loaded;
  return loaded;
}

const struct matrix *load_matrix(struct loader *loader, const char *name,
                                 size_t rows, size_t cols) {
  if (loader->failure[0] != '\0') return NULL;
  const struct matrix *m = &find_loaded(loader, name, rows, cols)->matrix;
  if (loader->failure[0] == '\0' && (m->rows != rows || m->cols != cols))
    fail(loader, "tensor '%s' is [%zu, %zu], the config needs [%zu, %zu]", name,
         m->rows, m->cols, rows, cols);
  return loader->failure[0] == '\0' ? m : NULL;
}

/* ---- layers ---- */

struct linear load_linear(struct loader *loader, int at, const char *key) {
  lua_State *L = loader->L;
  struct linear linear = {0};
  if (lua_getfield(L, at, key) == LUA_TNIL) {
    lua_pop(L, 1);
    return linear;
  }
  int table = lua_gettop(L);
  luaL_checktype(L, table, LUA_TTABLE);
  linear.inputs = load_size(L, table, "inputs", 1, MOST_WIDTH);
  linear.outputs = load_size(L, table, "outputs", 1, MOST_WIDTH);
  linear.first = load_size(L, table, "first", 0, MOST_WIDTH);
  linear.transposed = bind_opt_boolean(L, table, "transposed", false);
  size_t all =
      load_size(L, table, "of", linear.first + linear.outputs, 2 * MOST_WIDTH);
  const char *name = name_in(loader, table, "weight");
  if (name == NULL) luaL_error(L, "linear layer '%s' has no weight", key);
  linear.matrix = linear.transposed
                      ? load_matrix(loader, name, linear.inputs, all)
                      : load_matrix(loader, name, all, linear.inputs);
  linear.bias = load_vector(loader, table, "bias", all);
  if (linear.bias) linear.bias += linear.first;
  lua_pop(L, 1);
  return linear;
}

struct norm load_norm(struct loader *loader, int at, const char *key,
                      size_t count) {
  lua_State *L = loader->L;
  struct norm norm = {0};
  if (lua_getfield(L, at, key) == LUA_TTABLE) {
    int table = lua_gettop(L);
    norm.weight = load_vector(loader, table, "weight", count);
    norm.bias = load_vector(loader, table, "bias", count);
    norm.eps = (float)bind_opt_number(L, table, "eps", 1e-6);
    norm.plus = (float)bind_opt_number(L, table, "plus", 0);
    norm.centred = norm.bias != NULL;
    if (!(norm.eps > 0)) luaL_error(L, "eps of '%s' is out of range", key);
  }
  lua_pop(L, 1);
  return norm;
}
