/* Weights and tables from Lua, turned into matrices, layers and models. */
#ifndef BITTERN_FORWARD_LOAD_H
#define BITTERN_FORWARD_LOAD_H

#include <lua.h>

#include "bind.h"
#include "forward.h"

/* Bounds under which no product of two sizes and a buffer's count overflows. */
enum {
  MOST_LAYERS = 1 << 10,
  MOST_SIZE = 1 << 22,
  MOST_TOKENS = 1 << 20,
};

/* Bytes that somebody else owns: they must still be where they were. */
struct pin {
  const struct source *source;
  const uint8_t *data;
};

/* A matrix as the model keeps it, in a list of all. */
struct loaded {
  struct matrix matrix;
  struct loaded *next;
  size_t pin_count;
  struct pin pins[4 * BASES];
};

/* While a model is made. */
struct loader {
  lua_State *L;
  int weights;           /* stack index of {name = weight} */
  int kept;              /* of the table that keeps alive what is used */
  struct loaded *loaded; /* all matrices */
  char failure[256];     /* empty while all is well */
};

/* The vector named by field `key` of the table at `at`, of `count` numbers;
 * NULL when there is no such field, or after a failure. */
const float *load_vector(struct loader *loader, int at, const char *key,
                         size_t count);

/* The matrix of that name and shape, or NULL after a failure. */
const struct matrix *load_matrix(struct loader *loader, const char *name,
                                 size_t rows, size_t cols);

/* The table in field `key` of the one at `at`. All zero without it. */
struct linear load_linear(struct loader *loader, int at, const char *key);
struct norm load_norm(struct loader *loader, int at, const char *key,
                      size_t count);

/* Whether all bytes of the matrices are still there. */
bool loaded_are_open(const struct loaded *loaded);

/* The model that the table at 1 describes (forward_model.c), with options at 3;
 * there is room for its layers. Returns how many tokens it has positions for;
 * raises when a part is missing or of another size. */
size_t load_model(struct loader *loader, struct forward_model *model);

#endif
