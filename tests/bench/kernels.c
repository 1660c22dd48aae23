/* `make bench-kernels`: the kernels beside what the memory of the same machine
 * gave in the same run, on one thread and on all. 128 M weights go from memory
 * to memory; products are measured on weights that stay in the cache, and on
 * weights that do not. Medians; `--json` prints them as one object, `--rounds
 * N` sets how many, `--only TEXT` leaves out work without it in its name. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kernels.h"
#include "pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
  COLS = 5120,
  ROWS = 25600,
  PIECE = 1024,
  CACHED_COLS = 4096,
  CACHED = 192 << 10
};
enum { MOST_ROUNDS = 99, MOST_LINES = 128 };

static size_t rounds = 7;
static const char *only = "";

/* One thread is timed by the processor time it had, so that others on the
 * machine count less; several, by the clock. */
static double now(size_t threads) {
  struct timespec t;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *memory(size_t size) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    perror("mmap");
    _Exit(13);
  }
  madvise(at, size, MADV_HUGEPAGE);
  memset(at, 1, size); /* every page is there before the clock runs */
  return at;
}

/* ---- one measurement ---- */

/* The processors that this process may use. */
static cpu_set_t allowed;

struct job;
typedef void work_fn(const struct job *job, size_t first, size_t last);

struct job {
  work_fn *work;
  size_t rows;
  const struct kernels *kernels;
  struct row row;
  uint8_t *codes;
  uint8_t *scales;
  size_t groups;
  enum float_type type;
  float *w;        /* or 16-bit floats, by `type` */
  uint8_t *target; /* of decoding and of the ceilings */
  size_t stride;   /* bytes of a target row */
  size_t repeat;   /* passes of one measurement */
  bool reference;
  bool statistics; /* errors while encoding */
  bool sums;       /* of columns, not a fit */
  struct fit how;
  struct activations x;
  float *y;
};

/* Gives each thread a processor of its own: left alone, Linux may keep threads
 * that live for milliseconds on one, and they would share its rate. */
static void settle(size_t index, size_t count) {
  cpu_set_t one;
  if (count < 2) return;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed) && index-- == 0) CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
}

