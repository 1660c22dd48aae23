/* core.http: one HTTP request in, one table out, by libcurl.
 *
 * Nothing is re-encoded: the URL, the body and the answer's bytes pass as they
 * are. Any status is a result; only a failed exchange is an error, and its code
 * says whether the server may have seen the request. HTTP/2
 * where a server offers it over TLS, unless option http2 is false. This file
 * reads options, follows redirects and gives results; http_transfer.c does an
 * exchange. Ranges of files, many at once, are in http_ranges.c. */
#include <string.h>

#include "bind.h"
#include "fields.h"
#include "http_options.h"
#include "http_ranges.h"
#include "http_transfer.h"

#define CLIENT_META  "bittern.http_client"
#define REQUEST_META "bittern.http_request"

enum {
  BODY_MAX = 16 << 20,
  ASK_FIRST = 1 << 20 /* bodies from here on wait for 100 Continue */
};

/* Stack slots of f_request, after its options at 1. MESSAGE and CODE keep what
 * a sink said while libcurl unwinds. */
enum { OPTIONS = 1, SINK, PROGRESS, BODY, MESSAGE, CODE };

/* Lives as long as the module. */
struct client {
  CURLM *multi;
  CURL *easy;
  bool busy;
};

/* One call of request(); its client is NULL once it is closed. */
struct request {
  struct client *client;
  struct transfer transfer;
};

int luaopen_core_http(lua_State *L);

/* --- the owner's calls of a transfer ---------------------------------------
 */

/* Gives one piece of the body to the sink. Protected, since making the string
 * may fail too. Arguments: sink, piece. [-2, +3, e] */
static int call_sink(lua_State *L) {
  const struct bytes *piece = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)piece->data, piece->size);
  lua_call(L, 1, 3);
  return 3;
}

static enum stop pass_on(void *owner, struct bytes piece) {
  lua_State *L = owner;
  lua_pushcfunction(L, call_sink);
  lua_pushvalue(L, SINK);
  lua_pushlightuserdata(L, &piece);
  if (lua_pcall(L, 2, 3, 0) != LUA_OK) {
    lua_replace(L, MESSAGE);
    return STOP_RAISED;
  }
  bool go_on = lua_toboolean(L, -3) != 0;
  lua_replace(L, CODE);
  lua_replace(L, MESSAGE);
  lua_pop(L, 1);
  return go_on ? STOP_NONE : STOP_SINK;
}

/* Calls on_progress(done, total). [-0, +0, e] */
static void tell_progress(void *owner, uint64_t done, uint64_t total) {
  lua_State *L = owner;
  lua_pushvalue(L, PROGRESS);
  lua_pushinteger(L, (lua_Integer)done);
  lua_pushinteger(L, (lua_Integer)total);
  lua_call(L, 2, 0);
}

/* --- options ---------------------------------------------------------------
 */

static void read_headers(lua_State *L, struct transfer *transfer) {
  /* libcurl would ask before every upload, however small. */
  if (transfer->body.size < ASK_FIRST)
    http_add_header(L, &transfer->headers, "Expect:");
  http_read_headers(L, OPTIONS, &transfer->headers);
}

static const char *read_method(lua_State *L) {
  const char *method = bind_opt_string(L, OPTIONS, "method", "GET");
  size_t length = strlen(method);
  if (length == 0 || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != length)
    luaL_error(L, "option 'method' must be a word in capital letters");
  return method;
}

static void read_callback(lua_State *L, const char *key, int slot) {
  if (lua_getfield(L, OPTIONS, key) != LUA_TNIL && !lua_isfunction(L, -1))
    luaL_error(L, "option '%s' must be a function", key);
  lua_replace(L, slot);
}

static void read_body(lua_State *L, struct transfer *transfer) {
  lua_getfield(L, OPTIONS, "body");
  lua_replace(L, BODY);
  if (lua_isnil(L, BODY)) return;
  transfer->body = bind_bytes(L, BODY);
  if (lua_type(L, BODY) != LUA_TSTRING)
    transfer->source = lua_touserdata(L, BODY);
}

