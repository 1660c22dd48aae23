/* core.archive: what archives are checked with, by libdeflate. */
#include <libdeflate.h>

#include "bind.h"

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

int luaopen_core_archive(lua_State *L) {
  static const luaL_Reg functions[] = {BIND(crc32), {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