static void part(void *context, size_t index, size_t count) {
  const struct job *job = context;
  settle(index, count);
  for (size_t i = 0; i < job->repeat; i++)
    job->work(job, job->rows * index / count, job->rows * (index + 1) / count);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

struct timing {
  double median;
  double best;
};

/* Seconds of one pass. */
static struct timing measure(const struct job *job, size_t threads) {
  double seconds[MOST_ROUNDS];
  pool_run(threads, part, (void *)job);
  for (size_t i = 0; i < rounds; i++) {
    double start = now(threads);
    pool_run(threads, part, (void *)job);
    seconds[i] = (now(threads) - start) / (double)job->repeat;
  }
  sched_setaffinity(0, sizeof allowed, &allowed);
  qsort(seconds, rounds, sizeof *seconds, by_value);
  return (struct timing){seconds[rounds / 2], seconds[0]};
}

/* ---- ceilings ---- */

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void stream_bytes(uint8_t *at,
                                                         size_t size) {
  const __m256i value = _mm256_set1_epi8(3);
  for (size_t i = 0; i < size; i += 32)
    _mm256_stream_si256((__m256i *)(void *)(at + i), value);
  _mm_sfence();
}

__attribute__((target("avx2"))) static uint64_t read_bytes(const uint8_t *at,
                                                           size_t size) {
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  for (size_t i = 0; i < size; i += 128) {
    const __m256i *from = (const __m256i *)(const void *)(at + i);
    a = _mm256_xor_si256(a, _mm256_load_si256(from));
    b = _mm256_xor_si256(b, _mm256_load_si256(from + 1));
    c = _mm256_xor_si256(c, _mm256_load_si256(from + 2));
    d = _mm256_xor_si256(d, _mm256_load_si256(from + 3));
  }
  a = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
  return (uint64_t)_mm256_extract_epi64(a, 0);
}
#else
static void stream_bytes(uint8_t *at, size_t size) { memset(at, 3, size); }

static uint64_t read_bytes(const uint8_t *at, size_t size) {
  uint64_t sum = 0, word;
  for (size_t i = 0; i < size; i += sizeof word) {
    memcpy(&word, at + i, sizeof word);
    sum ^= word;
  }
  return sum;
}
#endif

static void ceiling_store(const struct job *job, size_t first, size_t last) {
  stream_bytes(job->target + first * job->stride, (last - first) * job->stride);
}

static void ceiling_read(const struct job *job, size_t first, size_t last) {
  volatile uint64_t keep = read_bytes(job->target + first * job->stride,
                                      (last - first) * job->stride);
  (void)keep;
}

static void ceiling_copy(const struct job *job, size_t first, size_t last) {
  memcpy(job->target + first * job->stride,
         (uint8_t *)job->w + first * job->stride, (last - first) * job->stride);
}

/* ---- kernels ---- */

static struct row row_of(const char *name, size_t cols) {
  const struct codec *codec = codec_find(name);
  return (struct row){codec, cols, codec->group ? codec->group : cols};
}

static void decode(const struct job *job, size_t first, size_t last) {
  int8_t scratch[COLS];
  size_t bytes = codec_row_bytes(job->row.codec, job->row.cols);
  for (size_t r = first; r < last; r++)
    job->kernels->decode(
        &job->row, job->codes + r * bytes, job->scales + 2 * r * job->groups,
        scratch, (struct sink){job->type, true, job->target + r * job->stride});
}

/* As core.quant does: blocks in pieces, our rows whole. */
static void encode(const struct job *job, size_t first, size_t last) {
  int8_t scratch[COLS];
  float tile[COLS];
  const struct fit how = {.reference = job->reference, .iterations = 5};
  const struct codec *codec = job->row.codec;
  size_t bytes = codec_row_bytes(codec, job->row.cols);
  struct row piece = job->row;
  if (codec->block > 0) piece.cols = PIECE;
  for (size_t r = first; r < last; r++)
    for (size_t c = 0; c < COLS; c += piece.cols) {
      const float *w = job->w + r * COLS + c;
      double error;
      if (job->type != FLOAT_F32) {
        job->kernels->widen(job->type, (uint8_t *)job->w + 2 * (r * COLS + c),
                            piece.cols, tile);
        w = tile;
      }
      size_t done = job->kernels->encode(
          &piece, &how, w, scratch,
          job->codes + r * bytes + codec_row_bytes(codec, c),
          (uint16_t *)(void *)(job->scales + 2 * r),
          job->statistics ? &error : NULL);
      if (done < piece.cols) abort();
    }
}

/* General fits, and sums for factors of columns, of bf16 as core.quant reads
 * it. */
static void fit(const struct job *job, size_t first, size_t last) {
  static _Thread_local _Alignas(64) uint8_t scratch[COLS * 16];
  static _Thread_local float tile[COLS], sums[2][COLS];
  static _Thread_local uint16_t scales[BASES][COLS];
  size_t bytes = codec_row_bytes(job->row.codec, COLS);
  for (size_t r = first; r < last; r++) {
    uint8_t *codes = job->codes + r * bytes;
    struct parts out = {{codes, codes, codes, codes}, {NULL}, NULL};
    double error;
    for (size_t b = 0; b < BASES; b++)
      out.scales[b] = scales[b];
    out.offsets = out.scales[BASES - 1];
    job->kernels->widen(FLOAT_BF16, (uint8_t *)job->w + 2 * r * COLS, COLS,
                        tile);
    size_t done = job->sums
                      ? job->kernels->sum_columns(&job->row, &job->how, tile,
                                                  (float *)(void *)scratch,
                                                  sums[0], sums[1])
                      : job->kernels->fit(&job->row, &job->how, tile, scratch,
                                          &out, &error);
    if (done < COLS) abort();
  }
}

/* Errors of b1 and q4 and the norm of each row: what ranks rows for rescue. */
static void rank(const struct job *job, size_t first, size_t last) {
  static const char *const names[] = {"b1", "q4"};
  int8_t scratch[COLS];
  uint16_t scales[COLS / 128];
  float tile[COLS];
  for (size_t r = first; r < last; r++)
    for (size_t k = 0; k < 2; k++) {
      const struct row row = row_of(names[k], COLS);
      double error;
      job->kernels->widen(FLOAT_BF16, (uint8_t *)job->w + 2 * r * COLS, COLS,
                          tile);
      volatile double norm = job->kernels->norm(tile, NULL, COLS);
      (void)norm;
      if (job->kernels->encode(&row, &job->how, tile, scratch, NULL, scales,
                               &error) < COLS)
        abort();
    }
}

static void product(const struct job *job, size_t first, size_t last) {
  int8_t scratch[COLS];
  size_t bytes = codec_row_bytes(job->row.codec, job->row.cols);
  for (size_t r = first; r < last; r++)
    job->y[r] = job->kernels->dot_packed(&job->row, job->codes + r * bytes,
                                         job->scales + 2 * r * job->groups,
                                         scratch, &job->x);
}

/* ---- the report ---- */

struct line {
  const char *work;
  const char *unit;
  const struct line *ceiling; /* NULL: none */
  double one, one_best, all, all_best;
};

static struct line lines[MOST_LINES];
static size_t line_count;

static double greater(double a, double b) { return a > b ? a : b; }

/* Times the job and keeps what is better than the line had. */
static void time_line(struct line *line, struct job *job, double amount,
                      size_t threads) {
  struct timing one = measure(job, 1);
  struct timing all = measure(job, threads);
  line->one = greater(line->one, amount / one.median / 1e9);
  line->one_best = greater(line->one_best, amount / one.best / 1e9);
  line->all = greater(line->all, amount / all.median / 1e9);
  line->all_best = greater(line->all_best, amount / all.best / 1e9);
}

/* Works on `amount` (bytes or weights) a pass. */
static struct line *add(const char *work, const char *unit, struct job *job,
                        double amount, size_t threads, size_t repeat) {
  static struct line left_out;
  if (strstr(work, only) == NULL && strncmp(work, "ceiling", 7) != 0)
    return &left_out;
  job->repeat = repeat;
  struct line *line = &lines[line_count++];
  *line = (struct line){.work = work, .unit = unit};
  time_line(line, job, amount, threads);
  return line;
}

static void fill_random(uint8_t *at, size_t size) {
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    memcpy(at + i, &state, 8);
  }
}

