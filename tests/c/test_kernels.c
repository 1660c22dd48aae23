/* The scalar kernels: conversions over all 16-bit patterns, packing over all
 * bytes, and the forward kernels against plain loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forward.h"
#include "forward_delta.h"
#include "forward_int8.h"
#include "kernels.h"

/* The value of an f16 pattern by its definition. */
static double f16_value(uint16_t half) {
  int exponent = half >> 10 & 31;
  double mantissa = half & 1023;
  double value = exponent == 0 ? ldexp(mantissa, -24)
                               : ldexp(mantissa + 1024, exponent - 25);
  return half >> 15 ? -value : value;
}

static int is_f16_special(uint16_t half) { return (half >> 10 & 31) == 31; }

static void f16_widens_every_pattern(void **state) {
  (void)state;
  for (uint32_t h = 0; h <= UINT16_MAX; h++) {
    float value = f16_to_f32((uint16_t)h);
    if (!is_f16_special((uint16_t)h)) {
      assert_true((double)value == f16_value((uint16_t)h));
      assert_int_equal(signbit(value) != 0, h >> 15);
    } else if ((h & 1023) == 0) {
      assert_true(isinf(value));
      assert_int_equal(signbit(value) != 0, h >> 15);
    } else {
      assert_true(isnan(value));
    }
  }
}

static void f16_round_trips_every_pattern(void **state) {
  (void)state;
  for (uint32_t h = 0; h <= UINT16_MAX; h++) {
    float value = f16_to_f32((uint16_t)h);
    if (isnan(value))
      assert_true(isnan(f16_to_f32(f32_to_f16(value))));
    else
      assert_int_equal(f32_to_f16(value), h);
  }
}

/* Between neighbours: below the middle rounds down, above it up, and the
 * middle itself goes to the even one. Subnormals are among them. */
static void f16_rounds_to_nearest_even(void **state) {
  (void)state;
  for (uint16_t h = 0; h < 0x7bff; h++) {
    float middle = (float)((f16_value(h) + f16_value((uint16_t)(h + 1))) / 2);
    assert_int_equal(f32_to_f16(middle), h + (h & 1));
    assert_int_equal(f32_to_f16(nextafterf(middle, 0)), h);
    assert_int_equal(f32_to_f16(nextafterf(middle, INFINITY)), h + 1);
    assert_int_equal(f32_to_f16(-middle), 0x8000 | (h + (h & 1)));
  }
  assert_int_equal(f32_to_f16(65519.996f), 0x7bff);
  assert_int_equal(f32_to_f16(65520.0f), 0x7c00);
  assert_int_equal(f32_to_f16(3e38f), 0x7c00);
  assert_int_equal(f32_to_f16(-INFINITY), 0xfc00);
  assert_int_equal(f32_to_f16(1e-45f), 0);
}

static void bf16_rounds_to_nearest_even(void **state) {
  (void)state;
  for (uint32_t h = 0; h <= UINT16_MAX; h++) {
    float value = bf16_to_f32((uint16_t)h);
    if (isnan(value)) {
      assert_true(isnan(bf16_to_f32(f32_to_bf16(value))));
      continue;
    }
    assert_int_equal(f32_to_bf16(value), h);
    if ((h & 0x7fff) >= 0x7f7f) continue;
    uint32_t bits = h << 16 | 0x8000;
    float middle;
    memcpy(&middle, &bits, sizeof middle);
    assert_int_equal(f32_to_bf16(middle), h + (h & 1));
  }
  assert_true(isinf(bf16_to_f32(f32_to_bf16(3.4e38f))));
}

/* A NaN whose payload lies in the dropped bits stays a NaN. */
static void narrow_keeps_nan(void **state) {
  (void)state;
  uint32_t bits = 0x7f800001;
  float nan;
  memcpy(&nan, &bits, sizeof nan);
  assert_true(isnan(f16_to_f32(f32_to_f16(nan))));
  assert_true(isnan(bf16_to_f32(f32_to_bf16(nan))));
}

static size_t decode(const struct row *row, const uint8_t *codes,
                     const uint16_t *scales, float *out) {
  int8_t scratch[512];
  return kernels_scalar.decode(row, codes, (const uint8_t *)scales, scratch,
                               (struct sink){FLOAT_F32, false, out});
}