/* Limits of time and size, and what hears of the bytes: all but the body and
 * the headers. [-0, +0, v] */
static void read_limits(lua_State *L, struct transfer *transfer) {
  const lua_Integer most = (lua_Integer)1 << 53;
  double timeout = http_read_seconds(L, OPTIONS, "timeout", 30);
  transfer->deadline = timeout > 0 ? base_now() + timeout : 0;
  transfer->connect = http_read_seconds(L, OPTIONS, "connect_timeout", 10);
  transfer->stall = http_read_seconds(L, OPTIONS, "stall_timeout", 30);
  read_callback(L, "sink", SINK);
  read_callback(L, "on_progress", PROGRESS);
  transfer->owner = L;
  transfer->sink = lua_isnil(L, SINK) ? NULL : pass_on;
  transfer->progress = lua_isnil(L, PROGRESS) ? NULL : tell_progress;
  transfer->max = (uint64_t)bind_opt_integer(
      L, OPTIONS, "max_bytes", 0, most, transfer->sink != NULL ? 0 : BODY_MAX);
}

/* --- results ---------------------------------------------------------------
 */

static int push_failure(lua_State *L, const struct transfer *transfer,
                        CURLcode result, const char *name) {
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (transfer->stop == STOP_RAISED) {
    lua_pushvalue(L, MESSAGE);
    return lua_error(L);
  }
  if (transfer->stop == STOP_SINK) {
    lua_pushnil(L);
    lua_pushvalue(L, MESSAGE);
    lua_pushvalue(L, CODE);
    return 3;
  }
  if (transfer->stop == STOP_SIZE && !transfer->in_body)
    return bind_fail(L, "too_large", "%s: the answer's headers are too large",
                     name);
  if (transfer->stop == STOP_SIZE)
    return bind_fail(L, "too_large", "%s: the answer is larger than %I bytes",
                     name, (LUAI_UACINT)transfer->max);
  if (transfer->stop == STOP_MEMORY || result == CURLE_OUT_OF_MEMORY)
    return luaL_error(L, "%s: not enough memory", name);
  return http_fail(L, name,
                   http_failure(transfer->easy, result, transfer->error));
}

static int push_response(lua_State *L, const struct transfer *transfer,
                         const char *url) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  fields_push(L, transfer->head.data, transfer->head.size);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, (lua_Integer)transfer->received);
  lua_setfield(L, -2, "size");
  lua_pushstring(L, url);
  lua_setfield(L, -2, "url");
  if (transfer->sink == NULL) {
    lua_pushlstring(L, transfer->text.size > 0 ? transfer->text.data : "",
                    transfer->text.size);
    lua_setfield(L, -2, "body");
  }
  return 1;
}

/* Pushes the URL that the answer leads to, NULL when it is the last one.
 * [-0, +1|0, m] */
static const char *push_next(lua_State *L, const struct transfer *transfer) {
  char *url = NULL;
  if (!transfer->skip_body) return NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
  return url == NULL ? NULL : lua_pushstring(L, url);
}

/* Sends, and follows as many redirects as allowed. Headers that scripts gave
 * (signatures, tokens) stay with the origin they were meant for. */
static int perform(lua_State *L, struct transfer *transfer, const char *method,
                   const char *url) {
  struct target target;
  if (http_refuses(L, OPTIONS, method, url, NULL, &target)) return 3;
  while (true) {
    CURLcode result = http_exchange(transfer, url, target.loopback);
    if (result != CURLE_OK)
      return push_failure(L, transfer, result, http_push_name(L, method, url));
    const char *next = push_next(L, transfer);
    if (next == NULL) return push_response(L, transfer, url);
    struct target before = target;
    if (http_refuses(L, OPTIONS, method, next, &before, &target)) return 3;
    if (strcmp(before.origin, target.origin) != 0) {
      curl_slist_free_all(transfer->headers);
      transfer->headers = NULL;
    }
    url = next;
    transfer->redirects--;
    luaL_checkstack(L, 20, NULL);
  }
}

