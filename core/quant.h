/* What the files of core.quant share: shapes, sources of floats, and the work
 * of threads on rows. */
#ifndef BITTERN_QUANT_H
#define BITTERN_QUANT_H

#include <lua.h>

#include "buffer.h"
#include "kernels.h"

/* Rows under a codec. */
struct shape {
  struct row row;
  size_t rows;
  size_t groups;    /* scales of a row; 0 when the blocks have them */
  size_t row_bytes; /* bytes of a row's codes or blocks */
};

/* Numbers to read: a buffer's, or a source's of bytes. */
struct floats {
  enum float_type type;
  const uint8_t *data;
  size_t count;
};

/* Rows of a matrix that are wanted. */
struct picked {
  const int32_t *rows; /* their numbers, or NULL for all */
  size_t count;
};

/* The first row that failed, and where. */
struct fault {
  size_t row;
  size_t col;
  const char *what; /* NULL when all is well */
};

/* Rows for threads. `each` works on one row with `scratch` bytes of its own
 * thread, and says in `fault` what is wrong with it. */
struct rows_job {
  const struct kernels *kernels;
  const struct shape *shape;
  void *context;
  void (*each)(const struct rows_job *job, size_t row, uint8_t *scratch,
               struct fault *fault);
  size_t scratch; /* bytes for a thread */
};

/* The codec named by argument `arg`; raises otherwise. [-0, +0, v] */
const struct codec *quant_check_codec(lua_State *L, int arg);

/* a * b, or raises. [-0, +0, v] */
size_t quant_multiply(lua_State *L, size_t a, size_t b);

/* Shape of `rows` x `cols`; option `group` at `arg`. [-0, +0, v] */
struct shape quant_check_shape(lua_State *L, const struct codec *codec,
                               size_t rows, size_t cols, int arg);

/* Argument `arg`: a buffer of floats, or bytes of the type that option `key` of
 * `options` names. [-0, +0, v] */
struct floats quant_check_floats(lua_State *L, int arg, int options,
                                 const char *key);

/* `n` floats from number `first` on, widened into `tile` unless they can be
 * read where they lie. */
const float *quant_floats(const struct kernels *kernels,
                          const struct floats *in, size_t first, size_t n,
                          float *tile);

/* Option `into` at `arg`, a buffer of `count` elements of `type` to fill, or a
 * new one whose bytes are not set. Pushes it. [-0, +1, v] */
void *quant_push_floats(lua_State *L, int arg, enum float_type type,
                        size_t count);

/* Option `dtype` at `arg`, f32 when there is none. [-0, +0, v] */
enum float_type quant_check_type(lua_State *L, int arg, const char *key);

/* Runs the job on `threads`; returns 0, or pushes a failure and returns 3.
 * `label` names a row, `%I` being its number. [-0, +(0|3), v] */
int quant_run(lua_State *L, const struct rows_job *job, size_t threads,
              const char *label);

/* Whether there is such a row, and the failure when there is not. [-0, +3, m]
 */
bool quant_row_in(int32_t row, size_t rows);
int quant_fail_row(lua_State *L, int32_t row, size_t rows);

/* Option `rows` at `arg`, an i32 buffer of ascending numbers of `rows` rows;
 * all of them without it. False: a failure is on top. [-0, +any, v] */
bool quant_check_picked(lua_State *L, int arg, size_t rows, struct picked *out);

/* The number in the matrix of wanted row `index`. */
size_t quant_picked(const struct picked *picked, size_t index);

/* Option `threads` at `arg`, no more than there are rows or a job may have.
 * [-0, +0, v] */
size_t quant_check_threads(lua_State *L, int arg, size_t rows);

/* Whether `bytes` are `rows` times `each`; else pushes a failure.
 * [-0, +(0|3), m] */
bool quant_holds(lua_State *L, struct bytes bytes, size_t rows, size_t each,
                 const char *what);

/* Pushes option `columns` of `options`, f16 [cols], and what it returns: those
 * scales as floats. NULL without the option, or when `ok` became false: then a
 * failure is on top. [-0, +any, v] */
const float *quant_push_columns(lua_State *L, int options, size_t cols,
                                bool *ok);

/* Options `more`, `offsets` and `columns` of `options` into `in`, whose first
 * base is set; pushes what it then points to. False: a failure is on top.
 * [-0, +any, v] */
bool quant_push_stored(lua_State *L, int options, const struct shape *shape,
                       struct stored *in);

/* Option `importance` of `options`, f32 [cols], or NULL. False: a failure is on
 * top. [-0, +any, v] */
bool quant_push_importance(lua_State *L, int options, size_t cols,
                           const float **out);

/* Where a weight of the row is not finite, the fault is that. */
void quant_blame(const struct kernels *kernels, const float *w, size_t cols,
                 struct fault *fault);

/* The first of `rows` rows that falls to share `index` of `count`. */
size_t quant_share(size_t rows, size_t index, size_t count);

/* ---- bindings, documented where they are ---- */

int quant_encode(lua_State *L);
int quant_decode(lua_State *L);
int quant_column_scales(lua_State *L);
int quant_encode_blocks(lua_State *L);
int quant_decode_blocks(lua_State *L);
int quant_dot(lua_State *L);
int quant_matmul(lua_State *L);

#endif
