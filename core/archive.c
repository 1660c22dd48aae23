/* core.archive: what archives are checked and packed with, by libdeflate. Whole
 * buffers only: what may be large is streamed by core.unpack. */
#include <libdeflate.h>

#include "bind.h"
#include "buffer.h"
#include "pool.h"

enum {
  STEP = 64 << 20, /* bytes between two looks at the interrupt flag */
  LEAST = 1 << 20, /* bytes that are worth a thread */
};

int luaopen_core_archive(lua_State *L);

/* ---- CRC-32 ---- */

/* a b of polynomials modulo the CRC's; bit 31 is the coefficient of 1. */
static uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = UINT32_C(1) << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b & 1) != 0 ? b >> 1 ^ UINT32_C(0xEDB88320) : b >> 1;
  }
  return product;
}

/* The CRC-32 of two pieces end to end, from that of each: the first's times
 * x^(8 size of the second), plus the second's. */
static uint32_t combine(uint32_t first, uint32_t second, size_t size) {
  uint32_t power = UINT32_C(1) << 23; /* x^8, then its squares */
  for (; size != 0; size >>= 1) {
    if ((size & 1) != 0) first = multiply(first, power);
    power = multiply(power, power);
  }
  return first ^ second;
}

struct pieces {
  struct bytes bytes;
  uint32_t crc[POOL_MOST]; /* of each thread's part */
};

static struct bytes part_of(struct bytes bytes, size_t index, size_t count) {
  size_t each = bytes.size / count, first = index * each;
  size_t size = index + 1 == count ? bytes.size - first : each;
  return (struct bytes){.data = bytes.data + first, .size = size};
}

static void sum_part(void *context, size_t index, size_t count) {
  struct pieces *pieces = context;
  struct bytes part = part_of(pieces->bytes, index, count);
  uint32_t crc = 0;
  while (part.size > 0 && !bind_interrupted()) {
    size_t step = part.size < STEP ? part.size : STEP;
    crc = libdeflate_crc32(crc, part.data, step);
    part.data += step;
    part.size -= step;
  }
  pieces->crc[index] = crc;
}

/* crc32(bytes [, previous = 0 [, threads = 1]]) -> integer | nil, message,
 * "interrupted". The CRC-32 of a stream is that of its pieces, each given the
 * one before. */
static int f_crc32(lua_State *L) {
  struct pieces pieces = {.bytes = bind_bytes(L, 1)};
  lua_Integer previous = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, previous >= 0 && previous <= UINT32_MAX, 2,
                "must lie in 0..2^32-1");
  lua_Integer threads = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, threads >= 1, 3, "must be at least 1");
  if (threads > POOL_MOST) threads = POOL_MOST;
  size_t most = pieces.bytes.size / LEAST + 1;
  size_t count = (size_t)threads < most ? (size_t)threads : most;
  pool_run(count, sum_part, &pieces);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  uint32_t crc = (uint32_t)previous;
  for (size_t i = 0; i < count; i++)
    crc = combine(crc, pieces.crc[i], part_of(pieces.bytes, i, count).size);
  lua_pushinteger(L, (lua_Integer)crc);
  return 1;
}

/* ---- deflate ---- */

/* inflate(bytes, size) -> u8 buffer of `size` bytes | nil, message,
 * "archive_damaged": a raw deflate stream that fills `bytes` exactly and gives
 * exactly that much. */
static int f_inflate(lua_State *L) {
  struct bytes bytes = bind_bytes(L, 1);
  struct buffer *out = buffer_push(L, DTYPE_U8, (size_t)bind_size(L, 2));
  struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
  if (inflater == NULL) return luaL_error(L, "not enough memory");
  size_t used = 0;
  enum libdeflate_result result = libdeflate_deflate_decompress_ex(
      inflater, bytes.data, bytes.size, out->data, out->count, &used, NULL);
  libdeflate_free_decompressor(inflater);
  if (result == LIBDEFLATE_SUCCESS && used == bytes.size) return 1;
  return bind_fail(L, "archive_damaged",
                   "%I bytes are no deflate stream of %I bytes",
                   (LUAI_UACINT)bytes.size, (LUAI_UACINT)out->count);
}

/* deflate(bytes [, level = 6]) -> string, a raw deflate stream. */
static int f_deflate(lua_State *L) {
  luaL_Buffer out;
  struct bytes bytes = bind_bytes(L, 1);
  int level = (int)luaL_optinteger(L, 2, 6);
  luaL_argcheck(L, level >= 1 && level <= 12, 2, "must lie in 1..12");
  size_t room = libdeflate_deflate_compress_bound(NULL, bytes.size);
  char *data = luaL_buffinitsize(L, &out, room);
  struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(level);
  if (deflater == NULL) return luaL_error(L, "not enough memory");
  size_t size =
      libdeflate_deflate_compress(deflater, bytes.data, bytes.size, data, room);
  libdeflate_free_compressor(deflater);
  luaL_pushresultsize(&out, size);
  return 1;
}

int luaopen_core_archive(lua_State *L) {
  static const luaL_Reg functions[] = {
      BIND(crc32), BIND(inflate), BIND(deflate), {NULL, NULL}};
  buffer_require(L);
  luaL_newlib(L, functions);
  return 1;
}
