/* What the two bindings of core.http share: header lines, the rule about plain
 * http, and how a failed exchange is told. */
#ifndef BITTERN_HTTP_OPTIONS_H
#define BITTERN_HTTP_OPTIONS_H

#include <curl/curl.h>

#include "bind.h"
#include "http_check.h"
#include "http_failure.h"

/* Appends the lines of option `headers` of the table at `arg`; raises on what
 * may not be sent. [-0, +0, v] */
void http_read_headers(lua_State *L, int arg, struct curl_slist **list);

/* Appends one line. [-0, +0, v] */
void http_add_header(lua_State *L, struct curl_slist **list, const char *line);

/* Option `key` in seconds. [-0, +0, v] */
double http_read_seconds(lua_State *L, int arg, const char *key,
                         double otherwise);

/* Pushes "METHOD URL" without the query, which may carry a signature, and
 * without a user and a password. */
const char *http_push_name(lua_State *L, const char *method, const char *url);

/* Pushes a failure, and returns true, when `url` may not be asked: never plain
 * http to other machines unless option `allow_http`, nor after https (`from`,
 * NULL for none). Fills `to`. [-0, +0|3, m] */
bool http_refuses(lua_State *L, int arg, const char *method, const char *url,
                  const struct target *from, struct target *to);

/* nil, "NAME: what went wrong", code. [-0, +3, m] */
int http_fail(lua_State *L, const char *name, struct failure failure);

#endif
