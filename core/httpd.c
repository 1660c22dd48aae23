/* core.httpd: a small HTTP server in the one Lua state, by libmicrohttpd.
 *
 * No threads: step() polls, and a handler is called for each whole request.
 * Bodies are kept in memory up to a limit, then in a file. Written for the
 * practice coordinator, so it listens on loopback unless told otherwise. This
 * file calls handlers; httpd_daemon.c serves the connections. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <microhttpd.h>

#include "bind.h"
#include "fields.h"
#include "httpd_daemon.h"
#include "httpd_stream.h"

#define SERVER_META "bittern.server"

enum { BODY_MAX = 16 << 20 };

static const uint64_t SPOOL_MAX = (uint64_t)64 << 30;

/* Stack slots of server_step, and user values of the server. */
enum { SERVER = 1, HANDLER = 2 };
enum { ON_ERROR = 1 };

struct server {
  struct httpd httpd;
  int port;
  lua_State *L; /* of the step that runs, else NULL */
  bool failed;  /* a handler's error nobody was told: on the stack */
};

int luaopen_core_httpd(lua_State *L);

/* --- protected parts: a handler's call -------------------------------------
 */

static void push_request(lua_State *L, const struct call *call) {
  const struct body *body = call->body;
  size_t path = strcspn(call->uri, "?");
  const char *query = call->uri + path;
  lua_createtable(L, 0, 6);
  lua_pushstring(L, call->method);
  lua_setfield(L, -2, "method");
  lua_pushlstring(L, call->uri, path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, *query == '?' ? query + 1 : "");
  lua_setfield(L, -2, "query");
  lua_pushinteger(L, (lua_Integer)body->size);
  lua_setfield(L, -2, "size");
  if (body->fd >= 0) {
    lua_pushstring(L, body->path);
    lua_setfield(L, -2, "body_path");
  } else {
    lua_pushlstring(L, body->text.size > 0 ? body->text.data : "",
                    body->text.size);
    lua_setfield(L, -2, "body");
  }
  lua_newtable(L);
  for (size_t i = 0; i < call->count; i++) {
    const struct header *header = &call->headers[i];
    fields_set(L, header->name, header->name_size, header->value,
               header->value_size);
  }
  lua_setfield(L, -2, "headers");
}

/* A response that sends the file at `path`, or the part of it that the table
 * at `arg` names. */
static struct MHD_Response *respond_file(lua_State *L, int arg,
                                         const char *path) {
  const lua_Integer most = (lua_Integer)1 << 53;
  struct stat info;
  uint64_t from = (uint64_t)bind_opt_integer(L, arg, "offset", 0, most, 0);
  uint64_t size = (uint64_t)bind_opt_integer(L, arg, "size", 0, most, most);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) luaL_error(L, "response: %s: %s", path, strerror(errno));
  struct MHD_Response *response = NULL;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
      from <= (uint64_t)info.st_size) {
    uint64_t left = (uint64_t)info.st_size - from;
    response = MHD_create_response_from_fd_at_offset64(
        size < left ? size : left, fd, from);
  }
  if (response == NULL) {
    close(fd);
    luaL_error(L, "response: %s: not a file that can be sent", path);
  }
  return response;
}

/* How the table at `arg` wants its body sent. */
static struct manner read_manner(lua_State *L, int arg) {
  lua_Integer cut =
      bind_opt_integer(L, arg, "cut", 0, (lua_Integer)1 << 53, -1);
  struct manner manner = {.cut = cut < 0 ? UINT64_MAX : (uint64_t)cut};
  if (lua_getfield(L, arg, "pace") != LUA_TNIL)
    manner.pace = luaL_checknumber(L, -1);
  if (!(manner.pace >= 0 && manner.pace < 1e5))
    luaL_error(L, "response: pace must lie in 0..1e5");
  lua_getfield(L, arg, "chunked");
  manner.chunked = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return manner;
}

