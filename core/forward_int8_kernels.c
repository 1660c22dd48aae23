/* The kernels of forward_int8.c. The plain one is the specification. */
#include <string.h>

#include "forward_int8.h"

/* Lanes meet as those of other sums do. */
static float meet(const float lane[LANES]) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
         ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static void plain_add(const struct int8_block *b, size_t r, size_t t,
                      size_t segment, float sum[LANES]) {
  size_t first = segment * b->segment, end = first + b->segment;
  int32_t lane[LANES] = {-b->bias * b->sums[t][segment]};
  if (end > b->cols) end = b->cols;
  for (size_t i = first; i < end; i++)
    lane[i % SPAN / 4] += b->u[r][i] * b->q[t][i];
  float scale = b->weights[r][segment] * b->scales[t][segment];
  for (size_t i = 0; i < LANES; i++)
    sum[i] += (float)lane[i] * scale;
}

static void plain_block(const struct int8_block *b, float out[ROWS][TOKENS]) {
  for (size_t r = 0; r < ROWS; r++)
    for (size_t t = 0; t < TOKENS; t++) {
      float sum[LANES] = {0};
      for (size_t s = 0; s * b->segment < b->cols; s++)
        plain_add(b, r, t, s, sum);
      out[r][t] = meet(sum);
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

#define TARGET  __attribute__((target("avx2")))
#define NAME(x) avx2_##x
/* Pairs fit 16 bits: at most 2 * 15 * 127. */
#define ADD_FOURS(sum, u, q)                                                   \
  _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(u, q),          \
                                          _mm256_set1_epi16(1)))
#include "forward_int8_block.h"

#define TARGET               __attribute__((target("avx512vl,avx512vnni,avx2")))
#define NAME(x)              vnni_##x
#define ADD_FOURS(sum, u, q) _mm256_dpbusd_epi32(sum, u, q)
#include "forward_int8_block.h"
#endif

int8_kernel int8_kernel_of(const struct kernels *kernels) {
#if defined(__x86_64__)
  if (kernels == &kernels_avx512) return vnni_block;
  if (kernels == &kernels_avx2) return avx2_block;
#endif
  (void)kernels;
  return plain_block;
}
