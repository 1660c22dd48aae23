/* fuzz.wire: what a fuzzer asks of C that the program's Lua does not see. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lauxlib.h>

#include "http_check.h"
#include "http_range.h"
#include "signer_request.h"

enum { TOTAL = 1000, FIRST = 100, LAST = 199 };

int luaopen_fuzz_wire(lua_State *L);

/* An answer, and our end of the connection that it comes over. */
struct wire {
  struct bytes answer;
  int fd;
};

/* libcurl's socket is one end of a pair, in which the answer already lies; the
 * other end stays open, since libcurl sends before it reads. */
static curl_socket_t open_socket(void *user, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
  int pair[2];
  struct wire *wire = user;
  (void)purpose;
  (void)address;
  if (wire->fd >= 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
    return CURL_SOCKET_BAD;
  wire->fd = pair[1];
  if (send(wire->fd, wire->answer.data, wire->answer.size, MSG_DONTWAIT) < 0)
    abort();
  shutdown(wire->fd, SHUT_WR);
  return pair[0];
}

static int is_connected(void *user, curl_socket_t fd, curlsocktype purpose) {
  (void)user;
  (void)fd;
  (void)purpose;
  return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static struct range *begin(struct ranges *ranges, struct wire *wire,
                           const char *etag) {
  struct range *range = range_new(ranges);
  if (range == NULL) abort();
  curl_easy_setopt(range->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(range->easy, CURLOPT_OPENSOCKETDATA, wire);
  curl_easy_setopt(range->easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
  curl_easy_setopt(range->easy, CURLOPT_HTTP09_ALLOWED, 0L);
  range->first = FIRST;
  range->last = LAST;
  range->total = TOTAL;
  range->stall = 1;
  range->etag = strdup(etag);
  range->fd = memfd_create("range", 0);
  if (!range_begin(ranges, range, "http://127.0.0.1/", true)) abort();
  return range;
}

/* No byte outside of the range, and no more than were promised. */
static void check(const struct range *range) {
  off_t end = lseek(range->fd, 0, SEEK_END);
  bool has_bytes = end > 0;
  if (end > LAST + 1 || range->received > range->promised) abort();
  if (has_bytes && (uint64_t)end != FIRST + range->received) abort();
  if (range->verdict == VERDICT_GOOD ? range->promised > LAST - FIRST + 1
                                     : has_bytes)
    abort();
}

/* range(answer (bytes), etag (string)) -> integer: the verdict on the answer to
 * a request for 100 bytes. */
static int f_range(lua_State *L) {
  struct wire wire = {.fd = -1};
  struct ranges ranges = {0};
  wire.answer.data =
      (const uint8_t *)luaL_checklstring(L, 1, &wire.answer.size);
  if (!ranges_open(&ranges)) abort();
  const struct range *range = begin(&ranges, &wire, luaL_checkstring(L, 2));
  while (!range->ended)
    ranges_step(&ranges, 1);
  check(range);
  lua_pushinteger(L, range->verdict);
  ranges_close(&ranges);
  if (wire.fd >= 0) close(wire.fd);
  return 1;
}

/* header(line (string)) -> boolean: whether it may be sent. */
static int f_header(lua_State *L) {
  size_t size;
  const char *line = luaL_checklstring(L, 1, &size);
  lua_pushboolean(L, http_check_header(line, size) == NULL);
  return 1;
}

/* url(text (string)) -> string: scheme://host:port, or nil. */
static int f_url(lua_State *L) {
  struct target target = {0};
  if (http_check_url(luaL_checkstring(L, 1), &target) != NULL) return 0;
  lua_pushstring(L, target.origin);
  return 1;
}

/* request(bytes) -> boolean: whether the signer signs this. */
static int f_request(lua_State *L) {
  struct bytes request;
  request.data = (const uint8_t *)luaL_checklstring(L, 1, &request.size);
  lua_pushboolean(L, signer_is_request(request));
  return 1;
}

int luaopen_fuzz_wire(lua_State *L) {
  static const luaL_Reg functions[] = {{"range", f_range},
                                       {"header", f_header},
                                       {"url", f_url},
                                       {"request", f_request},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