/* All 243 combinations of five trits, through one byte. */
static void t5_holds_every_five_trits(void **state) {
  (void)state;
  const struct row row = {codec_find("t5"), 5, 5};
  const struct fit how = {.iterations = 8};
  for (int v = 0; v < 243; v++) {
    float w[5], back[5];
    int8_t scratch[5];
    uint8_t byte;
    uint16_t scale;
    for (int n = 4, rest = v; n >= 0; n--, rest /= 3)
      w[n] = (float)(rest % 3 - 1);
    assert_int_equal(
        kernels_scalar.encode(&row, &how, w, scratch, &byte, &scale, NULL), 5);
    if (v != 121) assert_int_equal(byte, (v * 256 + 242) / 243);
    assert_int_equal(decode(&row, &byte, &scale, back), 5);
    assert_memory_equal(w, back, sizeof w);
  }
}

/* Whatever the bytes, codes stay within the codec's range. */
static void decode_stays_in_range(void **state) {
  (void)state;
  const struct {
    const char *name;
    int low, high;
  } ranges[] = {{"b1", -1, 1}, {"t5", -1, 1}, {"t2", -1, 2}, {"q4", -8, 7}};
  const uint16_t one = 0x3c00;
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    const struct row row = {codec_find(ranges[i].name), 8, 8};
    for (int b = 0; b < 256; b++) {
      float values[8];
      uint8_t byte[8];
      memset(byte, b, sizeof byte);
      decode(&row, byte, &one, values);
      for (size_t j = 0; j < 8; j++)
        assert_true(values[j] >= (float)ranges[i].low &&
                    values[j] <= (float)ranges[i].high);
    }
  }
}

static uint64_t seed = 1;

static float random_float(void) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (float)(seed >> 40) / (float)(1 << 24) - 0.5f;
}

/* Encoding and decoding agree for every width, and touch only their bytes. */
static void packing_round_trips(void **state) {
  (void)state;
  const struct fit how = {.iterations = 8};
  for (size_t i = CODEC_B1; i < CODECS; i++)
    for (size_t cols = 1; cols <= 300; cols++) {
      const struct row row = {&codecs[i], cols, i == CODEC_Q4 ? 128 : cols};
      float w[300], back[301];
      uint8_t bytes[301];
      uint16_t scales[4];
      int8_t scratch[300];
      size_t size = codec_row_bytes(&codecs[i], cols);
      for (size_t j = 0; j < cols; j++)
        w[j] = random_float() < 0                    ? -1
               : i == CODEC_B1 || random_float() < 0 ? 1
                                                     : 0;
      w[0] = 1;
      if (cols > 128) w[128] = 1;
      if (cols > 256) w[256] = 1;
      memset(bytes, 0xaa, sizeof bytes);
      back[cols] = 77;
      kernels_scalar.encode(&row, &how, w, scratch, bytes, scales, NULL);
      assert_int_equal(bytes[size], 0xaa);
      decode(&row, bytes, scales, back);
      for (size_t j = 0; j < cols; j++)
        assert_true(fabsf(w[j] - back[j]) < 1e-3f);
      assert_true(back[cols] == 77);
    }
}

/* Q1_0's scale is the reference packer's: a sum in float, in order. */
static void q1_0_scales_as_the_reference_does(void **state) {
  (void)state;
  const struct row row = {codec_find("q1_0"), 128, 128};
  const struct fit how = {.reference = true};
  float w[128];
  uint8_t block[18];
  for (int round = 0; round < 20000; round++) {
    float sum = 0, size = round % 7 == 0 ? 1e-4f : 1;
    for (size_t i = 0; i < 128; i++) {
      w[i] = random_float() * size;
      sum += fabsf(w[i]);
    }
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
      kernels_available(i)->encode(&row, &how, w, NULL, block, NULL, NULL);
      assert_int_equal(half_at(block), f32_to_f16(sum / 128));
    }
  }
}

/* No scale near the fitted one does better with its own nearest codes. */
static void ternary_fit_is_a_local_optimum(void **state) {
  (void)state;
  const struct row row = {codec_find("t2"), 256, 256};
  const struct fit how = {.iterations = 100};
  float w[256], back[256];
  int8_t scratch[256];
  uint8_t bytes[64];
  uint16_t scale;
  for (int round = 0; round < 50; round++) {
    double least, sum;
    for (size_t i = 0; i < 256; i++)
      w[i] = random_float() + random_float() + random_float();
    kernels_scalar.encode(&row, &how, w, scratch, bytes, &scale, &least);
    decode(&row, bytes, &scale, back);
    for (double factor = 0.98; factor < 1.021; factor += 0.04) {
      sum = 0;
      for (size_t i = 0; i < 256; i++)
        sum += pow((double)w[i] - (double)back[i] * factor, 2);
      assert_true(sum >= least);
    }
  }
}

