/* core.http's ranges: parts of files, many at once, each from a server into its
 * place in a local file, or from there to a server. Which parts, and what is
 * done about those that fail, is for scripts to say; http_range.c moves the
 * bytes. */
#include "http_ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fields.h"
#include "http_options.h"
#include "http_range.h"
#include "http_transfer.h"

#define RANGES_META "bittern.http_ranges"

/* User value of the userdata. */
enum { CA_FILE = 1 };

struct handle {
  struct ranges ranges; /* multi is NULL once closed */
  const char *ca_file;  /* kept by the user value */
  double connect;
};

static struct handle *check_handle(lua_State *L) {
  struct handle *handle = luaL_checkudata(L, 1, RANGES_META);
  luaL_argcheck(L, handle->ranges.multi != NULL, 1, "ranges are closed");
  return handle;
}

/* ranges([{ca_file=, connect_timeout = 10 s, speed = 0 (bytes a second for all
 * together, 0: no limit)}]) -> ranges. */
int http_ranges(lua_State *L) {
  static const char *const keys[] = {"ca_file", "connect_timeout", "speed",
                                     NULL};
  bind_check_keys(L, 1, keys);
  const char *ca_file = bind_opt_string(L, 1, "ca_file", NULL);
  double connect = lua_isnoneornil(L, 1)
                       ? 10
                       : http_read_seconds(L, 1, "connect_timeout", 10);
  lua_Integer speed =
      bind_opt_integer(L, 1, "speed", 0, (lua_Integer)1 << 53, 0);
  struct handle *handle = lua_newuserdatauv(L, sizeof *handle, 1);
  *handle = (struct handle){.connect = connect};
  handle->ranges.speed = (uint64_t)speed;
  luaL_setmetatable(L, RANGES_META);
  lua_pushstring(L, ca_file);
  handle->ca_file = lua_tostring(L, -1);
  lua_setiuservalue(L, -2, CA_FILE);
  if (!ranges_open(&handle->ranges))
    return luaL_error(L, "libcurl does not start");
  return 1;
}

static uint64_t read_offset(lua_State *L, const char *key) {
  const lua_Integer most = (lua_Integer)1 << 53;
  lua_Integer value = bind_opt_integer(L, 2, key, 0, most, -1);
  if (value < 0) luaL_error(L, "option '%s' is missing", key);
  return (uint64_t)value;
}

static const char *read_string(lua_State *L, const char *key) {
  const char *value = bind_opt_string(L, 2, key, NULL);
  if (value == NULL) luaL_error(L, "option '%s' is missing", key);
  return value;
}

/* The options of a range into `range`; raises on wrong ones, and the ranges'
 * owner then drops it. [-0, +0, v] */
static void read_range(lua_State *L, struct range *range) {
  const char *etag = bind_opt_string(L, 2, "etag", NULL);
  range->id = bind_opt_integer(L, 2, "id", 0, INT64_MAX, 0);
  range->first = read_offset(L, "first");
  range->last = read_offset(L, "last");
  range->total = range->sends ? range->last + 1 : read_offset(L, "total");
  if (range->first > range->last || range->last >= range->total)
    luaL_error(L, "the range does not lie in the file");
  range->stall = http_read_seconds(L, 2, "stall_timeout", 30);
  if (etag != NULL && (range->etag = strdup(etag)) == NULL)
    luaL_error(L, "not enough memory");
  http_read_headers(L, 2, &range->headers);
}

static int begin(lua_State *L, struct handle *handle, struct range *range) {
  struct target target;
  const char *method = range->sends ? "PUT" : "GET";
  int access = range->sends ? O_RDONLY : O_WRONLY | O_NOFOLLOW;
  const char *url = read_string(L, "url"), *path = read_string(L, "path");
  read_range(L, range);
  if (http_refuses(L, 2, method, url, NULL, &target)) return 3;
  if (range->easy == NULL) return luaL_error(L, "not enough memory");
  range->fd = open(path, access | O_CLOEXEC);
  if (range->fd < 0) return bind_errno(L, errno, path);
  /* With HTTP/2 all ranges would share one connection, and its rate. */
  http_transport(range->easy, false, handle->connect, handle->ca_file);
  if (!range_begin(&handle->ranges, range, url, target.loopback))
    return luaL_error(L, "libcurl does not take the request");
  lua_pushboolean(L, 1);
  return 1;
}

/* Arguments: ranges, options, range. A range that does not begin is dropped by
 * the caller. */
static int protected_begin(lua_State *L) {
  struct range *range = lua_touserdata(L, 3);
  return begin(L, lua_touserdata(L, 1), range);
}

