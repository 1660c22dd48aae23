/* core.fs where Lua runs out of memory: what a script cannot watch itself. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>

#include "host.h"

enum { FILE_SIZE = 8 << 20, CAP = 4 << 20, ROUNDS = 8 };

/* Bytes that C holds, small and large blocks. */
static size_t held(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void check_refused(lua_State *L, const char *path) {
  static const char code[] =
      "local ok, why = pcall(require 'core.fs'.read, ...)\n"
      "return ok and 'it was read' or why";
  assert_int_equal(luaL_loadstring(L, code), LUA_OK);
  lua_pushstring(L, path);
  assert_int_equal(lua_pcall(L, 1, 1, 0), LUA_OK);
  assert_string_equal(lua_tostring(L, -1), "not enough memory");
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
}

static void test_read_gives_back_what_it_took(void **state) {
  char path[] = "/tmp/bittern-fs-XXXXXX";
  struct host_memory memory = {.limit = CAP};
  int fd = mkstemp(path);
  lua_State *L = host_new(&memory);
  (void)state;
  assert_non_null(L);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
  check_refused(L, path); /* loads the module, too */
  size_t before = held();
  int next = dup(fd);
  close(next);
  for (int i = 0; i < ROUNDS; i++)
    check_refused(L, path);
  assert_true(held() < before + FILE_SIZE);
  assert_int_equal(dup(fd), next); /* no descriptor stayed open */
  lua_close(L);
  close(next);
  close(fd);
  unlink(path);
  assert_int_equal(memory.used, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_read_gives_back_what_it_took),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
