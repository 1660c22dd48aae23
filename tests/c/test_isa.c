/* Every instruction set against the plain kernels, bit for bit: all codecs, row
 * lengths from 1 to 1025, groups, types, aligned and not. It needs nothing but
 * the kernels, so that it can be built for other processors and run by an
 * emulator; `quick` as its argument takes fewer lengths. It reports as cmocka
 * does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

enum { MOST_COLS = 2560, GUARD = 64 };

static const struct kernels *const plain = &kernels_scalar;
static const struct kernels *tested;
static const char *place = "";
static size_t step = 1;
static uint64_t seed = 7;

#define CHECK(condition, ...)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      printf("%s, %s:%d: %s: ", tested->name, __FILE__, __LINE__, place);      \
      printf(__VA_ARGS__);                                                     \
      printf("\n[  FAILED  ]\n");                                              \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static uint64_t random_word(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static void random_bytes(void *out, size_t size) {
  for (size_t i = 0; i < size; i++)
    ((uint8_t *)out)[i] = (uint8_t)(random_word() >> 24);
}

/* A finite scale, of either sign, now and then zero or subnormal. */
static uint16_t random_scale(void) {
  uint16_t half = (uint16_t)random_word();
  return half_is_finite(half) ? half : half & 0x83ff;
}

/* Weights of several kinds: normal, ternary, constant, tiny, with zeros of both
 * signs and halves to be rounded. */
static void random_weights(float *w, size_t n, size_t kind) {
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (int k = 0; k < 4; k++)
      sum += (double)(random_word() >> 40) / (1 << 24) - 0.5;
    int trit = (int)(random_word() >> 33) % 3 - 1;
    w[i] = (float)sum;
    if (kind == 1) w[i] = (float)trit * 0.75f;
    if (kind == 2) w[i] = trit < 0 ? -0.0f : 0.0f;
    if (kind == 3) w[i] = (float)sum * 1e-7f;
    if (kind == 4) w[i] = (float)(int)(sum * 20) / 2;
    if (kind == 5) w[i] = (float)sum * 300;
    if (kind == 6 && i % 9 > 0) w[i] = trit == 0 ? -0.0f : (float)trit;
  }
}

enum { KINDS = 7 };

static size_t width_of(enum float_type type) {
  return type == FLOAT_F32 ? 4 : 2;
}

static size_t group_of(const struct codec *codec, size_t cols, size_t choice) {
  static const size_t groups[] = {0, 128, 256, 64, 3, 40};
  if (codec->block != 0) return codec->run;
  if (codec->group != 0) return codec->group;
  size_t group = groups[choice % (sizeof groups / sizeof *groups)];
  return group == 0 ? cols : group;
}

static _Alignas(64) uint8_t codes[MOST_COLS * 4 + GUARD];
static uint8_t scales[MOST_COLS * 2 + GUARD];
static float x[MOST_COLS];

/* Random blocks, or codes and scales, of a row. */
static void random_row(const struct row *row) {
  const struct codec *codec = row->codec;
  random_bytes(codes, codec_row_bytes(codec, row->cols));
  for (size_t i = 0; i <= row->cols; i++)
    put_half(scales + 2 * i, random_scale());
  bool last = codec->id == CODEC_TQ1_0 || codec->id == CODEC_TQ2_0;
  if (codec->block > 1)
    for (size_t i = 0; i < row->cols / codec->block; i++)
      put_half(codes + i * codec->bytes + (last ? codec->bytes - 2 : 0),
               random_scale());
}

static void decode_alike(const struct row *row, enum float_type type,
                         size_t offset, bool stream) {
  static _Alignas(64) uint8_t wanted[MOST_COLS * 4 + 2 * GUARD];
  static _Alignas(64) uint8_t got[sizeof wanted];
  int8_t scratch[MOST_COLS];
  memset(wanted, 0x5a, sizeof wanted);
  memset(got, 0x5a, sizeof got);
  offset *= width_of(type);
  size_t a = plain->decode(row, codes, scales, scratch,
                           (struct sink){type, false, wanted + offset});
  size_t b = tested->decode(row, codes, scales, scratch,
                            (struct sink){type, stream, got + offset});
  CHECK(a == b, "%zu columns decoded, not %zu", b, a);
  for (size_t i = 0; i < sizeof wanted; i++)
    CHECK(wanted[i] == got[i], "cols %zu group %zu type %d byte %zu of output",
          row->cols, row->group, (int)type, i);
}

