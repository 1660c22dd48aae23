/* Options and failures that core.http's two bindings have in common. */
#include "http_options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void http_add_header(lua_State *L, struct curl_slist **list, const char *line) {
  struct curl_slist *longer = curl_slist_append(*list, line);
  if (longer == NULL) luaL_error(L, "not enough memory");
  *list = longer;
}

/* Raises unless the line on the top may be sent. [-0, +0, v] */
static const char *check_header(lua_State *L) {
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "option 'headers' must be an array of strings");
  const char *line = lua_tolstring(L, -1, &length);
  const char *wrong = http_check_header(line, length);
  if (wrong != NULL) luaL_error(L, "option 'headers': %s", wrong);
  return line;
}

void http_read_headers(lua_State *L, int arg, struct curl_slist **list) {
  int type = lua_getfield(L, arg, "headers");
  if (type != LUA_TNIL && type != LUA_TTABLE)
    luaL_error(L, "option 'headers' must be an array of strings");
  lua_Integer count = type == LUA_TTABLE ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, -1, i);
    http_add_header(L, list, check_header(L));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

double http_read_seconds(lua_State *L, int arg, const char *key,
                         double otherwise) {
  double seconds = bind_opt_number(L, arg, key, otherwise);
  if (!(seconds >= 0 && seconds <= 1e6))
    luaL_error(L, "option '%s' must lie in 0..1e6", key);
  return seconds;
}

const char *http_push_name(lua_State *L, const char *method, const char *url) {
  const char *host = strstr(url, "//");
  size_t user = 0;
  if (host != NULL)
    for (size_t i = 2; host[i] != '\0' && strchr("/?#", host[i]) == NULL; i++)
      if (host[i] == '@') user = i - 1;
  size_t head = host != NULL ? (size_t)(host - url) + 2 : 0;
  lua_pushfstring(L, "%s ", method);
  lua_pushlstring(L, url, head);
  lua_pushlstring(L, url + head + user, strcspn(url + head + user, "?#"));
  lua_concat(L, 2);
  lua_concat(L, 2);
  return lua_tostring(L, -1);
}

bool http_refuses(lua_State *L, int arg, const char *method, const char *url,
                  const struct target *from, struct target *to) {
  bool allow_http = bind_opt_boolean(L, arg, "allow_http", false);
  const char *wrong = http_check_url(url, to);
  if (wrong != NULL) {
    bind_fail(L, "config", "%s: %s", http_push_name(L, method, url), wrong);
    return true;
  }
  if (to->https) return false;
  if (from != NULL && from->https)
    bind_fail(L, "insecure", "%s: a redirect away from https",
              http_push_name(L, method, url));
  else if (!to->loopback && !allow_http)
    bind_fail(L, "insecure", "%s: plain http only reaches this machine",
              http_push_name(L, method, url));
  else
    return false;
  return true;
}

int http_fail(lua_State *L, const char *name, struct failure failure) {
  char text[CURL_ERROR_SIZE];
  snprintf(text, sizeof text, "%s", failure.text);
  if (islower((unsigned char)text[1]))
    text[0] = (char)tolower((unsigned char)text[0]);
  return bind_fail(L, failure.code, "%s: %s", name, text);
}