/* The response of the table at `arg`. */
static struct MHD_Response *respond(lua_State *L, int arg) {
  const char *path = bind_opt_string(L, arg, "file", NULL);
  if (path != NULL) return respond_file(L, arg, path);
  struct manner manner = read_manner(L, arg);
  struct bytes body = {(const uint8_t *)"", 0};
  if (lua_getfield(L, arg, "body") != LUA_TNIL)
    body = bind_bytes(L, lua_gettop(L));
  struct MHD_Response *response =
      manner_is_plain(&manner)
          ? MHD_create_response_from_buffer(
                body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY)
          : stream_response(body.data, body.size, &manner);
  if (response == NULL) luaL_error(L, "response: not enough memory");
  lua_pop(L, 1);
  return response;
}

static void add_headers(lua_State *L, int arg, struct MHD_Response *response) {
  if (lua_getfield(L, arg, "headers") == LUA_TNIL) return;
  luaL_checktype(L, -1, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    bool text = lua_type(L, -2) == LUA_TSTRING && lua_isstring(L, -1);
    if (!text || MHD_add_response_header(response, lua_tostring(L, -2),
                                         lua_tostring(L, -1)) != MHD_YES)
      luaL_error(L, "response: header '%s' cannot be sent",
                 luaL_tolstring(L, -2, NULL));
  }
}

/* Arguments: handler, the call. Fills call->response, which the caller frees
 * whatever happens here. [-2, +0, e] */
static int call_handler(lua_State *L) {
  static const char *const keys[] = {"status",  "headers", "body", "file",
                                     "offset",  "size",    "cut",  "pace",
                                     "chunked", "drop",    NULL};
  struct call *call = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  push_request(L, call);
  lua_call(L, 1, 1);
  if (!lua_istable(L, 3)) luaL_error(L, "the handler returned no response");
  bind_check_keys(L, 3, keys);
  lua_getfield(L, 3, "drop");
  call->drop = lua_toboolean(L, -1);
  lua_pop(L, 1);
  call->status = (unsigned)bind_opt_integer(L, 3, "status", 200, 599, 200);
  call->response = respond(L, 3);
  add_headers(L, 3, call->response);
  return 0;
}

/* Arguments: on_error, message. [-2, +0, e] */
static int call_on_error(lua_State *L) {
  lua_call(L, 1, 0);
  return 0;
}

/* Hands the error on the top to on_error, or keeps it there for step to
 * return. [-1, +0|1, -] */
static void tell_error(struct server *server) {
  lua_State *L = server->L;
  if (lua_getiuservalue(L, SERVER, ON_ERROR) == LUA_TNIL) {
    lua_pop(L, 1);
    if (server->failed) lua_pop(L, 1);
    server->failed = true;
    return;
  }
  lua_pushcfunction(L, call_on_error);
  lua_insert(L, -3);
  lua_insert(L, -2);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  if (server->failed) lua_pop(L, 1);
  server->failed = true;
}

/* Calls the handler of the step that runs. [-0, +0|1, -] */
static enum outcome answer(void *owner, struct call *call) {
  struct server *server = owner;
  lua_State *L = server->L;
  lua_pushcfunction(L, call_handler);
  lua_pushvalue(L, HANDLER);
  lua_pushlightuserdata(L, call);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return call->drop ? DROPPED : ANSWERED;
  if (bind_interrupted()) {
    lua_pop(L, 1); /* step tells it */
    return DROPPED;
  }
  tell_error(server);
  return FAILED;
}

/* --- the module ------------------------------------------------------------
 */

/* Reads limits and spool of the options at 1. [-0, +0, v] */
static void read_limits(lua_State *L, struct body_limits *limits) {
  const lua_Integer most = (lua_Integer)1 << 53;
  const char *folder = bind_opt_string(L, 1, "spool", "");
  if (strlen(folder) >= sizeof limits->folder)
    luaL_error(L, "option 'spool' is too long");
  snprintf(limits->folder, sizeof limits->folder, "%s", folder);
  limits->memory =
      (uint64_t)bind_opt_integer(L, 1, "max_body", 0, 1 << 30, BODY_MAX);
  limits->file = (uint64_t)bind_opt_integer(L, 1, "max_spool", 0, most,
                                            (lua_Integer)SPOOL_MAX);
}

