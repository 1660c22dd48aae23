/* Four rows of codes times two tokens' activations: the kernels of
 * forward_int8.c, one for each instruction set. */
#ifndef BITTERN_FORWARD_INT8_H
#define BITTERN_FORWARD_INT8_H

#include "kernels.h"

enum { ROWS = 4, TOKENS = 2, SPAN = 32, LANES = 8 };

struct int8_block {
  const uint8_t *u[ROWS];     /* codes from 0 on, `cols` of each row */
  const float *weights[ROWS]; /* scale of each segment */
  const int8_t *q[TOKENS];
  const float *scales[TOKENS]; /* of each segment */
  const int32_t *sums[TOKENS]; /* of q, of each segment */
  size_t cols;                 /* a multiple of SPAN */
  size_t segment;              /* columns of one, a multiple of SPAN */
  int bias;                    /* value = u - bias */
};

typedef void (*int8_kernel)(const struct int8_block *block,
                            float out[ROWS][TOKENS]);

/* The kernel that goes with these. */
int8_kernel int8_kernel_of(const struct kernels *kernels);

#endif
