/* What core.sr25519 lends to core.signer. */
#ifndef BITTERN_SR25519_H
#define BITTERN_SR25519_H

#include <lua.h>

#include "schnorrkel.h"

/* The secret of the key at stack index `index`, as long as it is open; NULL
 * when there is no open key. [-0, +0, -] */
const struct schnorrkel_key *sr25519_secret(lua_State *L, int index);

#endif
