/* Rows of a matrix: which are wanted, and the work of threads on them. */
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "pool.h"
#include "quant.h"

int quant_fail_row(lua_State *L, int32_t row, size_t rows) {
  return bind_fail(L, "out_of_range", "row %d is outside of %I rows", (int)row,
                   (LUAI_UACINT)rows);
}

bool quant_row_in(int32_t row, size_t rows) {
  return row >= 0 && (size_t)row < rows;
}

bool quant_check_picked(lua_State *L, int arg, size_t rows,
                        struct picked *out) {
  *out = (struct picked){NULL, rows};
  if (!lua_istable(L, arg) || lua_getfield(L, arg, "rows") == LUA_TNIL)
    return true;
  const struct buffer *buffer = buffer_test(L, -1, DTYPE_I32);
  if (buffer == NULL) luaL_error(L, "option 'rows' must be a buffer of i32");
  *out = (struct picked){buffer->data, buffer->count};
  for (size_t i = 0; i < out->count; i++) {
    if (!quant_row_in(out->rows[i], rows)) {
      quant_fail_row(L, out->rows[i], rows);
      return false;
    }
    if (i > 0 && out->rows[i] <= out->rows[i - 1])
      luaL_error(L, "option 'rows' must ascend");
  }
  return true;
}

size_t quant_picked(const struct picked *picked, size_t index) {
  return picked->rows == NULL ? index : (size_t)picked->rows[index];
}

/* Scratch of every thread is aligned for floats and apart from the next one's.
 */
enum { SCRATCH_UNIT = 64 };

/* Threads take rows a piece at a time, about so many pieces each: one that the
 * system holds up leaves its share to the others. */
enum { PIECES = 16 };

struct run {
  const struct rows_job *job;
  uint8_t *scratch;     /* `each` bytes for every thread */
  struct fault *faults; /* of each thread */
  size_t each;
  size_t piece;       /* rows that are taken at once */
  atomic_size_t next; /* the first row that no thread has taken */
};

size_t quant_check_threads(lua_State *L, int arg, size_t rows) {
  size_t threads = (size_t)bind_opt_integer(L, arg, "threads", 1, INT_MAX, 1);
  if (threads > POOL_MOST) threads = POOL_MOST;
  return threads < rows ? threads : rows > 0 ? rows : 1;
}

size_t quant_share(size_t rows, size_t index, size_t count) {
  return rows / count * index + rows % count * index / count;
}

static void run_piece(const struct run *run, size_t first, size_t last,
                      size_t index) {
  struct fault *fault = &run->faults[index];
  for (size_t row = first; row < last && fault->what == NULL; row++) {
    fault->row = row;
    if (bind_interrupted())
      fault->what = "interrupted";
    else
      run->job->each(run->job, row, run->scratch + index * run->each, fault);
  }
}

/* Pieces are taken in their order, and whatever was taken is done up to its own
 * first fault: the least of all faults is that of the first row that fails. */
static void run_rows(void *context, size_t index, size_t count) {
  struct run *run = context;
  size_t rows = run->job->shape->rows;
  (void)count;
  while (run->faults[index].what == NULL) {
    size_t first = atomic_fetch_add(&run->next, run->piece);
    if (first >= rows) break;
    size_t left = rows - first;
    size_t last = first + (left < run->piece ? left : run->piece);
    run_piece(run, first, last, index);
  }
}

/* The fault of the first row that failed, or NULL. */
static const struct fault *first_fault(const struct fault *faults,
                                       size_t count) {
  const struct fault *first = NULL;
  for (size_t i = 0; i < count; i++)
    if (faults[i].what && (first == NULL || faults[i].row < first->row))
      first = &faults[i];
  return first;
}

int quant_run(lua_State *L, const struct rows_job *job, size_t threads,
              const char *label) {
  struct fault faults[POOL_MOST] = {0};
  if (job->kernels == NULL)
    return bind_fail(L, "config", "BITTERN_ISA: this processor has no '%s'",
                     getenv("BITTERN_ISA"));
  struct run run = {job, NULL, faults, job->scratch + SCRATCH_UNIT, 1, 0};
  run.each -= run.each % SCRATCH_UNIT;
  if (job->shape->rows > threads * PIECES)
    run.piece = job->shape->rows / (threads * PIECES);
  run.scratch = lua_newuserdatauv(L, quant_multiply(L, threads, run.each), 0);
  pool_run(threads, run_rows, &run);
  lua_pop(L, 1);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  const struct fault *fault = first_fault(faults, threads);
  if (fault == NULL) return 0;
  const char *place = lua_pushfstring(L, label, (LUAI_UACINT)fault->row,
                                      (LUAI_UACINT)fault->col);
  return bind_fail(L, "invalid_model", "%s: %s", place, fault->what);
}
