/* The kernels for AVX2, with F16C and BMI2. */
#include "kernels.h"

#if defined(__x86_64__)
#include "kernels_avx2_product.h"
#include "kernels_avx2_sums.h"
#include "kernels_fit_vector.h"

#define WIDEN         widen
#define NARROW        narrow
#define MAGNITUDES    magnitudes
#define ABOVE         above
#define ERROR         code_error
#define SIGN_ERROR    sign_error
#define DOT           dot
#define NOT_FINITE    not_finite
#define LARGEST       largest
#define FIRST_LARGEST first_largest
#define ROUND_CODES   round_codes
#define TERNARY_CODES ternary_codes
#define Q4_CODES      q4_codes
#define Q4_ERROR      q4_error
#define Q4_FILL_GRID  q4_grid
#define Q4_SUMS       q4_sums
#define Q4_0_CODES    q4_0_codes_32
#define SIGNS_ERROR   signs_error
#define SIGNS         signs
#define RUN_B1        run_b1
#define RUN_T2        run_t2
#define RUN_Q4        run_q4
#define RUN_TRITS     run_trits
#define RUN_TQ1       run_tq1
#define RUN_TQ2       run_tq2
#define RUN_Q4_0      run_q4_0
#define RUN_Q8_0      run_q8_0
#define SUM_PLANES    sum_planes
#define SUM_SPANS     sum_spans
#define SUM_TRITS     sum_trits
#define SUM_TQ1       sum_tq1
#define SUM_T5        sum_t5
#define FIRST_PAIRED  first_paired
#define FIRST_BLOCKS  first_blocks
#define FIRST_Q4      first_q4
#define SUM_Q4_0      sum_q4_0
#define SUM_CODES     sum_codes

#define KERNELS  kernels_avx2
#define ISA_NAME "avx2"
#include "kernels_rows.h"
#endif