/* About Gaussian: the sum of the bytes of a random word. */
static void fill_weights(float *w, size_t count) {
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    int sum = 0;
    for (int b = 0; b < 64; b += 8)
      sum += (int)(state >> b & 255);
    w[i] = (float)(sum - 1020) * 1e-4f;
  }
}

/* Random codes; scales that are all 1/32. */
static void fill_codes(const struct codec *codec, uint8_t *codes, size_t size,
                       uint8_t *scales, size_t count) {
  fill_random(codes, size);
  bool last = codec->id == CODEC_TQ1_0 || codec->id == CODEC_TQ2_0;
  if (codec->block > 1)
    for (size_t at = 0; at + codec->bytes <= size; at += codec->bytes)
      put_half(codes + at + (last ? codec->bytes - 2 : 0), 0x2800);
  for (size_t i = 0; i < count; i++)
    put_half(scales + 2 * i, 0x2800);
}

struct world {
  const struct kernels *kernels;
  size_t threads;
  uint8_t *codes, *scales, *target;
  float *w;
  struct line *store, *read, *copy; /* NULL: not timed yet */
};

static char *label(const char *format, const char *a, const char *b) {
  char *text = malloc(64);
  if (text == NULL) abort();
  snprintf(text, 64, format, a, b);
  return text;
}

