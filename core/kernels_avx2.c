/* The kernels for avx2. */
#include "kernels.h"

#if defined(__x86_64__)
#define KERNELS  kernels_avx2
#define ISA_NAME "avx2"
#include "kernels_rows.h"
#endif
