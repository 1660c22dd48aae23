/* core.archive: what archives are checked and packed with, by libdeflate. Whole
 * buffers only: what may be large is streamed by core.unpack. */
#include <libdeflate.h>

#include "bind.h"
#include "buffer.h"

enum { STEP = 64 << 20 }; /* bytes between two looks at the interrupt flag */

int luaopen_core_archive(lua_State *L);

/* crc32(bytes [, previous = 0]) -> integer | nil, message, "interrupted".
 * The CRC-32 of a stream is that of its pieces, each given the one before. */
static int f_crc32(lua_State *L) {
  struct bytes bytes = bind_bytes(L, 1);
  lua_Integer previous = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, previous >= 0 && previous <= UINT32_MAX, 2,
                "must lie in 0..2^32-1");
  uint32_t crc = (uint32_t)previous;
  while (bytes.size > 0) {
    size_t step = bytes.size < STEP ? bytes.size : STEP;
    crc = libdeflate_crc32(crc, bytes.data, step);
    bytes.data += step;
    bytes.size -= step;
    if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  }
  lua_pushinteger(L, (lua_Integer)crc);
  return 1;
}

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