/* Called before and after the kernels, keeping the greater rate: what other
 * guests of the host leave of its memory changes within minutes, and a ceiling
 * of a bad one would be passed. */
static void ceilings(struct world *world) {
  static const struct {
    const char *name;
    work_fn *work;
  } all[] = {{"ceiling: NT store", ceiling_store},
             {"ceiling: read", ceiling_read},
             {"ceiling: copy", ceiling_copy}};
  struct line **lines_of[] = {&world->store, &world->read, &world->copy};
  double bytes = 4.0 * ROWS * COLS;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    struct job job = {.rows = ROWS,
                      .target = world->target,
                      .w = world->w,
                      .stride = COLS * 4,
                      .repeat = 1,
                      .work = all[i].work};
    struct line **line = lines_of[i];
    if (*line == NULL)
      *line = add(all[i].name, "GB/s", &job, bytes, world->threads, 1);
    else
      time_line(*line, &job, bytes, world->threads);
  }
}

static void bench_decode(struct world *world, const char *name,
                         enum float_type type) {
  static const char *const types[] = {"f32", "f16", "bf16"};
  struct job job = {.work = decode,
                    .rows = ROWS,
                    .kernels = world->kernels,
                    .row = row_of(name, COLS),
                    .codes = world->codes,
                    .scales = world->scales,
                    .type = type,
                    .target = world->target};
  size_t width = type == FLOAT_F32 ? 4 : 2;
  job.stride = COLS * width;
  job.groups = job.row.codec->block ? 0 : COLS / job.row.group;
  fill_codes(job.row.codec, world->codes,
             ROWS * codec_row_bytes(job.row.codec, COLS), world->scales,
             ROWS * job.groups);
  struct line *line =
      add(label("decode %s -> %s", name, types[type]), "GB/s out", &job,
          (double)width * ROWS * COLS, world->threads, 1);
  line->ceiling = world->store;
}

static void bench_encode(struct world *world, const char *name,
                         enum float_type type, bool reference) {
  struct job job = {.work = encode,
                    .rows = ROWS,
                    .kernels = world->kernels,
                    .row = row_of(name, COLS),
                    .codes = world->codes,
                    .scales = world->scales,
                    .type = type,
                    .w = world->w,
                    .reference = reference,
                    .statistics = !reference || strcmp(name, "q1_0") == 0};
  size_t width = type == FLOAT_F32 ? 4 : 2;
  const char *from =
      type == FLOAT_F32 ? "encode f32 -> %s%s" : "encode bf16 -> %s%s";
  struct line *line =
      add(label(from, name, reference ? " (reference)" : ""), "GB/s in", &job,
          (double)width * ROWS * COLS, world->threads, 1);
  line->ceiling = world->read;
}

static void bench_fit(struct world *world, const char *label, const char *name,
                      size_t group, struct fit how, bool sums) {
  static float weights[COLS], inverses[COLS];
  struct job job = {.work = fit,
                    .rows = ROWS,
                    .kernels = world->kernels,
                    .row = {codec_find(name), COLS, group},
                    .codes = world->codes,
                    .type = FLOAT_BF16,
                    .w = world->w,
                    .sums = sums,
                    .how = how};
  job.how.iterations = sums ? 3 : 5;
  job.how.weights = weights;
  job.how.inverses = inverses;
  fit_weights(&job.row, how.importance, how.columns, weights, inverses);
  struct line *line =
      add(label, "GB/s in", &job, 2.0 * ROWS * COLS, world->threads, 1);
  line->ceiling = world->read;
}