/* Sums in the order that forward.h states: chunks of 256, in order. */
static float plain_product(const float *x, const float *w, size_t depth) {
  float total = 0;
  for (size_t k = 0; k < depth; k += 256) {
    float sum = 0;
    for (size_t i = k; i < depth && i < k + 256; i++)
      sum += w[i] * x[i];
    total = k == 0 ? sum : total + sum;
  }
  return total;
}

static void fill(float *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    x[i] = random_float();
}

/* Every instance of the product gives the bits of the stated order. */
static void product_has_the_stated_order(void **state) {
  (void)state;
  enum { DEPTH = 300, OUTPUTS = 16, MOST_ROWS = 15 };
  static float x[MOST_ROWS * DEPTH], w[OUTPUTS * DEPTH];
  static float panel[DEPTH * PANEL], y[MOST_ROWS * PANEL];
  for (size_t depth = 1; depth <= DEPTH; depth += 23)
    for (size_t rows = 1; rows <= MOST_ROWS; rows++)
      for (size_t n = 1; n <= OUTPUTS; n += 5) {
        fill(x, rows * depth);
        fill(w, n * depth);
        fill(y, rows * PANEL);
        float beside = y[n < PANEL ? n : 0];
        panel_pack(w, depth, 1, n, depth, panel);
        panel_multiply(x, depth, rows, panel, depth, y, PANEL, n);
        if (n < PANEL) assert_true(y[n] == beside);
        for (size_t r = 0; r < rows; r++)
          for (size_t o = 0; o < n; o++)
            assert_true(y[r * PANEL + o] ==
                        plain_product(x + r * depth, w + o * depth, depth));
      }
}

/* The sum of u * q of token `t` of `tokens` that lie interleaved. */
static int32_t plain_total(const uint8_t *u, const int8_t *q, size_t columns,
                           size_t t, size_t tokens) {
  int32_t total = 0;
  for (size_t i = 0; i < columns; i++)
    total += u[i] * q[(i / 4 * tokens + t) * 4 + i % 4];
  return total;
}

/* Every instruction set gives exact sums, of the largest numbers too. */
static void integer_products_are_exact(void **state) {
  (void)state;
  enum { STRIDE = 320 };
  static uint8_t u[BAND_ROWS * STRIDE];
  static int8_t q[BAND * STRIDE];
  const struct kernels *kernels;
  for (size_t i = 0; (kernels = kernels_available(i)) != NULL; i++)
    for (size_t columns = SPAN; columns <= SEGMENT; columns += SPAN) {
      const struct int8_kernels *tested = int8_kernels_of(kernels);
      int32_t band[BAND_ROWS * BAND], token[TOKEN_ROWS];
      bool most = columns % 64 == 0;
      for (size_t j = 0; j < sizeof u; j++)
        u[j] = most ? 15 : (uint8_t)(j * 7 % 16);
      for (size_t j = 0; j < sizeof q; j++)
        q[j] = most ? (int8_t)(j % STRIDE ? -127 : 126)
                    : (int8_t)((int)(j * 31 % 255) - 127);
      tested->band(u, STRIDE, q, columns, band);
      tested->token(u, STRIDE, q, columns, token);
      for (size_t r = 0; r < BAND_ROWS; r++)
        for (size_t t = 0; t < BAND; t++)
          assert_int_equal(plain_total(u + r * STRIDE, q, columns, t, BAND),
                           band[r * BAND + t]);
      for (size_t r = 0; r < TOKEN_ROWS; r++)
        assert_int_equal(plain_total(u + r * STRIDE, q, columns, 0, 1),
                         token[r]);
    }
}

/* Rows that stay packed give what they give as bytes. */
static void packed_products_are_those_of_bytes(void **state) {
  (void)state;
  enum { COLUMNS = 192, STRIDE = COLUMNS / 2 + 3 };
  static uint8_t in[2 * TOKEN_ROWS * STRIDE], u[TOKEN_ROWS * COLUMNS];
  static int8_t q[COLUMNS];
  const struct kernels *kernels;
  for (size_t i = 0; i < sizeof in; i++)
    in[i] = (uint8_t)(i * 167 + i / 251);
  for (size_t i = 0; i < sizeof q; i++)
    q[i] = (int8_t)((int)(i * 89 % 255) - 127);
  for (size_t i = 0; (kernels = kernels_available(i)) != NULL; i++) {
    const struct int8_kernels *k = int8_kernels_of(kernels);
    int8_kernel *const packed[] = {k->packed_bits, k->packed_pairs,
                                   k->packed_nibbles};
    int8_unpacker *const unpack[] = {k->bits, k->pairs, k->nibbles};
    for (size_t c = 0; c < 3 && packed[c] != NULL; c++) {
      int32_t wanted[TOKEN_ROWS], got[TOKEN_ROWS];
      for (size_t r = 0; r < TOKEN_ROWS; r++)
        unpack[c](in + r * STRIDE, COLUMNS, u + r * COLUMNS);
      k->token(u, COLUMNS, q, COLUMNS, wanted);
      packed[c](in, STRIDE, q, COLUMNS, got);
      assert_memory_equal(wanted, got, sizeof got);
    }
  }
}

