/* Products of packed matrices with a few vectors. */
#include <math.h>
#include <string.h>

#include "quant.h"

/* Integer sums of a row must fit 32 bits: 127 x 127 a column at most. */
enum { INT8_COLS = 1 << 17 };

struct product {
  const uint8_t *codes;
  const uint8_t *scales;
  const float *x; /* [batch, cols] */
  size_t batch;
  const struct activations *activations; /* of each vector, or NULL */
  float *y;                              /* [batch, rows] */
};

/* The row decoded once, then multiplied with every vector. */
static void multiply_floats(const struct rows_job *job, size_t row,
                            uint8_t *scratch, struct fault *fault) {
  const struct product *p = job->context;
  const struct shape *shape = job->shape;
  size_t cols = shape->row.cols;
  float *tile = (float *)(void *)scratch;
  fault->col = job->kernels->decode(
      &shape->row, p->codes + row * shape->row_bytes,
      p->scales + row * shape->groups * sizeof(uint16_t),
      (int8_t *)(tile + cols), (struct sink){FLOAT_F32, false, tile});
  if (fault->col < cols)
    fault->what = "scale is not finite";
  else
    for (size_t i = 0; i < p->batch; i++)
      p->y[i * shape->rows + row] =
          job->kernels->dot(tile, p->x + i * cols, cols);
}

static void multiply_int8(const struct rows_job *job, size_t row,
                          uint8_t *scratch, struct fault *fault) {
  const struct product *p = job->context;
  const struct shape *shape = job->shape;
  for (size_t i = 0; i < p->batch; i++) {
    float y = job->kernels->dot_packed(
        &shape->row, p->codes + row * shape->row_bytes,
        p->scales + row * shape->groups * sizeof(uint16_t), (int8_t *)scratch,
        &p->activations[i]);
    if (!isfinite(y)) fault->what = "product is not finite";
    p->y[i * shape->rows + row] = y;
  }
}

static struct bytes check_part(lua_State *L, int arg, const char *key) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_getfield(L, arg, key); /* anchored by the table */
  struct bytes bytes = bind_bytes(L, lua_absindex(L, -1));
  return bytes;
}

/* Reads the weights at `arg`: blocks, or {codes, scales} as encode gives.
 * [-0, +any, v] */
static bool check_weights(lua_State *L, int arg, const struct shape *shape,
                          struct product *p) {
  bool blocks = shape->row.codec->block != 0;
  struct bytes codes =
      blocks ? bind_bytes(L, arg) : check_part(L, arg, "codes");
  struct bytes scales = {NULL, 0};
  if (!blocks) scales = check_part(L, arg, "scales");
  p->codes = codes.data;
  p->scales = scales.data;
  return quant_holds(L, codes, shape->rows, shape->row_bytes, "codes") &&
         quant_holds(L, scales, shape->rows, shape->groups * sizeof(uint16_t),
                     "scales");
}

static bool check_int8(lua_State *L, const struct shape *shape, int arg) {
  const char *name = bind_opt_string(L, arg, "activations", "f32");
  if (strcmp(name, "f32") == 0) return false;
  if (strcmp(name, "int8") != 0)
    luaL_error(L, "option 'activations' must be f32 or int8, not '%s'", name);
  if (shape->row.codec->block == 1)
    luaL_error(L, "%s has no product with int8", shape->row.codec->name);
  if (shape->row.cols > INT8_COLS)
    luaL_error(L, "%I columns are too many for int8",
               (LUAI_UACINT)shape->row.cols);
  return true;
}

/* Pushes the activations of all vectors. [-0, +2, m] */
static const struct activations *push_activations(lua_State *L,
                                                  const struct shape *shape,
                                                  const struct product *p) {
  size_t cols = shape->row.cols, size = activations_size(&shape->row);
  size_t run = row_run(&shape->row);
  size_t runs = run > 0 ? cols / run + 1 : 1;
  struct activations *all = lua_newuserdatauv(L, p->batch * sizeof *all + 1, 0);
  size_t each = size + (runs * sizeof(int32_t) + 63) / 64 * 64;
  int8_t *at =
      buffer_push_unset(L, DTYPE_I8, quant_multiply(L, p->batch, each))->data;
  for (size_t i = 0; i < p->batch; i++, at += each) {
    int32_t *sums = (int32_t *)(void *)(at + size);
    float scale = activations_fill(&shape->row, p->x + i * cols, at, sums);
    all[i] = (struct activations){scale, at, sums};
  }
  return all;
}

/* Pushes y of the matrix at 1..4 and the vectors at 4; returns 1, or 3 after a
 * failure. */
static int product(lua_State *L, size_t rows, size_t cols, int x_arg) {
  static const char *const known[] = {"group", "activations", "threads", NULL};
  int options = x_arg + 1;
  const struct codec *codec = quant_check_codec(L, 1);
  bind_check_keys(L, options, known);
  struct shape shape = quant_check_shape(L, codec, rows, cols, options);
  const struct buffer *x = buffer_check(L, x_arg, DTYPE_F32);
  luaL_argcheck(L, cols > 0 && x->count % cols == 0, x_arg,
                "does not hold vectors of cols elements");
  struct product p = {.x = x->data, .batch = x->count / cols};
  bool int8 = check_int8(L, &shape, options);
  size_t threads = quant_check_threads(L, options, rows);
  if (!check_weights(L, 2, &shape, &p)) return 3;
  size_t bad = kernels_scalar.not_finite(p.x, x->count);
  if (int8 && bad < x->count)
    return bind_fail(L, "out_of_range", "vector %I, element %I is not finite",
                     (LUAI_UACINT)(bad / cols), (LUAI_UACINT)(bad % cols));
  if (int8) p.activations = push_activations(L, &shape, &p);
  p.y = buffer_push_unset(L, DTYPE_F32, quant_multiply(L, p.batch, rows))->data;
  struct rows_job job = {kernels_chosen(), &shape, &p,
                         int8 ? multiply_int8 : multiply_floats,
                         cols * (sizeof(float) + 1) + 64};
  int failed = quant_run(L, &job, threads, "row %I, column %I");
  return failed ? failed : 1;
}

/* matmul(codec, weights (blocks, or {codes, scales} as encode gives), rows,
 * cols, x (f32 buffer [vectors, cols]) [, {activations = "f32"|"int8", group =
 * 0, threads = 1}]) -> f32 buffer [vectors, rows] | nil, message, code. int8
 * rounds each vector to multiples of its largest magnitude / 127 and then
 * multiplies exactly. */
int quant_matmul(lua_State *L) {
  return product(L, (size_t)bind_size(L, 3), (size_t)bind_size(L, 4), 5);
}

/* dot(codec, weights (bytes: of one row), x (f32 buffer [cols]) [,
 * {activations = "f32"|"int8", group = 0}]) -> number | nil, message, code. */
int quant_dot(lua_State *L) {
  const struct buffer *x = buffer_check(L, 3, DTYPE_F32);
  if (x->count == 0) {
    lua_pushnumber(L, 0);
    return 1;
  }
  int results = product(L, 1, x->count, 3);
  if (results != 1) return results;
  const struct buffer *y = buffer_check(L, -1, DTYPE_F32);
  lua_pushnumber(L, (lua_Number) * (const float *)y->data);
  return 1;
}