static void bench_fits(struct world *world) {
  static float numbers[COLS];
  for (size_t i = 0; i < COLS; i++)
    numbers[i] = 0.5f + (float)(i % 100) / 100;
  const struct fit one = {.bases = 1}, two = {.bases = 2}, four = {.bases = 4};
  const struct fit important = {.bases = 1, .importance = numbers};
  const struct fit columns = {.bases = 1, .columns = numbers};
  const struct fit offsets = {.bases = 1, .offsets = true};
  struct job job = {
      .work = rank, .rows = ROWS, .kernels = world->kernels, .w = world->w};
  add("errors and norms bf16: b1 and q4", "GB/s in", &job, 2.0 * ROWS * COLS,
      world->threads, 1)
      ->ceiling = world->read;
  bench_fit(world, "fit bf16 -> b1, importance", "b1", COLS, important, false);
  bench_fit(world, "fit bf16 -> t2, importance", "t2", COLS, important, false);
  bench_fit(world, "fit bf16 -> q4, importance", "q4", 128, important, false);
  bench_fit(world, "fit bf16 -> b1, 2 bases", "b1", COLS, two, false);
  bench_fit(world, "fit bf16 -> b1, 4 bases", "b1", COLS, four, false);
  bench_fit(world, "fit bf16 -> t2, 2 bases", "t2", COLS, two, false);
  bench_fit(world, "fit bf16 -> t2, offsets", "t2", COLS, offsets, false);
  bench_fit(world, "fit bf16 -> b1, column factors", "b1", COLS, columns,
            false);
  bench_fit(world, "fit bf16 -> t2, column factors", "t2", COLS, columns,
            false);
  bench_fit(world, "column factors bf16, b1, a round", "b1", COLS, one, true);
  bench_fit(world, "column factors bf16, t2, a round", "t2", COLS, one, true);
}

static void bench_product(struct world *world, const char *name, bool cached) {
  size_t cols = cached ? CACHED_COLS : COLS;
  struct job job = {.work = product,
                    .kernels = world->kernels,
                    .row = row_of(name, cols),
                    .codes = world->codes,
                    .scales = world->scales};
  size_t bytes = codec_row_bytes(job.row.codec, cols);
  job.groups =
      job.row.codec->block ? 0 : (cols + job.row.group - 1) / job.row.group;
  job.rows = cached ? CACHED / bytes : ROWS;
  job.y = malloc(job.rows * sizeof *job.y);
  int8_t *q = malloc(activations_size(&job.row) + 64);
  int32_t *sums = malloc((cols + 1) * sizeof *sums);
  if (job.y == NULL || q == NULL || sums == NULL) abort();
  int8_t *aligned = q + (64 - (uintptr_t)q % 64) % 64;
  job.x = (struct activations){
      activations_fill(&job.row, world->w, aligned, sums), aligned, sums};
  fill_codes(job.row.codec, world->codes, job.rows * bytes, world->scales,
             job.rows * job.groups);
  size_t repeat = cached ? 200000000 / (job.rows * cols) : 1;
  add(label("dot int8 %s, %s", name, cached ? "in cache" : "from memory"),
      "Gweights/s", &job, (double)(job.rows * cols), world->threads, repeat);
  free(job.y);
  free(q);
  free(sums);
}

static void print_machine(void) {
  char text[256] = "unknown";
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file && fgets(text, sizeof text, file))
    if (strncmp(text, "model name", 10) == 0) break;
  if (file) fclose(file);
  text[strcspn(text, "\n")] = '\0';
  const char *colon = strchr(text, ':');
  printf("%s", colon ? colon + 2 : text);
}

static void print_table(const struct world *world) {
  print_machine();
  printf(", %ld processors, kernels %s, %zu threads, medians of %zu\n\n",
         sysconf(_SC_NPROCESSORS_ONLN), world->kernels->name, world->threads,
         rounds);
  printf("| work | unit | 1 thread | best | all threads | best | beside | 1 "
         "thread | all |\n"
         "| --- | --- | --: | --: | --: | --: | --- | --: | --: |\n");
  for (size_t i = 0; i < line_count; i++) {
    const struct line *l = &lines[i];
    printf("| %s | %s | %.1f | %.1f | %.1f | %.1f | ", l->work, l->unit, l->one,
           l->one_best, l->all, l->all_best);
    if (l->ceiling)
      printf("%s | %.0f %% | %.0f %% |\n", l->ceiling->work + 9,
             100 * l->one / l->ceiling->one, 100 * l->all / l->ceiling->all);
    else
      printf("| | |\n");
  }
}