/* So does unpacking, whatever is left behind the last vector. */
static void codes_unpack_alike(void **state) {
  (void)state;
  enum { CODES = 150 };
  uint8_t in[CODES], wanted[CODES], got[CODES];
  const struct int8_kernels *plain = int8_kernels_of(&kernels_scalar);
  const struct kernels *kernels;
  for (size_t i = 0; i < CODES; i++)
    in[i] = (uint8_t)(i * 167 + 91);
  for (size_t i = 0; (kernels = kernels_available(i)) != NULL; i++)
    for (size_t n = 1; n <= CODES; n++) {
      const struct int8_kernels *tested = int8_kernels_of(kernels);
      plain->bits(in, n, wanted), tested->bits(in, n, got);
      assert_memory_equal(wanted, got, n);
      plain->pairs(in, n, wanted), tested->pairs(in, n, got);
      assert_memory_equal(wanted, got, n);
      plain->nibbles(in, n, wanted), tested->nibbles(in, n, got);
      assert_memory_equal(wanted, got, n);
    }
}

/* Gated DeltaNet in chunks agrees with the form that goes token by token. */
static void delta_chunks_agree_with_steps(void **state) {
  (void)state;
  enum { KEYS = 24, VALUES = 40, WIDTH = 2 * KEYS + VALUES, MOST = 200 };
  static float x[MOST * WIDTH], decay[MOST], beta[MOST], out[2][MOST * VALUES];
  static float states[2][KEYS * VALUES], panel[DELTA_CHUNK * PANEL];
  float *scratch = malloc(delta_scratch(KEYS, VALUES) * sizeof *scratch);
  const size_t lengths[] = {1, 2, 63, 64, 65, 128, MOST};
  assert_non_null(scratch);
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    fill(x, MOST * WIDTH);
    for (size_t t = 0; t < MOST; t++) {
      float *unit = x + t * WIDTH + KEYS, square = 0;
      for (size_t i = 0; i < KEYS; i++)
        square += unit[i] * unit[i];
      for (size_t i = 0; i < KEYS; i++)
        unit[i] /= sqrtf(square);
      decay[t] = t % 50 == 49 ? 0 : fabsf(random_float());
      beta[t] = fabsf(random_float());
    }
    struct delta_rule rule = {.n = lengths[l],
                              .key_dim = KEYS,
                              .value_dim = VALUES,
                              .q = x,
                              .k = x + KEYS,
                              .v = x + 2 * KEYS,
                              .stride = WIDTH,
                              .decay = decay,
                              .beta = beta,
                              .out = out[0],
                              .out_stride = VALUES,
                              .state = states[0]};
    delta_steps(&rule);
    rule.out = out[1], rule.state = states[1];
    delta_chunks(&rule, panel, scratch);
    float largest_out = 0;
    for (size_t i = 0; i < rule.n * VALUES; i++)
      largest_out = fmaxf(largest_out, fabsf(out[0][i]));
    for (size_t i = 0; i < rule.n * VALUES; i++)
      assert_true(fabsf(out[0][i] - out[1][i]) <= 1e-5f * largest_out);
    for (size_t i = 0; i < KEYS * VALUES; i++)
      assert_true(fabsf(states[0][i] - states[1][i]) <= 1e-5f * largest_out);
  }
  free(scratch);
}

static void exp_is_within_two_units(void **state) {
  (void)state;
  for (double at = -86.9; at < 0; at += 0.0173) {
    float x = (float)at;
    double relative = sum_exp(&x, 1, 0) / exp((double)x) - 1;
    assert_true(fabs(relative) < 2.5e-7);
  }
  float zero = 0;
  assert_true(sum_exp(&zero, 1, 0) == 1);
}

/* 1 / (1 + e^-x) and its likes, far out too; the tanh form of GELU. */
static void activations_are_right(void **state) {
  (void)state;
  const float at[] = {-200, -3, -0.5f, 0, 0.5f, 3, 200};
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    double x = (double)at[i], sigmoid = 1 / (1 + exp(-x));
    double inner = sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x);
    float one = 1, gate = at[i], y = at[i], z = at[i];
    sigmoid_multiply(&one, &gate, 1);
    silu(&y, 1);
    gelu_tanh(&z, 1);
    assert_true(fabs((double)one - sigmoid) < 1e-6);
    assert_true(fabs((double)y - x * sigmoid) < 2e-6 * (1 + fabs(x)));
    assert_true(fabs((double)z - x / 2 * (1 + tanh(inner))) <
                2e-6 * (1 + fabs(x)));
  }
}