static void encode_alike(const struct row *row, const struct fit *how,
                         const float *w) {
  static uint8_t wanted[MOST_COLS * 4 + GUARD], got[MOST_COLS * 4 + GUARD];
  static uint16_t wanted_scales[MOST_COLS], got_scales[MOST_COLS];
  int8_t scratch[MOST_COLS];
  double error = -1, same = -2;
  memset(wanted, 0x5a, sizeof wanted);
  memset(got, 0x5a, sizeof got);
  memset(wanted_scales, 0x5a, sizeof wanted_scales);
  memset(got_scales, 0x5a, sizeof got_scales);
  size_t a = plain->encode(row, how, w, scratch, wanted, wanted_scales, &error);
  size_t b = tested->encode(row, how, w, scratch, got, got_scales, &same);
  CHECK(a == b, "%zu columns encoded, not %zu", b, a);
  if (a < row->cols) return;
  CHECK(memcmp(wanted_scales, got_scales, sizeof got_scales) == 0,
        "scales of cols %zu group %zu", row->cols, row->group);
  for (size_t i = 0; i < sizeof wanted; i++)
    CHECK(wanted[i] == got[i], "cols %zu group %zu byte %zu of codes",
          row->cols, row->group, i);
  CHECK(memcmp(&error, &same, sizeof same) == 0,
        "error %.17g, not %.17g of cols %zu group %zu", same, error, row->cols,
        row->group);
  b = tested->encode(row, how, w, scratch, got, got_scales, NULL);
  CHECK(a == b && memcmp(wanted, got, sizeof got) == 0, "without error");
  if (row->codec->block != 0) return;
  b = tested->encode(row, how, w, scratch, NULL, got_scales, &same);
  CHECK(a == b && memcmp(&error, &same, sizeof same) == 0, "without codes");
}

static float importance[MOST_COLS], columns[MOST_COLS];
static float fit_weight[MOST_COLS], inverses[MOST_COLS];

/* Bases, offsets, importance and factors of columns, some zero, in turns. */
static struct fit random_fit(const struct row *row, size_t round) {
  struct fit how = {.mean_abs = round % 7 == 0, .iterations = 3};
  bool ternary = row->codec->id == CODEC_T5 || row->codec->id == CODEC_T2;
  how.bases = row->codec->id == CODEC_Q4 ? 1 : 1 + round % 4;
  how.offsets = ternary && how.bases == 1;
  for (size_t i = 0; i < row->cols; i++) {
    importance[i] = (float)(random_word() >> 44) / 999;
    columns[i] = f16_to_f32(0x3800 | (random_word() & 0x7ff));
    if (random_word() % 9 == 0) importance[i] = 0;
    if (random_word() % 9 == 0) columns[i] = 0;
  }
  how.importance = round % 2 ? importance : NULL;
  how.columns = round % 3 ? columns : NULL;
  fit_weights(row, how.importance, how.columns, fit_weight, inverses);
  how.weights = fit_weight;
  how.inverses = inverses;
  return how;
}

struct fitted {
  uint8_t codes[BASES][MOST_COLS];
  uint16_t scales[BASES][MOST_COLS], offsets[MOST_COLS];
  double error;
  size_t done;
};

static void fit_into(const struct kernels *kernels, const struct row *row,
                     const struct fit *how, const float *w, bool keep,
                     struct fitted *out) {
  static _Alignas(64) uint8_t scratch[MOST_COLS * 16];
  struct parts parts = {.offsets = out->offsets};
  memset(out, 0x5a, sizeof *out);
  for (size_t b = 0; b < how->bases; b++) {
    parts.codes[b] = keep ? out->codes[b] : NULL;
    parts.scales[b] = out->scales[b];
  }
  out->done = kernels->fit(row, how, w, scratch, &parts, &out->error);
}

/* The error that a fit reports is that of what decoding makes of it. */
static void fit_is_honest(const struct row *row, const struct fit *how,
                          const float *w, const struct fitted *in) {
  static _Alignas(64) uint8_t scratch[MOST_COLS * 16];
  static float v[MOST_COLS];
  struct stored stored = {.bases = how->bases, .columns = how->columns};
  double sum = 0;
  for (size_t b = 0; b < how->bases; b++) {
    stored.codes[b] = in->codes[b];
    stored.scales[b] = (const uint8_t *)in->scales[b];
  }
  if (how->offsets) stored.offsets = (const uint8_t *)in->offsets;
  tested->combine(row, &stored, scratch, (struct sink){FLOAT_F32, false, v});
  for (size_t i = 0; i < row->cols; i++)
    sum += pow((double)w[i] - (double)v[i], 2) *
           (how->importance ? (double)how->importance[i] : 1);
  CHECK(fabs(sum - in->error) <= 1e-5 * sum + 1e-30,
        "error %.9g, not %.9g of cols %zu group %zu", in->error, sum, row->cols,
        row->group);
}