/* listen{host = "127.0.0.1", port = 0, max_body = 16 MiB, spool = folder for
 * larger bodies, max_spool = 64 GiB, on_error = function(message)} -> server |
 * nil, message, code. Port 0 takes one that is free. */
static int f_listen(lua_State *L) {
  static const char *const keys[] = {
      "host", "port", "max_body", "spool", "max_spool", "on_error", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  const char *host = bind_opt_string(L, 1, "host", "127.0.0.1");
  int port = (int)bind_opt_integer(L, 1, "port", 0, 65535, 0);
  struct server *server = lua_newuserdatauv(L, sizeof *server, 1);
  *server = (struct server){.port = port};
  luaL_setmetatable(L, SERVER_META);
  server->httpd.owner = server;
  server->httpd.answer = answer;
  read_limits(L, &server->httpd.limits);
  if (lua_getfield(L, 1, "on_error") != LUA_TNIL && !lua_isfunction(L, -1))
    return luaL_error(L, "option 'on_error' must be a function");
  lua_setiuservalue(L, -2, ON_ERROR);
  const char *place = lua_pushfstring(L, "%s port %d", host, port);
  int error = httpd_start(&server->httpd, host, &server->port);
  if (error == HTTPD_BAD_HOST)
    return bind_fail(L, "config", "%s: not an address to listen on", host);
  if (error == HTTPD_NO_DAEMON)
    return bind_fail(L, "io", "%s: the server does not start", host);
  if (error != 0) return bind_errno(L, error, place);
  lua_pop(L, 1);
  return 1;
}

static struct server *check_server(lua_State *L) {
  struct server *server = luaL_checkudata(L, SERVER, SERVER_META);
  luaL_argcheck(L, server->httpd.daemon != NULL, 1, "server is closed");
  return server;
}

/* server:port() -> integer: the port it listens on. */
static int server_port(lua_State *L) {
  lua_pushinteger(L, check_server(L)->port);
  return 1;
}

/* server:step(handler (function), seconds) -> true | nil, message, code. Waits
 * at most so long and calls handler({method, path, query, headers, size, body
 * or body_path}) for each whole request; the handler returns {status = 200,
 * headers, body or file = path, offset, size, cut, pace, chunked, drop}. */
static int server_step(lua_State *L) {
  struct server *server = check_server(L);
  luaL_checktype(L, HANDLER, LUA_TFUNCTION);
  lua_Number seconds = luaL_checknumber(L, 3);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 3, "must lie in 0..1e9");
  luaL_argcheck(L, server->L == NULL, 1, "a handler steps its own server");
  lua_settop(L, HANDLER);
  luaL_checkstack(L, 20, NULL);
  double end = base_now() + seconds;
  server->failed = false;
  server->L = L;
  do {
    httpd_run(&server->httpd, end);
  } while (!server->failed && !bind_interrupted() && base_now() < end);
  server->L = NULL;
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (server->failed)
    return bind_fail(L, "script", "%s", luaL_tolstring(L, HANDLER + 1, NULL));
  lua_pushboolean(L, 1);
  return 1;
}

/* server:close(): stops listening; requests under way are cut off. A handler
 * may not close its own server. */
static int server_close(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER_META);
  luaL_argcheck(L, server->L == NULL, 1, "a handler closes its own server");
  httpd_stop(&server->httpd);
  return 0;
}

static int server_tostring(lua_State *L) {
  const struct server *server = luaL_checkudata(L, 1, SERVER_META);
  if (server->httpd.daemon != NULL)
    lua_pushfstring(L, "server (port %d)", server->port);
  else
    lua_pushliteral(L, "server (closed)");
  return 1;
}

int luaopen_core_httpd(lua_State *L) {
  static const luaL_Reg server_methods[] = {{"port", server_port},
                                            {"step", server_step},
                                            {"close", server_close},
                                            {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(listen), {NULL, NULL}};
  bind_type(L, SERVER_META, server_methods, server_close, server_tostring);
  luaL_newlib(L, functions);
  return 1;
}
