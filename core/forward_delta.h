/* The rule of Gated DeltaNet for one head, in two forms that give the same
 * numbers but for rounding (within 1e-5 of the largest): token by token, which
 * is the specification, and in chunks, which are products of matrices. */
#ifndef BITTERN_FORWARD_DELTA_H
#define BITTERN_FORWARD_DELTA_H

#include <stddef.h>

enum { DELTA_CHUNK = 64 }; /* tokens */

struct delta_rule {
  size_t n, key_dim, value_dim;
  const float *q, *k, *v; /* of each token, `stride` apart */
  size_t stride;
  const float *decay, *beta; /* [n] */
  float *out;                /* of each token, `out_stride` apart */
  size_t out_stride;
  float *state; /* [key_dim, value_dim]; 0 before the first token */
};

/* (forward_delta.c) */
void delta_steps(const struct delta_rule *rule);

/* Floats of `scratch` for delta_chunks; `panel` holds PANEL times the larger of
 * key_dim and DELTA_CHUNK. (forward_delta_chunks.c) */
size_t delta_scratch(size_t key_dim, size_t value_dim);
void delta_chunks(const struct delta_rule *rule, float *panel, float *scratch);

#endif