static void fit_alike(const struct row *row, const float *w, size_t round) {
  static struct fitted wanted, got;
  const struct fit how = random_fit(row, round);
  if (row->codec->block != 0) return;
  fit_into(plain, row, &how, w, true, &wanted);
  fit_into(tested, row, &how, w, true, &got);
  CHECK(wanted.done == row->cols && memcmp(&wanted, &got, sizeof got) == 0,
        "fit of cols %zu group %zu", row->cols, row->group);
  fit_is_honest(row, &how, w, &got);
  fit_into(tested, row, &how, w, false, &got);
  CHECK(memcmp(&wanted.error, &got.error, sizeof got.error) == 0,
        "fit without codes");
  double a = plain->norm(w, how.importance, row->cols);
  double b = tested->norm(w, how.importance, row->cols);
  CHECK(memcmp(&a, &b, sizeof a) == 0, "norm");
}

/* What rows give to the sums over columns, by binary and by ternary codes. */
static void columns_alike(const struct row *of, const float *w, size_t round) {
  static float room[MOST_COLS], sums[2][2][MOST_COLS];
  const struct codec *codec = codec_find(round % 2 ? "b1" : "t2");
  const struct row row = {codec, of->cols, of->group};
  const struct fit how = random_fit(&row, round);
  memset(sums, 0, sizeof sums);
  for (size_t i = 0; i < 2; i++)
    for (size_t pass = 0; pass < 2; pass++)
      (i ? tested : plain)
          ->sum_columns(&row, &how, w, room, sums[i][0], sums[i][1]);
  CHECK(memcmp(sums[0], sums[1], sizeof sums[0]) == 0,
        "columns of cols %zu group %zu", row.cols, row.group);
}

static void product_alike(const struct row *row) {
  static _Alignas(64) int8_t q[MOST_COLS * 2];
  static int32_t sums[MOST_COLS];
  int8_t scratch[MOST_COLS];
  if (row->codec->block == 1) return;
  float scale = activations_fill(row, x, q, sums);
  const struct activations a = {scale, q, sums};
  float wanted = plain->dot_packed(row, codes, scales, scratch, &a);
  float got = tested->dot_packed(row, codes, scales, scratch, &a);
  CHECK(float_bits(wanted) == float_bits(got) || (isnan(wanted) && isnan(got)),
        "product %.9g, not %.9g of cols %zu group %zu", (double)got,
        (double)wanted, row->cols, row->group);
}

/* The plain product against the sum over decoded values in double. */
static void product_is_right(const struct row *row) {
  static _Alignas(64) int8_t q[MOST_COLS * 2];
  static int32_t sums[MOST_COLS];
  static float w[MOST_COLS];
  int8_t scratch[MOST_COLS];
  if (row->codec->block == 1) return;
  double exact = 0, size = 0;
  float scale = activations_fill(row, x, q, sums);
  const struct activations a = {scale, q, sums};
  plain->decode(row, codes, scales, scratch,
                (struct sink){FLOAT_F32, false, w});
  for (size_t i = 0; i < row->cols; i++) {
    float inverse = scale > 0 ? 127 / (scale * 127) : 0;
    double value = rint((double)(x[i] * inverse)) * (double)scale;
    exact += (double)w[i] * value;
    size += fabs((double)w[i] * value) + fabs((double)w[i] * (double)scale);
  }
  double got = (double)plain->dot_packed(row, codes, scales, scratch, &a);
  CHECK(fabs(got - exact) <= 1e-5 * size + 1e-30,
        "plain product %.9g, not %.9g of cols %zu group %zu", got, exact,
        row->cols, row->group);
}