static void print_json(const struct world *world) {
  printf("{\"isa\":\"%s\",\"machine\":\"", world->kernels->name);
  print_machine();
  printf("\",\"rounds\":%zu,\"threads\":%zu,\"lines\":[", rounds,
         world->threads);
  for (size_t i = 0; i < line_count; i++) {
    const struct line *l = &lines[i];
    printf("%s{\"work\":\"%s\",\"unit\":\"%s\",\"one\":%.3f,\"one_best\":%.3f",
           i > 0 ? "," : "", l->work, l->unit, l->one, l->one_best);
    printf(",\"all\":%.3f,\"all_best\":%.3f", l->all, l->all_best);
    if (l->ceiling)
      printf(",\"ceiling\":\"%s\",\"ratio_one\":%.3f,\"ratio_all\":%.3f",
             l->ceiling->work + 9, l->one / l->ceiling->one,
             l->all / l->ceiling->all);
    printf("}");
  }
  printf("]}\n");
}

static void bench_all(struct world *world) {
  static const char *const packed[] = {"q8_0",  "q4_0", "q1_0", "q2_0", "tq1_0",
                                       "tq2_0", "b1",   "t5",   "t2",   "q4"};
  size_t count = sizeof packed / sizeof *packed;
  ceilings(world);
  for (size_t i = 0; i < count; i++)
    for (int type = FLOAT_F32; type <= FLOAT_BF16; type++)
      bench_decode(world, packed[i], (enum float_type)type);
  for (size_t i = 0; i < count; i++)
    bench_product(world, packed[i], true);
  for (size_t i = 0; i < count; i++)
    bench_product(world, packed[i], false);
  fill_weights(world->w, (size_t)ROWS * COLS);
  bench_encode(world, "q1_0", FLOAT_F32, true);
  bench_encode(world, "b1", FLOAT_F32, false);
  bench_encode(world, "t2", FLOAT_F32, false);
  bench_encode(world, "t5", FLOAT_F32, false);
  bench_encode(world, "tq2_0", FLOAT_F32, false);
  bench_encode(world, "q2_0", FLOAT_F32, true);
  bench_encode(world, "tq1_0", FLOAT_F32, true);
  bench_encode(world, "tq2_0", FLOAT_F32, true);
  bench_encode(world, "q4_0", FLOAT_F32, true);
  bench_encode(world, "q8_0", FLOAT_F32, true);
  bench_encode(world, "q4", FLOAT_F32, false);
  uint16_t *halves = (uint16_t *)(void *)world->w;
  for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
    halves[i] = f32_to_bf16(world->w[i]);
  bench_encode(world, "q1_0", FLOAT_BF16, true);
  bench_encode(world, "b1", FLOAT_BF16, false);
  bench_encode(world, "t2", FLOAT_BF16, false);
  bench_encode(world, "q4", FLOAT_BF16, false);
  bench_fits(world);
  ceilings(world);
}

int main(int argc, char **argv) {
  bool json = false;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--json") == 0) json = true;
    if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
    if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      rounds = (size_t)strtoul(argv[++i], NULL, 10);
  }
  rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
  size_t weights = (size_t)ROWS * COLS;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int processors = CPU_COUNT(&allowed);
  struct world world = {.kernels = kernels_chosen(),
                        .threads = processors > 1 ? (size_t)processors : 1};
  if (world.kernels == NULL) {
    fprintf(stderr, "BITTERN_ISA: this processor has no '%s'\n",
            getenv("BITTERN_ISA"));
    return 3;
  }
  world.codes = memory(weights * 2);
  world.scales = memory(weights / 32);
  world.target = memory(weights * sizeof(float));
  world.w = memory(weights * sizeof(float));
  bench_all(&world);
  if (json)
    print_json(&world);
  else
    print_table(&world);
  return 0;
}
