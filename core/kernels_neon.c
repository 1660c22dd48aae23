/* The kernels for neon. */
#include "kernels.h"

#if defined(__aarch64__)
#define KERNELS  kernels_neon
#define ISA_NAME "neon"
#include "kernels_rows.h"
#endif
