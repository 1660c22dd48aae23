/* The interleaved rounds of sha256_lanes.h. One function body serves one, two
 * and three lanes; the compiler unrolls it for each. Three is where the unit is
 * busy: four need more registers than there are. */
#include "sha256_lanes.h"

#include <assert.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline)) TARGET

/* FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube
 * roots of the first 64 primes. */
static const uint32_t rounds[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The state as the instructions want it: a b e f and c d g h, the first named
 * in the highest 32 bits. */
struct words {
  __m128i abef;
  __m128i cdgh;
};

INLINE struct words load_state(const uint32_t state[8]) {
  __m128i abcd = _mm_loadu_si128((const __m128i *)state);
  __m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));
  abcd = _mm_shuffle_epi32(abcd, 0xB1);
  efgh = _mm_shuffle_epi32(efgh, 0x1B);
  return (struct words){_mm_alignr_epi8(abcd, efgh, 8),
                        _mm_blend_epi16(efgh, abcd, 0xF0)};
}

INLINE void store_state(struct words words, uint32_t state[8]) {
  __m128i feba = _mm_shuffle_epi32(words.abef, 0x1B);
  __m128i dchg = _mm_shuffle_epi32(words.cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

INLINE void load_block(const uint8_t *data, __m128i w[4]) {
  const __m128i swap =
      _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++)
    w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data + i), swap);
}

/* Four rounds, and the four words of the schedule that replace those used. */
INLINE void four_rounds(struct words *s, __m128i w[4], int i) {
  __m128i m = _mm_add_epi32(w[i & 3],
                            _mm_load_si128((const __m128i *)(rounds + 4 * i)));
  s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, m);
  m = _mm_shuffle_epi32(m, 0x0E);
  s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, m);
  if (i >= 12) return;
  __m128i next = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
  next =
      _mm_add_epi32(next, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
  w[i & 3] = _mm_sha256msg2_epu32(next, w[(i + 3) & 3]);
}

INLINE void interleave(struct lane *const *lanes, const uint8_t *const *data,
                       const int count, size_t blocks) {
  struct words now[LANES_MOST];
  __m128i w[LANES_MOST][4];
#pragma GCC unroll 3
  for (int j = 0; j < count; j++)
    now[j] = load_state(lanes[j]->state);
  for (size_t at = 0; at < blocks * LANE_BLOCK; at += LANE_BLOCK) {
    struct words before[LANES_MOST];
#pragma GCC unroll 3
    for (int j = 0; j < count; j++) {
      before[j] = now[j];
      load_block(data[j] + at, w[j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
#pragma GCC unroll 3
      for (int j = 0; j < count; j++)
        four_rounds(&now[j], w[j], i);
#pragma GCC unroll 3
    for (int j = 0; j < count; j++) {
      now[j].abef = _mm_add_epi32(now[j].abef, before[j].abef);
      now[j].cdgh = _mm_add_epi32(now[j].cdgh, before[j].cdgh);
    }
  }
#pragma GCC unroll 3
  for (int j = 0; j < count; j++)
    store_state(now[j], lanes[j]->state);
}

static TARGET void update(struct lane *const *lanes, const uint8_t *const *data,
                          int count, size_t blocks) {
  if (count == 1) interleave(lanes, data, 1, blocks);
  if (count == 2) interleave(lanes, data, 2, blocks);
  if (count == 3) interleave(lanes, data, 3, blocks);
}

bool lanes_here(void) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("sse4.1") &&
         __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

#else

bool lanes_here(void) { return false; }

static void update(struct lane *const *lanes, const uint8_t *const *data,
                   int count, size_t blocks) {
  (void)lanes;
  (void)data;
  (void)count;
  (void)blocks;
  assert(!"no SHA instructions");
}

#endif

void lane_begin(struct lane *lane) {
  /* FIPS 180-4, 5.3.3: square roots of the first eight primes. */
  static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                    0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19};
  memcpy(lane->state, first, sizeof first);
  lane->size = 0;
}

void lanes_update(struct lane *const *lanes, const uint8_t *const *data,
                  int count, size_t blocks) {
  assert(count >= 1 && count <= LANES_MOST);
  update(lanes, data, count, blocks);
  for (int j = 0; j < count; j++)
    lanes[j]->size += blocks * LANE_BLOCK;
}

/* Padding: the bit 1, zeros, then the length in bits, 8 bytes, big-endian. */
void lane_finish(struct lane *lane, const uint8_t *rest, size_t size,
                 uint8_t digest[LANE_DIGEST]) {
  uint8_t last[2 * LANE_BLOCK] = {0};
  size_t blocks = size < LANE_BLOCK - 8 ? 1 : 2;
  uint64_t bits = (lane->size + size) * 8;
  const uint8_t *data = last;
  assert(size < LANE_BLOCK);
  if (size > 0) memcpy(last, rest, size);
  last[size] = 0x80;
  for (int i = 0; i < 8; i++)
    last[blocks * LANE_BLOCK - 1 - (size_t)i] = (uint8_t)(bits >> 8 * i);
  lanes_update(&lane, &data, 1, blocks);
  for (int i = 0; i < LANE_DIGEST; i++)
    digest[i] = (uint8_t)(lane->state[i / 4] >> (24 - 8 * (i % 4)));
}
