/* Template, included once for each instruction set: four rows times two tokens
 * in vectors of 32 bytes. The includer defines TARGET (a function attribute),
 * NAME(x), and ADD_FOURS(sum, u, q), which adds four products to each lane. */

TARGET INLINE __m256i NAME(load)(const void *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}

/* One segment's products, of columns first .. end - 1. */
TARGET INLINE void NAME(segment)(const struct int8_block *b, size_t s,
                                 __m256 sum[ROWS][TOKENS]) {
  size_t first = s * b->segment, end = first + b->segment;
  __m256i lanes[ROWS][TOKENS];
  if (end > b->cols) end = b->cols;
  for (size_t t = 0; t < TOKENS; t++) {
    __m256i start =
        _mm256_zextsi128_si256(_mm_cvtsi32_si128(-b->bias * b->sums[t][s]));
    for (size_t r = 0; r < ROWS; r++)
      lanes[r][t] = start;
  }
  for (size_t i = first; i < end; i += SPAN) {
    __m256i q[TOKENS];
    for (size_t t = 0; t < TOKENS; t++)
      q[t] = NAME(load)(b->q[t] + i);
    for (size_t r = 0; r < ROWS; r++) {
      __m256i u = NAME(load)(b->u[r] + i);
      for (size_t t = 0; t < TOKENS; t++)
        lanes[r][t] = ADD_FOURS(lanes[r][t], u, q[t]);
    }
  }
  for (size_t r = 0; r < ROWS; r++)
    for (size_t t = 0; t < TOKENS; t++) {
      __m256 scale = _mm256_set1_ps(b->weights[r][s] * b->scales[t][s]);
      sum[r][t] = _mm256_add_ps(
          sum[r][t], _mm256_mul_ps(_mm256_cvtepi32_ps(lanes[r][t]), scale));
    }
}

TARGET static void NAME(block)(const struct int8_block *b,
                               float out[ROWS][TOKENS]) {
  __m256 sum[ROWS][TOKENS];
  for (size_t r = 0; r < ROWS; r++)
    for (size_t t = 0; t < TOKENS; t++)
      sum[r][t] = _mm256_setzero_ps();
  for (size_t s = 0; s * b->segment < b->cols; s++)
    NAME(segment)(b, s, sum);
  for (size_t r = 0; r < ROWS; r++)
    for (size_t t = 0; t < TOKENS; t++) {
      float lane[LANES];
      _mm256_storeu_ps(lane, sum[r][t]);
      out[r][t] = meet(lane);
    }
}

#undef TARGET
#undef NAME
#undef ADD_FOURS
