/* The state that scripts live in: memory is counted, capped and given back, and
 * running out of it at any allocation is an error, never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "host.h"

static char root[] = "/tmp/bittern-host-XXXXXX";

/* Lays `<root>/lua/boot.lua` with this text. */
static void write_boot(const char *text) {
  char path[sizeof root + 32];
  snprintf(path, sizeof path, "%s/lua", root);
  mkdir(path, 0700);
  snprintf(path, sizeof path, "%s/lua/boot.lua", root);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int run_boot(struct host_memory *memory, const char *text) {
  char *argv[] = {"bittern", "first", "second", NULL};
  write_boot(text);
  lua_State *L = host_new(memory);
  assert_non_null(L);
  int status = host_boot(L, root, "/bin/bittern", 3, argv);
  lua_close(L);
  return status;
}

static int make_root(void **state) {
  (void)state;
  return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
  (void)state;
  char path[sizeof root + 32];
  snprintf(path, sizeof path, "%s/lua/boot.lua", root);
  unlink(path);
  snprintf(path, sizeof path, "%s/lua", root);
  rmdir(path);
  return rmdir(root);
}

static void test_memory_is_given_back(void **state) {
  (void)state;
  struct host_memory memory = {0};
  assert_int_equal(run_boot(&memory, "T = {} for i = 1, 1e4 do T[i] = {} end "
                                     "return 0"),
                   0);
  assert_int_equal(memory.used, 0);
}

static void test_arguments_and_status(void **state) {
  (void)state;
  struct host_memory memory = {0};
  assert_int_equal(run_boot(&memory, "local root, exe, a, b, c = ... "
                                     "assert(exe == '/bin/bittern') "
                                     "assert(a == 'first' and b == 'second') "
                                     "assert(c == nil) return 7"),
                   7);
}

static void test_status_that_is_none(void **state) {
  (void)state;
  struct host_memory memory = {0};
  assert_int_equal(run_boot(&memory, "return 'seven'"), 1);
  assert_int_equal(run_boot(&memory, "return 256"), 1);
}

static void test_cap_is_an_error(void **state) {
  (void)state;
  struct host_memory memory = {.limit = 4 << 20};
  assert_int_equal(run_boot(&memory, "return #string.rep('x', 1 << 30)"), 14);
  assert_int_equal(memory.used, 0);
}

static void test_bytecode_is_refused(void **state) {
  (void)state;
  struct host_memory memory = {0};
  assert_int_equal(run_boot(&memory, "\033Lua"), 14);
}

/* Raises the cap until the state can be made: every allocation in between has
 * failed once. */
static void test_every_allocation_may_fail(void **state) {
  (void)state;
  lua_State *L = NULL;
  size_t cap = 512;
  for (; L == NULL && cap < (1 << 20); cap += 64) {
    struct host_memory memory = {.limit = cap};
    L = host_new(&memory);
    if (L != NULL) lua_close(L);
    assert_int_equal(memory.used, 0);
  }
  assert_non_null(L);
}

/* Entries that do not start with a slash would make `require` read the current
 * directory. */
static void test_search_paths_are_absolute(void **state) {
  (void)state;
  struct host_memory memory = {0};
  assert_int_equal(
      run_boot(&memory, "for _, p in ipairs { package.path, package.cpath } do "
                        "for entry in p:gmatch('[^;]+') do "
                        "if entry:sub(1, 1) ~= '/' then return 1 end end end "
                        "return 0"),
      0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_is_given_back),
      cmocka_unit_test(test_arguments_and_status),
      cmocka_unit_test(test_status_that_is_none),
      cmocka_unit_test(test_cap_is_an_error),
      cmocka_unit_test(test_bytecode_is_refused),
      cmocka_unit_test(test_every_allocation_may_fail),
      cmocka_unit_test(test_search_paths_are_absolute),
  };
  return cmocka_run_group_tests(tests, make_root, remove_root);
}
