/* The kernels in plain C: the specification of all others. */
#define PLAIN_HALVES
#define KERNELS  kernels_scalar
#define ISA_NAME "scalar"
#include "kernels_rows.h"