static void rows_of(const struct codec *codec) {
  static float w[MOST_COLS];
  size_t unit = codec->block > 1 ? codec->block : 1;
  size_t most = codec->block > 1 ? MOST_COLS : 1025;
  size_t round = 0;
  place = codec->name;
  for (size_t cols = unit; cols <= most; cols += unit > 1 ? unit : step) {
    struct row row = {codec, cols, group_of(codec, cols, round++)};
    random_row(&row);
    random_weights(x, cols, round % KINDS);
    for (int type = FLOAT_F32; type <= FLOAT_BF16; type++) {
      decode_alike(&row, (enum float_type)type, 0, false);
      decode_alike(&row, (enum float_type)type, 0, true);
      decode_alike(&row, (enum float_type)type, 1 + round % 7, true);
    }
    product_alike(&row);
    product_is_right(&row);
    for (size_t kind = 0; kind < KINDS; kind++) {
      const struct fit how = {.reference = kind % 2 == 0,
                              .mean_abs = kind == 3,
                              .iterations = kind % 3 == 0 ? 2 : 8};
      random_weights(w, cols, kind);
      encode_alike(&row, &how, w);
      fit_alike(&row, w, round + kind);
      if (codec->block == 0) columns_alike(&row, w, round + kind);
    }
  }
}

/* What cannot be encoded, and scales that are no numbers. */
static void refusals_of(const struct codec *codec) {
  float w[512];
  size_t cols = 512;
  struct row row = {codec, cols, group_of(codec, cols, 1)};
  const struct fit how = {.reference = true, .iterations = 8};
  random_weights(w, cols, 0);
  w[300] = -3e38f;
  encode_alike(&row, &how, w);
  for (size_t i = 0; i < cols; i += 37) {
    float kept = w[i];
    w[i] = i % 2 ? NAN : -INFINITY;
    CHECK(tested->not_finite(w, cols) == i, "not finite at %zu", i);
    CHECK(tested->not_finite(w, i) == i, "finite before %zu", i);
    w[i] = kept;
  }
  random_row(&row);
  put_half(scales + 2, 0x7e01);
  if (codec->block > 1)
    put_half(codes + codec->bytes * (512 / codec->block) - codec->bytes,
             0xfc00);
  int8_t scratch[512];
  float out[512];
  struct sink sink = {FLOAT_F32, false, out};
  CHECK(plain->decode(&row, codes, scales, scratch, sink) ==
            tested->decode(&row, codes, scales, scratch, sink),
        "a scale that is not finite");
}

/* All 16-bit patterns wide; floats around every rounding narrow. */
static void conversions(void) {
  static uint16_t halves[65536], back[2][65536];
  static float wide[2][65536], in[65536];
  place = "conversions";
  for (size_t i = 0; i < 65536; i++)
    halves[i] = (uint16_t)i;
  for (int t = FLOAT_F16; t <= FLOAT_BF16; t++) {
    enum float_type type = (enum float_type)t;
    plain->widen(type, halves, 65536, wide[0]);
    tested->widen(type, halves, 65536, wide[1]);
    CHECK(memcmp(wide[0], wide[1], sizeof wide[0]) == 0, "widening %d", t);
    for (size_t round = 0; round < 40; round++) {
      for (size_t i = 0; i < 65536; i++) {
        uint32_t low = round < 8
                           ? (uint32_t[]){0,      1,      0x7fff, 0x8000,
                                          0x8001, 0xffff, 0x1000, 0x1001}[round]
                           : (uint32_t)random_word() & 0xffff;
        in[i] = float_of((uint32_t)i << 16 | low);
      }
      plain->narrow(type, in, 65535, back[0]);
      tested->narrow(type, in, 65535, back[1]);
      CHECK(memcmp(back[0], back[1], sizeof back[0]) == 0, "narrowing %d", t);
    }
  }
}

static void dots(void) {
  static float a[1030], b[1030];
  place = "dot";
  for (size_t n = 0; n <= 1025; n += step) {
    random_weights(a, n, n % KINDS);
    random_weights(b, n, 0);
    float wanted = plain->dot(a, b, n), got = tested->dot(a, b, n);
    CHECK(float_bits(wanted) == float_bits(got), "%zu elements", n);
  }
}

int main(int argc, char **argv) {
  int tests = 0;
  if (argc > 1 && strcmp(argv[1], "quick") == 0) step = 13;
  for (size_t i = 0; (tested = kernels_available(i)) != NULL; i++) {
    printf("%s\n", tested->name);
    conversions();
    dots();
    for (size_t c = 0; c < CODECS; c++) {
      rows_of(&codecs[c]);
      refusals_of(&codecs[c]);
    }
    tests += 2 + 2 * CODECS;
  }
  printf("[  PASSED  ] %d test(s).\n", tests);
  return 0;
}
