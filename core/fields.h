/* Header fields of HTTP as tables, for core.http and core.httpd, so that both
 * sides of a connection show a script the same. */
#ifndef BITTERN_FIELDS_H
#define BITTERN_FIELDS_H

#include <stddef.h>

#include <lua.h>

/* Sets field `name` of the table on the top, in lower case; a repeated one is
 * joined with ", ", as HTTP allows. [-0, +0, m] */
void fields_set(lua_State *L, const char *name, size_t name_size,
                const char *value, size_t value_size);

/* Pushes the table of the header lines in `size` bytes at `lines`; lines that
 * have no colon are left out. [-0, +1, m] */
void fields_push(lua_State *L, const char *lines, size_t size);

#endif
