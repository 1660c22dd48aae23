/* The second binding of core.http: ranges of remote files. */
#ifndef BITTERN_HTTP_RANGES_H
#define BITTERN_HTTP_RANGES_H

#include <lua.h>

/* ranges(options) -> ranges. [-1, +1, v] */
int http_ranges(lua_State *L);

/* Makes its metatable. [-0, +0, m] */
void http_ranges_type(lua_State *L);

#endif