/* Arguments: ranges, options with those keys. */
static int start(lua_State *L, const char *const keys[], bool sends) {
  struct handle *handle = check_handle(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  bind_check_keys(L, 2, keys);
  lua_settop(L, 2);
  lua_pushcfunction(L, protected_begin);
  struct range *range = range_new(&handle->ranges);
  if (range == NULL) return luaL_error(L, "not enough memory");
  range->sends = sends;
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushlightuserdata(L, range);
  int status = lua_pcall(L, 3, LUA_MULTRET, 0);
  if (status == LUA_OK && lua_toboolean(L, 3)) return 1;
  range_drop(&handle->ranges, range);
  return status == LUA_OK ? lua_gettop(L) - 2 : lua_error(L);
}

/* ranges:start{url=, path= of a file that is there, first=, last= (inclusive),
 * total= bytes of the remote file, etag= or nil, id = 0, headers=,
 * stall_timeout = 30 s, allow_http = false}
 * -> true | nil, message, code. */
static int ranges_start(lua_State *L) {
  static const char *const keys[] = {
      "url", "path",    "first",         "last",       "total", "etag",
      "id",  "headers", "stall_timeout", "allow_http", NULL};
  return start(L, keys, false);
}

/* ranges:send{url=, path=, first=, last=, id = 0, headers=, stall_timeout = 30
 * s, allow_http = false} -> true | nil, message, code. A PUT of these bytes of
 * the file. */
static int ranges_send(lua_State *L) {
  static const char *const keys[] = {"url",           "path",       "first",
                                     "last",          "id",         "headers",
                                     "stall_timeout", "allow_http", NULL};
  return start(L, keys, true);
}

/* Pushes the header fields of a range's answer. [-0, +1, m] */
static void push_fields(lua_State *L, const struct range *range) {
  struct curl_header *at = NULL;
  lua_newtable(L);
  while ((at = curl_easy_nextheader(range->easy, CURLH_HEADER, -1, at)))
    fields_set(L, at->name, strlen(at->name), at->value, strlen(at->value));
}

/* Why a range failed: pushes message and code, or nothing and returns 0. */
static int push_reason(lua_State *L, const struct range *range) {
  static const struct {
    const char *message, *code;
  } verdicts[] = {
      [VERDICT_STATUS] = {"is refused", "http_status"},
      [VERDICT_WHOLE] = {"the server sends no parts of it", "not_partial"},
      [VERDICT_OTHER] = {"the server sends another part than was asked for",
                         "invalid_response"},
      [VERDICT_CHANGED] = {"it has changed", "changed"},
      [VERDICT_ENCODED] = {"the server sends it encoded", "encoded"},
  };
  if (range->verdict > VERDICT_GOOD) {
    lua_pushstring(L, verdicts[range->verdict].message);
    lua_pushstring(L, verdicts[range->verdict].code);
    return 2;
  }
  int results;
  if (range->file_error != 0)
    results =
        bind_errno(L, range->file_error, range->sends ? "reading" : "writing");
  else if (range->too_long)
    results = bind_fail(L, "invalid_response", "more bytes than promised");
  else if (range->stalled)
    results = bind_fail(L, "timeout", "no byte moved for %f s", range->stall);
  else if (range->result != CURLE_OK)
    results = http_fail(L, range->sends ? "PUT" : "GET",
                        http_failure(range->easy, range->result, range->error));
  else if (range->received < range->promised)
    results = bind_fail(L, "network", "the answer ended early");
  else
    return 0;
  return results - 1; /* without the nil, which stays below */
}

/* {id, received (or sent), status, headers, note = beginning of a refusal's
 * body, message, code: where it failed}. [-0, +1, m] */
static void push_end(lua_State *L, const struct range *range) {
  long status = 0;
  curl_easy_getinfo(range->easy, CURLINFO_RESPONSE_CODE, &status);
  lua_createtable(L, 0, 7);
  lua_pushinteger(L, range->id);
  lua_setfield(L, -2, "id");
  lua_pushinteger(L, (lua_Integer)range->received);
  lua_setfield(L, -2, "received");
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  push_fields(L, range);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, range->note.size > 0 ? range->note.data : "",
                  range->note.size);
  lua_setfield(L, -2, "note");
  int table = lua_gettop(L);
  if (push_reason(L, range) > 0) {
    lua_setfield(L, table, "code");
    lua_setfield(L, table, "message");
  }
  lua_settop(L, table);
}

/* ranges:step(seconds) -> a range that has ended, or false when none has in
 * that time | nil, message, code. */
static int ranges_lua_step(lua_State *L) {
  struct handle *handle = check_handle(L);
  double seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e6, 2, "must lie in 0..1e6");
  struct range *ended = ranges_step(&handle->ranges, seconds);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (ended == NULL) {
    lua_pushboolean(L, 0);
    return 1;
  }
  push_end(L, ended);
  range_drop(&handle->ranges, ended);
  return 1;
}

/* ranges:received([id (integer)]) -> integer: bytes moved since the beginning,
 * or of a range that is under way. */
static int ranges_received(lua_State *L) {
  const struct handle *handle = check_handle(L);
  uint64_t bytes = handle->ranges.received;
  if (!lua_isnoneornil(L, 2)) {
    lua_Integer id = luaL_checkinteger(L, 2);
    bytes = 0;
    for (struct range *at = handle->ranges.all; at != NULL; at = at->next)
      if (at->id == id) bytes = at->received;
  }
  lua_pushinteger(L, (lua_Integer)bytes);
  return 1;
}

/* ranges:count() -> integer: how many are under way. */
static int ranges_count(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_handle(L)->ranges.count);
  return 1;
}

/* ranges:close(): ends what is under way and closes the connections. */
static int handle_close(lua_State *L) {
  struct handle *handle = luaL_checkudata(L, 1, RANGES_META);
  ranges_close(&handle->ranges);
  return 0;
}

static int handle_tostring(lua_State *L) {
  const struct handle *handle = luaL_checkudata(L, 1, RANGES_META);
  lua_pushfstring(L, "http ranges (%s)",
                  handle->ranges.multi != NULL ? "open" : "closed");
  return 1;
}

void http_ranges_type(lua_State *L) {
  static const luaL_Reg ranges_methods[] = {{"start", ranges_start},
                                            {"send", ranges_send},
                                            {"step", ranges_lua_step},
                                            {"received", ranges_received},
                                            {"count", ranges_count},
                                            {"close", handle_close},
                                            {NULL, NULL}};
  bind_type(L, RANGES_META, ranges_methods, handle_close, handle_tostring);
}
