/* Rows, made of the kernels that an instruction set's file has defined before
 * it includes this one; the plain ones stand in for those it has not. Ends
 * with the table `KERNELS`. */
#ifndef BITTERN_KERNELS_ROWS_H
#define BITTERN_KERNELS_ROWS_H

#include "kernels_plain.h"

#ifndef WIDEN
#define WIDEN  plain_widen
#define NARROW plain_narrow
#endif
#ifndef SCALE
#define SCALE plain_scale
#endif
#ifndef NOT_FINITE
#define NOT_FINITE    plain_not_finite
#define LARGEST       plain_largest
#define FIRST_LARGEST plain_first_largest
#define ROUND_CODES   plain_round_codes
#define TERNARY_CODES plain_ternary_codes
#define Q4_CODES      plain_q4_codes
#define Q4_ERROR      plain_q4_error
#define Q4_FILL_GRID  plain_q4_grid
#define Q4_SUMS       plain_q4_sums
#define Q4_0_CODES    plain_q4_0_codes
#endif
/* Codes, and the sum of their squared errors. */
#ifndef Q4_BOTH
#define Q4_BOTH(w, n, inverse, scale, codes)                                   \
  (Q4_CODES(w, n, inverse, codes), Q4_ERROR(w, n, inverse, scale))
#endif
#ifndef MAGNITUDES
#define MAGNITUDES plain_magnitudes
#define ABOVE      plain_above
#define ERROR      plain_error
#define SIGN_ERROR plain_sign_error
#define DOT        plain_dot
#endif
#ifndef PAIR_ABOVE
#define PAIR_MAGNITUDES pair_magnitudes
#define PAIR_VALUES     pair_values
#define PAIR_ABOVE      pair_above
#define PAIR_OVER       pair_over
#define PAIR_UNDER      pair_under
#define PAIR_Q4         pair_q4
#define ADD_USED        plain_add_used
#define LEVEL_CODES(s, levels, bases, codes)                                   \
  plain_level_codes(s, levels, bases, codes, 0)
#endif
#ifndef SIGNS
#define SIGNS(w, n, codes) plain_signs(w, 0, n, codes)
#define SIGNS_ERROR        plain_signs_error
#endif
#ifndef RUN_B1
#define RUN_B1(codes, n, scale, sink) plain_b1(codes, 0, n, scale, sink)
#define RUN_T2(codes, n, scale, sink) plain_t2(codes, 0, n, scale, sink)
#define RUN_Q4(codes, n, scale, sink) plain_q4(codes, 0, n, scale, sink)
#define RUN_TRITS(codes, n, p, scale, sink)                                    \
  plain_trits(codes, 0, n, p, scale, sink)
#define RUN_TQ1  plain_tq1
#define RUN_TQ2  plain_tq2
#define RUN_Q4_0 plain_q4_0
#define RUN_Q8_0 plain_q8_0
#endif

#include "kernels_columns.h"
#include "kernels_encode.h"

#include "kernels_decode.h"
#include "kernels_product.h"

const struct kernels KERNELS = {
    .name = ISA_NAME,
    .widen = WIDEN,
    .narrow = NARROW,
    .not_finite = NOT_FINITE,
    .encode = encode_row,
    .fit = fit_row,
    .norm = norm_of,
    .sum_columns = sum_columns,
    .decode = decode_row,
    .combine = combine_row,
    .dot = DOT,
    .dot_packed = dot_packed,
};

#endif
