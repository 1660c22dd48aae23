/* The table of codecs, which kernels can be had, and how activations are laid
 * out for them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1 << 20)
#endif
#endif

/* GGUF's block sizes, as ggml-common.h has them; layouts in kernels_plain.h. */
static_assert(2 + 32 == 34 && 2 + 32 / 2 == 18, "q8_0, q4_0");
static_assert(2 + 128 / 8 == 18 && 2 + 64 / 4 == 18, "q1_0, q2_0");
static_assert(48 + 4 + 2 == 54 && 48 * 5 + 4 * 4 == 256, "tq1_0");
static_assert(256 / 4 + 2 == 66, "tq2_0");

#define BLOCK(id, name, ggml, block, bytes, run, fitted)                       \
  {                                                                            \
    CODEC_##id, name, ggml, block, bytes, 8.0 * (bytes) / (block), 0, run,     \
        fitted                                                                 \
  }
#define OURS(id, name, bits, group)                                            \
  { CODEC_##id, name, -1, 0, 0, bits, group, 0, true }

const struct codec codecs[CODECS] = {
    BLOCK(F32, "f32", 0, 1, 4, 1, false),
    BLOCK(F16, "f16", 1, 1, 2, 1, false),
    BLOCK(BF16, "bf16", 30, 1, 2, 1, false),
    BLOCK(Q8_0, "q8_0", 8, 32, 34, 32, false),
    BLOCK(Q4_0, "q4_0", 2, 32, 18, 32, false),
    BLOCK(Q1_0, "q1_0", 41, 128, 18, 128, true),
    BLOCK(Q2_0, "q2_0", 42, 64, 18, 64, true),
    BLOCK(TQ1_0, "tq1_0", 34, 256, 54, 256, true),
    BLOCK(TQ2_0, "tq2_0", 35, 256, 66, 256, true),
    OURS(B1, "b1", 1.0, 0),
    OURS(T5, "t5", 1.6, 0),
    OURS(T2, "t2", 2.0, 0),
    OURS(Q4, "q4", 4.0, 128),
};

const struct codec *codec_find(const char *name) {
  for (size_t i = 0; i < CODECS; i++)
    if (strcmp(codecs[i].name, name) == 0) return &codecs[i];
  return NULL;
}

static size_t quotient_up(size_t a, size_t b) { return a / b + (a % b != 0); }

size_t codec_row_bytes(const struct codec *codec, size_t cols) {
  switch (codec->id) {
  case CODEC_B1:
    return quotient_up(cols, 8);
  case CODEC_T5:
    return quotient_up(cols, 5);
  case CODEC_T2:
    return quotient_up(cols, 4);
  case CODEC_Q4:
    return quotient_up(cols, 2);
  default:
    return cols / codec->block * codec->bytes;
  }
}

size_t row_run(const struct row *row) {
  if (row->codec->block != 0) return row->codec->run;
  return row->group < row->cols ? row->group : row->cols;
}

/* ---- weights of fits ---- */

static double weight_at(const float *importance, const float *columns,
                        size_t i) {
  double weight = importance ? (double)importance[i] : 1;
  return columns ? weight * (double)columns[i] * (double)columns[i] : weight;
}

void fit_weights(const struct row *row, const float *importance,
                 const float *columns, float *weights, float *inverses) {
  for (size_t first = 0; first < row->cols; first += row->group) {
    size_t left = row->cols - first;
    size_t end = first + (left < row->group ? left : row->group);
    double most = 0;
    for (size_t i = first; i < end; i++) {
      double weight = weight_at(importance, columns, i);
      most = weight > most ? weight : most;
    }
    for (size_t i = first; i < end; i++)
      weights[i] =
          most > 0 ? (float)(weight_at(importance, columns, i) / most) : 1;
  }
  for (size_t i = 0; i < row->cols; i++)
    inverses[i] = columns == NULL ? 1 : columns[i] != 0 ? 1 / columns[i] : 0;
}

/* ---- activations ----
 *
 * A byte of codes holds `planes` neighbouring columns. Shifting 32 bytes at
 * once brings out one column of each byte, so the activations are laid out in
 * chunks of 32 x planes columns:
 *
 *   plane 0: columns 0, planes, 2 planes ...      32 bytes
 *   plane 1: columns 1, planes + 1, ...           32 bytes
 *   ...
 *
 * Codecs that keep neighbouring columns in neighbouring bytes, and rows whose
 * groups end inside a chunk, have them in order. The end is padded with 0, and
 * by two planes more, for vectors that reach past t5's last trits. */
enum { PLANE = 32 };

size_t row_planes(const struct row *row) {
  static const uint8_t planes[CODECS] = {
      [CODEC_Q1_0] = 8, [CODEC_Q2_0] = 4, [CODEC_B1] = 8,
      [CODEC_T2] = 4,   [CODEC_Q4] = 2,
  };
  size_t n = planes[row->codec->id];
  bool whole = row->codec->block != 0 || row->group >= row->cols ||
               row->group % (PLANE * n + (n == 0)) == 0;
  return n > 0 && whole ? n : 1;
}

size_t activations_size(const struct row *row) {
  size_t chunk = PLANE * row_planes(row);
  chunk = chunk < 2 * PLANE ? 2 * PLANE : chunk;
  return quotient_up(row->cols, chunk) * chunk + 2 * PLANE;
}

static float largest_magnitude(const float *x, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t rest = float_bits(x[i]) & 0x7fffffffu;
    largest = rest > largest ? rest : largest;
  }
  return float_of(largest);
}

