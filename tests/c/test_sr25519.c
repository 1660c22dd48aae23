/* What core.sr25519 does to its process, which no script can see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

int luaopen_core_sr25519(lua_State *L);

static void run(lua_State *L, const char *source) {
  if (luaL_dostring(L, source) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

static void a_process_with_a_secret_leaves_no_core(void **unused) {
  lua_State *L = luaL_newstate();
  (void)unused;
  assert_non_null(L);
  luaL_openlibs(L);
  luaL_requiref(L, "sr25519", luaopen_core_sr25519, 1);
  run(L, "sr25519.verify('', '', '')  sr25519.check_mnemonic('x')");
  assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
  run(L, "local key = sr25519.from_seed(('s'):rep(32))  key:close()");
  assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
  lua_close(L);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_process_with_a_secret_leaves_no_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