static int request_close(lua_State *L) {
  struct request *request = luaL_checkudata(L, 1, REQUEST_META);
  if (request->client == NULL) return 0;
  http_close(&request->transfer);
  request->client->busy = false;
  request->client = NULL;
  return 0;
}

/* Pushes the state of a request, closed when the caller returns. [-0, +1, e] */
static struct transfer *push_request(lua_State *L) {
  struct client *client = lua_touserdata(L, lua_upvalueindex(1));
  if (client->busy)
    luaL_error(L, "a request is made inside another's callback");
  struct request *request = lua_newuserdatauv(L, sizeof *request, 0);
  *request = (struct request){0};
  luaL_setmetatable(L, REQUEST_META);
  lua_toclose(L, -1);
  request->transfer.multi = client->multi;
  request->transfer.easy = client->easy;
  request->client = client;
  client->busy = true;
  return &request->transfer;
}

/* request{url =, method = "GET", headers = {name = value}, body = bytes, sink
 * = function(chunk) -> true, max_bytes = 16 MiB, timeout = 30 s (0: none),
 * connect_timeout = 10 s, stall_timeout = 30 s, redirects = 0, ca_file = path,
 * allow_http = false, on_progress = function(done, total), http2 = true, fresh
 * = false: over a new connection} -> {status, headers, body, size, url} | nil,
 * message, code. Any status is a result. */
static int f_request(lua_State *L) {
  static const char *const keys[] = {
      "method",      "url",        "headers",         "body",
      "sink",        "max_bytes",  "timeout",         "redirects",
      "ca_file",     "allow_http", "connect_timeout", "stall_timeout",
      "on_progress", "http2",      "fresh",           NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, CODE);
  const char *method = read_method(L);
  const char *url = bind_opt_string(L, OPTIONS, "url", NULL);
  if (url == NULL) return luaL_error(L, "option 'url' is missing");
  bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
  long redirects = (long)bind_opt_integer(L, OPTIONS, "redirects", 0, 50, 0);
  const char *ca_file = bind_opt_string(L, OPTIONS, "ca_file", NULL);
  struct transfer *transfer = push_request(L);
  transfer->redirects = reads ? redirects : 0;
  transfer->http2 = bind_opt_boolean(L, OPTIONS, "http2", true);
  read_limits(L, transfer);
  read_body(L, transfer);
  read_headers(L, transfer);
  luaL_checkstack(L, 20, NULL);
  http_prepare(transfer, method, !lua_isnil(L, BODY), ca_file);
  if (bind_opt_boolean(L, OPTIONS, "fresh", false))
    curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
  return perform(L, transfer, method, url);
}

static int request_tostring(lua_State *L) {
  lua_pushliteral(L, "http request");
  return 1;
}

static int client_close(lua_State *L) {
  struct client *client = luaL_checkudata(L, 1, CLIENT_META);
  if (client->easy != NULL) curl_easy_cleanup(client->easy);
  if (client->multi != NULL) curl_multi_cleanup(client->multi);
  *client = (struct client){0};
  return 0;
}

static int client_tostring(lua_State *L) {
  lua_pushliteral(L, "http client");
  return 1;
}

int luaopen_core_http(lua_State *L) {
  static const luaL_Reg methods[] = {{NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(request), {"ranges", http_ranges}, {NULL, NULL}};
  bind_type(L, CLIENT_META, methods, client_close, client_tostring);
  http_ranges_type(L);
  bind_type(L, REQUEST_META, methods, request_close, request_tostring);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
    return luaL_error(L, "libcurl does not start");
  luaL_newlibtable(L, functions);
  struct client *client = lua_newuserdatauv(L, sizeof *client, 0);
  *client = (struct client){0};
  luaL_setmetatable(L, CLIENT_META);
  client->multi = curl_multi_init();
  client->easy = curl_easy_init();
  if (client->multi == NULL || client->easy == NULL)
    return luaL_error(L, "libcurl does not start");
  luaL_setfuncs(L, functions, 1);
  return 1;
}