/* Adding 1.5 * 2^23 leaves no fraction bits: rounds to nearest even. */
static int8_t to_int8(float x) { return (int8_t)((x + 0x1.8p23f) - 0x1.8p23f); }

float activations_fill(const struct row *row, const float *x, int8_t *q,
                       int32_t *sums) {
  size_t planes = row_planes(row), chunk = PLANE * planes;
  size_t run = row_run(row);
  float largest = largest_magnitude(x, row->cols);
  float inverse = 127 / largest;
  if (!isfinite(inverse)) inverse = 0;
  memset(q, 0, activations_size(row));
  if (run > 0) memset(sums, 0, quotient_up(row->cols, run) * sizeof *sums);
  for (size_t first = 0, r = 0; first < row->cols; first += run, r++)
    for (size_t i = first; i < row->cols && i - first < run; i++) {
      int8_t code = to_int8(x[i] * inverse);
      size_t within = i % chunk;
      size_t at = within % planes * PLANE + within / planes;
      q[planes == 1 ? i : i - within + at] = code;
      sums[r] += code;
    }
  return inverse > 0 ? largest / 127 : 0;
}

/* ---- instruction sets ---- */

#if defined(__x86_64__)
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

const struct kernels *kernels_available(size_t index) {
  const struct kernels *list[4] = {&kernels_scalar};
  size_t count = 1;
#if defined(__x86_64__)
  if (has_avx2()) list[count++] = &kernels_avx2;
  if (has_avx512()) list[count++] = &kernels_avx512;
#elif defined(__aarch64__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) list[count++] = &kernels_neon;
#endif
  return index < count ? list[index] : NULL;
}

static const struct kernels *find_kernels(const char *name) {
  const struct kernels *found;
  for (size_t i = 0; (found = kernels_available(i)) != NULL; i++)
    if (strcmp(found->name, name) == 0) return found;
  return NULL;
}

const struct kernels *kernels_chosen(void) {
  const char *wanted = getenv("BITTERN_ISA");
  if (wanted != NULL && *wanted != '\0') return find_kernels(wanted);
  const struct kernels *best = NULL, *next;
  for (size_t i = 0; (next = kernels_available(i)) != NULL; i++)
    best = next;
  return best;
}
