/* The row's part in fitting factors of columns: the closed-form scale of each
 * of its groups under the factors so far, and what the columns take from it.
 * With codes q and scales s, the best factor of a column is the sum over rows
 * of |w| s q / the sum of (s q)^2: the alternating row and column scales of
 * ARB-RC (ARB-LLM, arXiv 2410.03129), with signs and zeros fixed meanwhile. */
#ifndef BITTERN_KERNELS_COLUMNS_H
#define BITTERN_KERNELS_COLUMNS_H

#include "kernels_fit.h"

static size_t sum_columns(const struct row *row, const struct fit *how,
                          const float *w, float *x, float *products,
                          float *squares) {
  for (size_t i = 0; i < row->cols; i++)
    x[i] = w[i] * how->inverses[i];
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t n = group_at(row, first);
    struct group s = {x + first, how->weights + first, n};
    float scale = one_scale(row, how, &s);
    uint16_t rounded = f32_to_f16(scale);
    if (!half_is_finite(rounded)) return first;
    if (rounded == 0) continue;
    if (row->codec->id == CODEC_B1)
      plain_add_signed(w + first, n, scale, products + first, squares + first);
    else
      ADD_USED(w + first, s.x, n, scale, products + first, squares + first);
  }
  return row->cols;
}

#endif
