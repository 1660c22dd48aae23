/* Kernels of the forward pass. Sums are made in a stated order, products are
 * not fused with them (-ffp-contract=off), and exp is our own: so the clones
 * for wider vectors give the same bits as the plain ones. */
#include <math.h>
#include <string.h>

#include "forward.h"
#include "forward_wide.h"

enum { LANES = 8 };

KERNEL void panel_pack(const float *w, size_t o_stride, size_t k_stride,
                       size_t n, size_t depth, float *panel) {
  if (n < PANEL) memset(panel, 0, depth * PANEL * sizeof *panel);
  for (size_t o = 0; o < n; o++)
    for (size_t k = 0; k < depth; k++)
      panel[k * PANEL + o] = w[o * o_stride + k * k_stride];
}

#define WIDTH 4
#define ROWS  2
#define TARGET
#define NAME(x) plain_##x
#include "forward_kernels_multiply.h"

#ifdef WIDE
#define WIDTH   8
#define ROWS    6
#define TARGET  __attribute__((target("avx2")))
#define NAME(x) avx2_##x
#include "forward_kernels_multiply.h"
#endif

typedef void (*chunk_kernel)(const float *x, size_t x_stride, size_t rows,
                             const float *panel, size_t depth, float *y,
                             size_t y_stride, size_t n, bool first);

static chunk_kernel best_chunk(void) {
#ifdef WIDE
  if (__builtin_cpu_supports("avx2")) return avx2_chunk;
#endif
  return plain_chunk;
}

void panel_multiply_chunk(const float *x, size_t x_stride, size_t rows,
                          const float *panel, size_t depth, float *y,
                          size_t y_stride, size_t n, bool first) {
  best_chunk()(x, x_stride, rows, panel, depth, y, y_stride, n, first);
}

void panel_multiply(const float *x, size_t x_stride, size_t rows,
                    const float *panel, size_t depth, float *y, size_t y_stride,
                    size_t n) {
  chunk_kernel chunk = best_chunk();
  for (size_t k = 0; k < depth; k += CHUNK) {
    size_t length = depth - k < CHUNK ? depth - k : CHUNK;
    chunk(x + k, x_stride, rows, panel + k * PANEL, length, y, y_stride, n,
          k == 0);
  }
}

static double meet(const double lane[LANES]) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
         ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* Element i is added to lane i mod 8, as everywhere. */
INLINE double sum_squares(const float *x, size_t n) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] += (double)x[i + j] * (double)x[i + j];
  for (size_t j = 0; i < n; i++, j++)
    lane[j] += (double)x[i] * (double)x[i];
  return meet(lane);
}

INLINE double sum_of(const float *x, size_t n) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] += (double)x[i + j];
  for (size_t j = 0; i < n; i++, j++)
    lane[j] += (double)x[i];
  return meet(lane);
}

KERNEL void rms_norm(const float *x, size_t stride, size_t rows, size_t n,
                     const struct norm *norm, float *y, size_t y_stride) {
  const float *weight = norm->weight;
  const float plus = norm->plus;
  for (size_t r = 0; r < rows; r++, x += stride, y += y_stride) {
    float mean = (float)(sum_squares(x, n) / (double)n);
    float factor = 1.0f / sqrtf(mean + norm->eps);
    for (size_t i = 0; i < n; i++)
      y[i] = x[i] * factor * (weight[i] + plus);
  }
}

KERNEL void layer_norm(const float *x, size_t stride, size_t rows, size_t n,
                       const struct norm *norm, float *y, size_t y_stride) {
  const float *weight = norm->weight, *bias = norm->bias;
  for (size_t r = 0; r < rows; r++, x += stride, y += y_stride) {
    float mean = (float)(sum_of(x, n) / (double)n);
    for (size_t i = 0; i < n; i++)
      y[i] = x[i] - mean;
    float variance = (float)(sum_squares(y, n) / (double)n);
    float factor = 1.0f / sqrtf(variance + norm->eps);
    for (size_t i = 0; i < n; i++)
      y[i] = y[i] * factor * weight[i] + bias[i];
  }
}

void rotate(float *x, size_t half, const float *cosine, const float *sine) {
  for (size_t i = 0; i < half; i++) {
    float a = x[i], b = x[i + half];
    x[i] = a * cosine[i] - b * sine[i];
    x[i + half] = b * cosine[i] + a * sine[i];
  }
}

void rotate_neighbours(float *x, size_t half, const float *cosine,
                       const float *sine) {
  for (size_t i = 0; i < half; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosine[i] - b * sine[i];
    x[2 * i + 1] = b * cosine[i] + a * sine[i];
  }
}

/* exp(x) = 2^n * exp(r), n the whole number nearest to x / ln 2, |r| <= 0.35;
 * ln 2 is taken off in two parts, the first exact in few bits. The polynomial
 * is that of the Cephes library: relative error below 2e-7. Adding 1.5 * 2^23
 * rounds, and leaves n in the low bits. x is held to -87..88; NaN stays. */
INLINE float exp_float(float x) {
  const float magic = 0x1.8p23f;
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504f + magic;
  float n = shifted - magic;
  float r = x - n * 0.693359375f - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  uint32_t bits;
  float power;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

INLINE float largest_of(const float *x, size_t n) {
  float lane[LANES];
  size_t i = 0;
  for (size_t j = 0; j < LANES; j++)
    lane[j] = x[0];
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
  for (size_t j = 0; i < n; i++, j++)
    lane[j] = x[i] > lane[j] ? x[i] : lane[j];
  for (size_t j = 1; j < LANES; j++)
    lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
  return lane[0];
}

KERNEL void softmax(float *s, size_t n, size_t total, float scale) {
  for (size_t i = 0; i < n; i++)
    s[i] *= scale;
  float top = largest_of(s, n);
  for (size_t i = 0; i < n; i++)
    s[i] = exp_float(s[i] - top);
  float inverse = (float)(1.0 / sum_of(s, n));
  for (size_t i = 0; i < n; i++)
    s[i] *= inverse;
  memset(s + n, 0, (total - n) * sizeof *s);
}

KERNEL void silu_multiply(float *gate, const float *up, size_t n) {
  for (size_t i = 0; i < n; i++)
    gate[i] = gate[i] / (1.0f + exp_float(-gate[i])) * up[i];
}

KERNEL void silu(float *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    x[i] = x[i] / (1.0f + exp_float(-x[i]));
}

KERNEL void sigmoid_multiply(float *x, const float *gate, size_t n) {
  for (size_t i = 0; i < n; i++)
    x[i] = x[i] / (1.0f + exp_float(-gate[i]));
}

/* 1 + tanh(u) = 2 / (1 + exp(-2 u)). */
KERNEL void gelu_tanh(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float u = 0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
    x[i] = x[i] / (1.0f + exp_float(-2.0f * u));
  }
}

KERNEL void add_to(float *x, const float *y, size_t n) {
  for (size_t i = 0; i < n; i++)
    x[i] += y[i];
}

KERNEL float largest(const float *x, size_t n) { return largest_of(x, n); }

KERNEL double sum_exp(const float *x, size_t n, float top) {
  double lane[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++)
      lane[j] += (double)exp_float(x[i + j] - top);
  for (size_t j = 0; i < n; i++, j++)
    lane[j] += (double)exp_float(x[i] - top);
  return meet(lane);
}
