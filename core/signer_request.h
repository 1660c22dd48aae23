/* What the hotkey's process signs; plain C under core.signer. */
#ifndef BITTERN_SIGNER_REQUEST_H
#define BITTERN_SIGNER_REQUEST_H

#include <stdbool.h>

#include "base.h"

/* Whether these bytes are the six lines of a request, and nothing else. */
bool signer_is_request(struct bytes request);

#endif
