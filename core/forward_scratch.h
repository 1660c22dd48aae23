/* What a model's work on a document needs in memory. */
#ifndef BITTERN_FORWARD_SCRATCH_H
#define BITTERN_FORWARD_SCRATCH_H

#include "forward.h"

enum { QUERIES = 48 }; /* rows of attention scores held at once */

/* Numbers of a token in each array of the scratch, and of a thread. */
struct needs {
  size_t a, b, c, mixed;
  size_t deepest;  /* inputs of a linear layer */
  size_t columns;  /* of a matrix as it is stored */
  size_t tile;     /* bytes */
  size_t head_dim; /* of attention; 0 without */
  size_t delta;    /* of a head of Gated DeltaNet: its state, and a chunk's */
  bool eights;     /* whether activations in eight bits are needed */
};

struct needs needs_of(const struct forward_model *model);

/* Memory for `n` tokens; freed by free(memory). False without memory. */
bool scratch_open(struct scratch *s, const struct forward_model *model,
                  const struct needs *needs, size_t n, bool scoring);

/* Memory for one thread. */
bool own_open(struct own *own, const struct needs *needs,
              const struct scratch *s);

#endif
