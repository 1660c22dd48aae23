/* A request as BT-AUTH-V1 signs it (contract.md 2.2), told from all other
 * bytes. */
#include "signer_request.h"

#include <string.h>

enum { REQUEST_LINES = 6 };

/* Cuts a request at its line feeds: false unless there are six lines. */
static bool cut(struct bytes request, struct bytes lines[REQUEST_LINES]) {
  for (int i = 0; i < REQUEST_LINES; i++) {
    const uint8_t *end = memchr(request.data, '\n', request.size);
    bool last = i == REQUEST_LINES - 1;
    if (last != (end == NULL)) return false;
    size_t size = last ? request.size : (size_t)(end - request.data);
    lines[i] = (struct bytes){request.data, size};
    request.data += size + !last;
    request.size -= size + !last;
  }
  return true;
}

/* At least one byte, and all of them between two. */
static bool all_between(struct bytes line, int low, int high) {
  for (size_t i = 0; i < line.size; i++)
    if (line.data[i] < low || line.data[i] > high) return false;
  return line.size > 0;
}

static bool is_hash(struct bytes line) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < line.size; i++)
    if (memchr(digits, line.data[i], sizeof digits - 1) == NULL) return false;
  return line.size == 64;
}

/* BT-AUTH-V1, METHOD, /path, query, seconds, SHA-256: a line each. */
bool signer_is_request(struct bytes request) {
  static const char version[] = "BT-AUTH-V1";
  struct bytes line[REQUEST_LINES];
  return cut(request, line) && line[0].size == sizeof version - 1 &&
         memcmp(line[0].data, version, line[0].size) == 0 &&
         all_between(line[1], 'A', 'Z') && all_between(line[2], '!', '~') &&
         line[2].data[0] == '/' &&
         (line[3].size == 0 || all_between(line[3], '!', '~')) &&
         all_between(line[4], '0', '9') && is_hash(line[5]);
}
