/* Sixteen-bit floats, one at a time: inline, since every kernel reads its
 * scales with them. Rounding is to nearest even; NaN stays NaN and is quiet;
 * what is too large becomes infinite. */
#ifndef BITTERN_KERNELS_HALF_H
#define BITTERN_KERNELS_HALF_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Processors that convert do so with the same results. */
#if defined(__F16C__)
#include <immintrin.h>
#endif

static_assert(sizeof(float) == 4, "float is IEEE binary32");

static inline uint32_t float_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* binary16:  s eeeee mmmmmmmmmm           bias 15
 * binary32:  s eeeeeeee mmmmmmmmmm 0*13   bias 127, so e grows by 112 */
static inline float f16_to_f32(uint16_t half) {
#if defined(__F16C__)
  return _cvtsh_ss(half);
#elif defined(__aarch64__) && !defined(PLAIN_HALVES)
  __fp16 value;
  memcpy(&value, &half, sizeof value);
  return (float)value;
#else
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  uint32_t rest = half & 0x7fffu;
  uint32_t normal = (rest << 13) + (112u << 23);
  uint32_t special = (rest << 13) | 0x7f800000u;
  uint32_t quiet = rest > 0x7c00u ? 0x00400000u : 0;
  uint32_t subnormal = float_bits((float)rest * 0x1p-24f);
  uint32_t bits = rest >= 0x7c00u ? special | quiet : normal;
  return float_of(sign | (rest < 0x0400u ? subnormal : bits));
#endif
}

/* Adding half an ulp less one, plus the last kept bit, rounds to even. Below
 * 2^-14 the f16 ulp is 2^-24, which is the ulp of floats in [0.5, 1). */
static inline uint16_t f32_to_f16(float value) {
#if defined(__F16C__)
  return (uint16_t)_cvtss_sh(value, 0);
#elif defined(__aarch64__) && !defined(PLAIN_HALVES)
  __fp16 rounded = (__fp16)value;
  uint16_t half;
  memcpy(&half, &rounded, sizeof half);
  return half;
#else
  uint32_t bits = float_bits(value);
  uint32_t rest = bits & 0x7fffffffu;
  uint32_t normal = ((rest + 0xfffu + ((rest >> 13) & 1)) >> 13) - (112u << 10);
  uint32_t subnormal = float_bits(float_of(rest) + 0.5f) - float_bits(0.5f);
  uint32_t nan = 0x7e00u | ((rest >> 13) & 0x3ffu);
  uint32_t half = rest < 0x38800000u ? subnormal : normal;
  half = rest >= 0x477ff000u ? 0x7c00u : half;
  half = rest > 0x7f800000u ? nan : half;
  return (uint16_t)((bits >> 16 & 0x8000u) | half);
#endif
}

/* bfloat16 is the upper half of a binary32. */
static inline float bf16_to_f32(uint16_t half) {
  return float_of((uint32_t)half << 16);
}

static inline uint16_t f32_to_bf16(float value) {
  uint32_t bits = float_bits(value);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  uint32_t nan = (bits >> 16) | 0x40u;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

/* The 16-bit pattern at any address, little-endian. */
static inline uint16_t half_at(const uint8_t *at) {
  uint16_t half;
  memcpy(&half, at, sizeof half);
  return half;
}

static inline void put_half(uint8_t *at, uint16_t half) {
  memcpy(at, &half, sizeof half);
}

/* An exponent of all ones is infinity or NaN. */
static inline int half_is_finite(uint16_t half) {
  return (half & 0x7c00u) != 0x7c00u;
}

#endif
