/* Of one core, for `make bench-eval`: products of its kernel for many tokens,
 * all in the nearest cache, and bytes read from memory, both in 1e9 a second;
 * tokens a second of a head of Gated DeltaNet in chunks and one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forward_delta.h"
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

/* A head of Qwen3.6's, 512 tokens. */
static double delta_tokens(bool chunks) {
  enum { TOKENS = 512, DIM = 128 };
  static float x[TOKENS * 3 * DIM], gates[TOKENS], out[TOKENS * DIM];
  static float state[DIM * DIM], panel[DIM * PANEL];
  float *scratch = malloc(delta_scratch(DIM, DIM) * sizeof *scratch);
  if (scratch == NULL) exit(1);
  for (size_t i = 0; i < TOKENS * 3 * DIM; i++)
    x[i] = (float)(i * 7919 % 101) / 1000 - 0.05f;
  for (size_t t = 0; t < TOKENS; t++)
    gates[t] = 0.5f;
  struct delta_rule rule = {.n = TOKENS,
                            .key_dim = DIM,
                            .value_dim = DIM,
                            .q = x,
                            .k = x + DIM,
                            .v = x + 2 * DIM,
                            .stride = 3 * DIM,
                            .decay = gates,
                            .beta = gates,
                            .out = out,
                            .out_stride = DIM,
                            .state = state};
  double begun = now();
  for (size_t i = 0; i < 4; i++)
    chunks ? delta_chunks(&rule, panel, scratch) : delta_steps(&rule);
  double seconds = now() - begun;
  free(scratch);
  return 4 * TOKENS / seconds;
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
  printf("%.2f %.2f %.0f %.0f\n", most_products, most_bytes, delta_tokens(true),
         delta_tokens(false));
  free(memory);
  return 0;
}
