/* The kernels for avx512. */
#include "kernels.h"

#if defined(__x86_64__)
#define KERNELS  kernels_avx512
#define ISA_NAME "avx512"
#include "kernels_rows.h"
#endif
