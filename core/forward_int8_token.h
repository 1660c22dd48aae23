/* Template, included once for each instruction set: eight rows times one token
 * in vectors of 32 bytes. The includer defines TARGET (a function attribute),
 * NAME(x), and ADD_FOURS(sum, u, q), which adds four products to each lane. */

TARGET INLINE __m256i NAME(load)(const void *at) {
  return _mm256_loadu_si256((const __m256i *)at);
}

TARGET INLINE void NAME(store)(void *at, __m256i v) {
  _mm256_storeu_si256((__m256i *)at, v);
}

TARGET INLINE __m256i NAME(add_fours)(__m256i sum, __m256i u, __m256i q) {
  return ADD_FOURS(sum, u, q);
}

/* The sum of the lanes of each of eight vectors. */
TARGET INLINE __m256i NAME(totals)(const __m256i v[TOKEN_ROWS]) {
  __m256i low = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]),
                                  _mm256_hadd_epi32(v[2], v[3]));
  __m256i high = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]),
                                   _mm256_hadd_epi32(v[6], v[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
                          _mm256_permute2x128_si256(low, high, 0x31));
}

TARGET static void NAME(token)(const uint8_t *u, size_t stride, const int8_t *q,
                               size_t columns, int32_t *totals) {
  __m256i lanes[TOKEN_ROWS];
  UNROLLED for (size_t r = 0; r < TOKEN_ROWS; r++) lanes[r] =
      _mm256_setzero_si256();
  for (size_t i = 0; i < columns; i += SPAN) {
    __m256i x = NAME(load)(q + i);
    UNROLLED for (size_t r = 0; r < TOKEN_ROWS; r++) lanes[r] =
        NAME(add_fours)(lanes[r], NAME(load)(u + r * stride + i), x);
  }
  NAME(store)(totals, NAME(totals)(lanes));
}

#undef NAME
#undef ADD_FOURS
