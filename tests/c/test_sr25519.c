/* What core.sr25519 and core.keybox do to their process, which no script sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

int luaopen_core_keybox(lua_State *L);
int luaopen_core_sr25519(lua_State *L);

static void run(lua_State *L, const char *source) {
  if (luaL_dostring(L, source) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

/* In a process of its own: what is given up does not come back. Its exit code
 * is 0 when it gave up core files and being looked into, and not before. */
static int child(const char *before, const char *source) {
  struct rlimit core;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "sr25519", luaopen_core_sr25519, 1);
  luaL_requiref(L, "keybox", luaopen_core_keybox, 1);
  run(L, before);
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) return 1;
  run(L, source);
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) return 2;
  getrlimit(RLIMIT_CORE, &core);
  lua_close(L);
  return core.rlim_cur == 0 ? 0 : 3;
}

static void check(const char *before, const char *source) {
  int status = -1;
  pid_t pid = fork();
  if (pid == 0) _exit(child(before, source));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_process_with_a_key_leaves_no_core(void **unused) {
  (void)unused;
  check("sr25519.verify('', '', '')  sr25519.check_mnemonic('x')",
        "local key = sr25519.from_seed(('s'):rep(32))  key:close()");
}

static void a_process_with_a_secret_leaves_no_core(void **unused) {
  (void)unused;
  check("keybox.read('/no/such/file')", "keybox.read('/dev/null')");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_process_with_a_key_leaves_no_core),
      cmocka_unit_test(a_process_with_a_secret_leaves_no_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
