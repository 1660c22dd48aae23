/* Every function of string, table and utf8 looks at the clock of core.limit
 * first; those whose cost is not that of reading their arguments once have a
 * guard, which raises before they begin. */
#include "sandbox_bounds.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "limit.h"

/* Items of one call, and single steps of one search (about a second). */
enum { ITEMS_MAX = 1 << 20 };
static const double STEPS_MAX = 1e9;

/* --- patterns --------------------------------------------------------------
 */

/* Past a set, as lstrlib.c's classEnd goes: its first character may be ']'. */
static const char *skip_set(const char *at, const char *end) {
  if (at < end && *at == '^') at++;
  do {
    if (at < end && *at++ == '%' && at < end) at++;
  } while (at < end && *at != ']');
  return at < end ? at + 1 : end;
}

/* How much longer a match may take for what follows a '%'. */
static double escape_cost(const char **at, const char *end, double length) {
  if (*at == end) return 1;
  char kind = *(*at)++;
  if (kind == 'b') *at = end - *at > 2 ? *at + 2 : end;
  bool walks = kind == 'b' || (kind >= '0' && kind <= '9');
  return walks ? length : 1;
}

/* The most steps that a search may take: each repetition may try every length,
 * each '?' both ways, and all that from every place of the subject. */
static double search_steps(const char *pattern, size_t size, double length) {
  const char *at = pattern, *end = pattern + size;
  double steps = length * (double)(size + 1);
  while (at < end) {
    char c = *at++;
    if (c == '%') steps *= escape_cost(&at, end, length);
    if (c == '[') at = skip_set(at, end);
    if (c == '*' || c == '+' || c == '-') steps *= length;
    if (c == '?') steps *= 2;
  }
  return steps;
}

static void guard_pattern(lua_State *L) {
  size_t length, size;
  luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &size);
  double steps = search_steps(pattern, size, (double)length + 1);
  if (steps > STEPS_MAX)
    luaL_error(L, "the pattern may take too long on %d bytes", (int)length);
}

/* A plain search walks through the subject once for each byte at most. */
static void guard_find(lua_State *L) {
  size_t length, size;
  if (!lua_toboolean(L, 4)) {
    guard_pattern(L);
    return;
  }
  luaL_checklstring(L, 1, &length);
  luaL_checklstring(L, 2, &size);
  if ((double)length * (double)size > STEPS_MAX)
    luaL_error(L, "the search may take too long on %d bytes", (int)length);
}

/* --- the others ------------------------------------------------------------
 */

/* What has a length meets the end of the memory; nothing, repeated, does not.
 */
static void guard_rep(lua_State *L) {
  size_t length, between = 0;
  luaL_checklstring(L, 1, &length);
  luaL_optlstring(L, 3, "", &between);
  bool ends = length + between > 0 || luaL_checkinteger(L, 2) <= ITEMS_MAX;
  luaL_argcheck(L, ends, 2, "too many");
}

/* Addresses differ from run to run, and tell where things lie. */
static void guard_format(lua_State *L) {
  const char *at = luaL_checkstring(L, 1);
  while ((at = strchr(at, '%')) != NULL) {
    at += 1 + strspn(at + 1, "-+#0 123456789.");
    luaL_argcheck(L, *at != 'p', 1, "%p shows an address");
    if (*at != '\0') at++;
  }
  for (int i = 2; i <= lua_gettop(L); i++) {
    int type = lua_type(L, i);
    if (type < LUA_TTABLE) continue;
    lua_pushstring(L, lua_typename(L, type));
    lua_replace(L, i);
  }
}

static void check_items(lua_State *L, lua_Integer first, lua_Integer last) {
  bool few =
      last < first || (lua_Unsigned)last - (lua_Unsigned)first < ITEMS_MAX;
  if (!few) luaL_error(L, "too many items");
}

static void guard_concat(lua_State *L) {
  lua_Integer last = luaL_opt(L, luaL_checkinteger, 4, luaL_len(L, 1));
  check_items(L, luaL_optinteger(L, 3, 1), last);
}

static void guard_move(lua_State *L) {
  check_items(L, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
}

static void guard_sort(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  check_items(L, 1, luaL_len(L, 1));
}

/* --- laying them -----------------------------------------------------------
 */

static const struct guard {
  const char *name;
  void (*check)(lua_State *L);
} guards[] = {
    {"find", guard_find},      {"match", guard_pattern},
    {"gmatch", guard_pattern}, {"gsub", guard_pattern},
    {"rep", guard_rep},        {"format", guard_format},
    {"concat", guard_concat},  {"move", guard_move},
    {"sort", guard_sort},      {NULL, NULL},
};

/* Upvalues: the function, the number of its guard. It runs in this very frame,
 * so that its errors name the script's line. */
static int bounded(lua_State *L) {
  const struct guard *guard = &guards[lua_tointeger(L, lua_upvalueindex(2))];
  limit_check(L);
  if (guard->check != NULL) guard->check(L);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static lua_Integer guard_of(const char *name) {
  lua_Integer at = 0;
  while (guards[at].name != NULL && strcmp(guards[at].name, name) != 0)
    at++;
  return at;
}

/* Of the library on the top. Fields that are there may change in a traversal.
 * [-0, +0, e] */
static void bound_functions(lua_State *L) {
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    if (!lua_iscfunction(L, -1)) continue; /* utf8.charpattern */
    const char *name = lua_tostring(L, -2);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_pushinteger(L, guard_of(name));
    lua_pushcclosure(L, bounded, 2);
    lua_rawset(L, -5);
  }
}

void sandbox_bound(lua_State *L) {
  static const char *const libraries[] = {LUA_STRLIBNAME, LUA_TABLIBNAME,
                                          LUA_UTF8LIBNAME};
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    lua_getglobal(L, libraries[i]);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    bound_functions(L);
    lua_pop(L, 1);
  }
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}
