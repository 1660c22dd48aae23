/* Header fields of HTTP as tables. Linked into the program, since both shared
 * objects that need it find it there. */
#include "fields.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

static void push_lower(lua_State *L, const char *text, size_t size) {
  luaL_Buffer lower;
  char *out = luaL_buffinitsize(L, &lower, size);
  for (size_t i = 0; i < size; i++)
    out[i] = (char)tolower((unsigned char)text[i]);
  luaL_pushresultsize(&lower, size);
}

void fields_set(lua_State *L, const char *name, size_t name_size,
                const char *value, size_t value_size) {
  push_lower(L, name, name_size);
  lua_pushvalue(L, -1);
  bool repeated = lua_gettable(L, -3) != LUA_TNIL;
  if (repeated)
    lua_pushliteral(L, ", ");
  else
    lua_pop(L, 1);
  lua_pushlstring(L, value, value_size);
  if (repeated) lua_concat(L, 3);
  lua_settable(L, -3);
}

/* Sets the field in `line` in the table on the top. [-0, +0, m] */
static void set_line(lua_State *L, const char *line, size_t size) {
  const char *colon = memchr(line, ':', size);
  if (colon == NULL) return;
  size_t name = (size_t)(colon - line);
  size_t from = name + 1;
  while (from < size && isspace((unsigned char)line[from]))
    from++;
  while (size > from && isspace((unsigned char)line[size - 1]))
    size--;
  fields_set(L, line, name, line + from, size - from);
}

void fields_push(lua_State *L, const char *lines, size_t size) {
  lua_newtable(L);
  while (size > 0) {
    const char *end = memchr(lines, '\n', size);
    size_t length = end == NULL ? size : (size_t)(end - lines) + 1;
    set_line(L, lines, length);
    lines += length;
    size -= length;
  }
}