static void layer_norm_takes_the_mean_off(void **state) {
  (void)state;
  const float x[] = {1, 2, 3, 6}, weight[] = {1, 2, 1, 1},
              bias[] = {0, 0, 0, 5};
  const struct norm norm = {.weight = weight, .bias = bias, .eps = 1e-12f};
  float y[4];
  layer_norm(x, 4, 1, 4, &norm, y, 4);
  double deviation = sqrt((4 + 1 + 0 + 9) / 4.0);
  const double expected[] = {-2 / deviation, -2 / deviation, 0,
                             3 / deviation + 5};
  for (size_t i = 0; i < 4; i++)
    assert_true(fabs((double)y[i] - expected[i]) < 1e-5);
}

static void softmax_sums_to_one_and_clears_the_rest(void **state) {
  (void)state;
  for (size_t n = 1; n < 40; n++) {
    float s[48];
    double sum = 0, exact = 0, first;
    fill(s, 48);
    first = exp(3.0 * (double)s[0]);
    for (size_t i = 0; i < n; i++)
      exact += exp(3.0 * (double)s[i]);
    softmax(s, n, 48, 3);
    for (size_t i = 0; i < n; i++)
      sum += (double)s[i];
    assert_true(fabs(sum - 1) < 1e-6);
    assert_true(fabs((double)s[0] - first / exact) < 1e-6);
    for (size_t i = n; i < 48; i++)
      assert_true(s[i] == 0);
  }
}

static void silu_is_right_far_out_too(void **state) {
  (void)state;
  float gate[] = {0, 1, -1, 200, -200};
  const float up[] = {5, 2, 2, 1, 1};
  silu_multiply(gate, up, 5);
  assert_true(gate[0] == 0);
  assert_true(fabs((double)gate[1] - 2 / (1 + exp(-1.0))) < 1e-6);
  assert_true(fabs((double)gate[2] + 2 / (1 + exp(1.0))) < 1e-6);
  assert_true(gate[3] == 200);
  assert_true(fabsf(gate[4]) < 1e-30f);
}

static void norms_and_rotations_keep_their_lengths(void **state) {
  (void)state;
  float x[12], y[12];
  const float ones[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  double squares = 0, turned = 0;
  fill(x, 12);
  const struct norm norm = {.weight = ones, .eps = 1e-12f};
  rms_norm(x, 12, 1, 12, &norm, y, 12);
  for (size_t i = 0; i < 12; i++)
    squares += (double)y[i] * (double)y[i];
  assert_true(fabs(squares - 12) < 1e-5);
  const float cosine[6] = {0.6f, 0.6f, 1, 0, -1, 0.8f};
  const float sine[6] = {0.8f, -0.8f, 0, 1, 0, 0.6f};
  rotate(y, 6, cosine, sine);
  for (size_t i = 0; i < 12; i++)
    turned += (double)y[i] * (double)y[i];
  assert_true(fabs(turned - 12) < 1e-5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f16_widens_every_pattern),
      cmocka_unit_test(f16_round_trips_every_pattern),
      cmocka_unit_test(f16_rounds_to_nearest_even),
      cmocka_unit_test(bf16_rounds_to_nearest_even),
      cmocka_unit_test(narrow_keeps_nan),
      cmocka_unit_test(t5_holds_every_five_trits),
      cmocka_unit_test(decode_stays_in_range),
      cmocka_unit_test(packing_round_trips),
      cmocka_unit_test(q1_0_scales_as_the_reference_does),
      cmocka_unit_test(ternary_fit_is_a_local_optimum),
      cmocka_unit_test(product_has_the_stated_order),
      cmocka_unit_test(integer_products_are_exact),
      cmocka_unit_test(codes_unpack_alike),
      cmocka_unit_test(packed_products_are_those_of_bytes),
      cmocka_unit_test(delta_chunks_agree_with_steps),
      cmocka_unit_test(exp_is_within_two_units),
      cmocka_unit_test(activations_are_right),
      cmocka_unit_test(layer_norm_takes_the_mean_off),
      cmocka_unit_test(softmax_sums_to_one_and_clears_the_rest),
      cmocka_unit_test(silu_is_right_far_out_too),
      cmocka_unit_test(norms_and_rotations_keep_their_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
