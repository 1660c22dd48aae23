/* Secrets for scripts: bytes in guarded, locked memory that are wiped when they
 * are closed, and that become a Lua string only where a script says so. */
#ifndef BITTERN_KEYBOX_H
#define BITTERN_KEYBOX_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

/* Loads core.keybox unless it is; the opener of a module that pushes secrets
 * calls it. [-0, +0, e] */
void keybox_require(lua_State *L);

/* Pushes a secret of `size` zeros and returns them, to be filled; or pushes nil
 * and the rest of a failure and returns NULL. [-0, +1|3, m] */
uint8_t *keybox_push(lua_State *L, size_t size);

/* The secret on the top, which is no slice, keeps its first `size` bytes.
 * [-0, +0, v] */
void keybox_cut(lua_State *L, size_t size);

/* What a process does before it holds a secret: from now on it leaves no core
 * file, and no debugger or other process of its user looks into it. */
void keybox_guard(void);

#endif
