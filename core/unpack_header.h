/* A second look at the header blocks of a tar entry, which libarchive has
 * accepted, for what other readers understand differently. */
#ifndef BITTERN_UNPACK_HEADER_H
#define BITTERN_UNPACK_HEADER_H

#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK = 512 };

enum verdict {
  VERDICT_FINE,
  VERDICT_NUMBER, /* a size that is no number */
  VERDICT_ZERO    /* a zero byte in the text of an extended header */
};

/* Judges `total` bytes of header blocks. In each, offset 124 holds the size
 * (12) and 156 the type (1); the text of an extended header (type x or g) or of
 * a long name (L or K) follows in blocks of its own. A zero byte in extended
 * text is the end of a name for some readers and an error for others; a binary
 * size of such text is taken to hide one, since no writer needs it. */
enum verdict header_judge(const uint8_t *blocks, size_t total);

#endif
