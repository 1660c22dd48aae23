/* Two ceilings of one core that `make bench-eval` needs: products of its kernel
 * for many tokens, all in the nearest cache, in 1e9 a second; and bytes read
 * from memory, in 1e9 a second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forward_int8.h"

enum { ROUNDS = 9, REPEAT = 20000, BYTES = 1 << 28 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double products(const struct kernels *kernels) {
  static uint8_t u[BAND_ROWS * SEGMENT];
  static int8_t q[BAND * SEGMENT];
  int32_t totals[BAND_ROWS * BAND];
  double begun = now();
  for (size_t i = 0; i < REPEAT; i++)
    int8_kernels_of(kernels)->band(u, SEGMENT, q, SEGMENT, totals);
  return (double)REPEAT * BAND_ROWS * BAND * SEGMENT / (now() - begun) / 1e9;
}

static double bytes_read(const uint8_t *at) {
  uint64_t sums[8] = {0};
  volatile uint64_t keep;
  double begun = now();
  for (size_t i = 0; i < BYTES; i += sizeof sums)
    for (size_t j = 0; j < 8; j++) {
      uint64_t word;
      memcpy(&word, at + i + 8 * j, sizeof word);
      sums[j] ^= word;
    }
  keep = sums[0] ^ sums[1] ^ sums[2] ^ sums[3] ^ sums[4] ^ sums[5] ^ sums[6] ^
         sums[7];
  (void)keep;
  return BYTES / (now() - begun) / 1e9;
}

int main(void) {
  uint8_t *memory = malloc(BYTES);
  const struct kernels *kernels = kernels_chosen();
  double most_products = 0, most_bytes = 0;
  if (memory == NULL || kernels == NULL) return 1;
  memset(memory, 1, BYTES);
  for (size_t i = 0; i < ROUNDS; i++) {
    double one = products(kernels), two = bytes_read(memory);
    most_products = one > most_products ? one : most_products;
    most_bytes = two > most_bytes ? two : most_bytes;
  }
  printf("%.2f %.2f\n", most_products, most_bytes);
  free(memory);
  return 0;
}
