/* Bytes from descriptors into memory that is locked; plain C under core.keybox.
 */
#ifndef BITTERN_KEYBOX_READ_H
#define BITTERN_KEYBOX_READ_H

#include <stddef.h>
#include <stdint.h>

/* Reads to the end, or until `room` bytes are full; `size` is how many came.
 * Returns 0 or an errno value, EINTR only when the user asked to stop. */
int keybox_fill(int fd, uint8_t *out, size_t room, size_t *size);

/* Reads a line without its end, and nothing of what follows; a terminal does
 * not show what is typed meanwhile. The same results, and EMSGSIZE for a line
 * that fills the room. */
int keybox_line(int fd, uint8_t *out, size_t room, size_t *size);

#endif
