/* The second look at tar headers of unpack_header.h. */
#include "unpack_header.h"

#include <stdbool.h>
#include <string.h>

/* The number in a field: spaces, octal digits, then zeros or spaces to its end;
 * or binary, where its first bit is set, which gives 0. False for others: some
 * readers take them for 0, and some for the end of the archive. */
static bool number(const uint8_t *field, int length, size_t *value) {
  int i = 0;
  *value = 0;
  if ((field[0] & 0x80) != 0) return true;
  while (i < length && field[i] == ' ')
    i++;
  for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
    *value = *value * 8 + field[i] - '0';
  for (; i < length; i++)
    if (field[i] != '\0' && field[i] != ' ') return false;
  return true;
}

enum verdict header_judge(const uint8_t *blocks, size_t total) {
  size_t at = 0;
  while (total - at >= TAR_BLOCK) {
    const uint8_t *header = blocks + at;
    uint8_t type = header[156];
    bool is_name = type == 'L' || type == 'K';
    size_t size = 0;
    at += TAR_BLOCK;
    if (!number(header + 124, 12, &size)) return VERDICT_NUMBER;
    if (!is_name && type != 'x' && type != 'g' && type != 'X') continue;
    if ((header[124] & 0x80) != 0) return VERDICT_ZERO;
    if (size > total - at) return VERDICT_FINE;
    if (!is_name && memchr(header + TAR_BLOCK, 0, size) != NULL)
      return VERDICT_ZERO;
    at += size + -size % TAR_BLOCK;
    if (at > total) return VERDICT_FINE;
  }
  return VERDICT_FINE;
}
