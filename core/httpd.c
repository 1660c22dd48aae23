/* core.httpd: a small HTTP server in the one Lua state, by libmicrohttpd.
 *
 * No threads: step() polls, and a handler is called for each whole request.
 * Bodies are kept in memory up to a limit, then in a file. Written for the
 * practice coordinator, so it listens on loopback unless told otherwise. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "bind.h"

#define SERVER_META "bittern.server"

enum {
  BODY_MAX = 16 << 20,
  HEADERS_MAX = 128,
  CONNECTIONS = 64,
  IDLE_SECONDS = 60,
  POOL_SIZE = 256 << 10, /* per connection: head and receive buffer */
  SLICE = 100            /* ms between two looks at the interrupt flag */
};

static const uint64_t SPOOL_MAX = (uint64_t)64 << 30;

/* Stack slots of server_step, and user values of the server. */
enum { SERVER = 1, HANDLER = 2 };
enum { ON_ERROR = 1 };

struct server {
  struct MHD_Daemon *daemon; /* NULL once closed */
  int port;
  uint64_t max_body;
  uint64_t max_spool;
  char spool[PATH_MAX - 32]; /* "" for none */
  lua_State *L;              /* of the step that runs, else NULL */
  bool failed; /* a handler's error nobody was told: on the stack */
};

/* One request from its first line to its last byte, owned by its connection. */
struct request {
  char *uri;
  bool started;    /* its head was seen */
  unsigned refuse; /* status to answer with in place of the handler, or 0 */
  uint64_t size;   /* body bytes so far */
  char *body;
  size_t room;
  int fd; /* of the file the body went to, or -1 */
  char path[PATH_MAX];
};

struct header {
  const char *name;
  const char *value;
  size_t value_size;
};

/* What the protected call of a handler works on. */
struct call {
  const struct request *request;
  const char *method;
  struct header headers[HEADERS_MAX];
  size_t count;
  bool too_many;
  struct MHD_Response *response;
  unsigned status;
};

int luaopen_core_httpd(lua_State *L);

static double now(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- bodies ----------------------------------------------------------------
 */

static bool keep_in_memory(struct request *request, const char *data,
                           size_t size) {
  size_t have = (size_t)request->size;
  if (size > request->room - have) {
    size_t room = have + size;
    if (room < request->room * 2) room = request->room * 2;
    char *body = realloc(request->body, room);
    if (body == NULL) return false;
    request->body = body;
    request->room = room;
  }
  memcpy(request->body + have, data, size);
  return true;
}

static bool write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, data, size);
    if (put < 0 && errno == EINTR && !bind_interrupted()) continue;
    if (put <= 0) return false;
    data += put;
    size -= (size_t)put;
  }
  return true;
}

/* Moves what is in memory to a new file that nobody else can have made. */
static bool open_spool(const struct server *server, struct request *request) {
  uint64_t salt;
  if (getrandom(&salt, sizeof salt, 0) != sizeof salt) return false;
  snprintf(request->path, sizeof request->path, "%s/.body-%016llx",
           server->spool, (unsigned long long)salt);
  request->fd =
      open(request->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
           0600);
  if (request->fd < 0) return false;
  bool written = write_all(request->fd, request->body, (size_t)request->size);
  free(request->body);
  request->body = NULL;
  request->room = 0;
  return written;
}

static uint64_t limit_of(const struct server *server) {
  return server->spool[0] != '\0' ? server->max_spool : server->max_body;
}

/* Adds a piece of the body. On failure the rest is read and dropped, since an
 * answer is only heard by clients that were allowed to finish. */
static void collect(const struct server *server, struct request *request,
                    const char *data, size_t size) {
  bool good = true;
  if (request->refuse == 0 && size > limit_of(server) - request->size)
    request->refuse = MHD_HTTP_CONTENT_TOO_LARGE;
  if (request->refuse == 0 && request->fd < 0 &&
      size > server->max_body - request->size)
    good = open_spool(server, request);
  if (request->refuse == 0 && good)
    good = request->fd >= 0 ? write_all(request->fd, data, size)
                            : keep_in_memory(request, data, size);
  if (!good) request->refuse = MHD_HTTP_INSUFFICIENT_STORAGE;
  request->size += size;
}

/* --- protected parts: a handler's call -------------------------------------
 */

/* Sets a lower-case header in the table on the top; repeated ones are joined.
 * [-0, +0, m] */
static void set_header(lua_State *L, const struct header *header) {
  luaL_Buffer name;
  luaL_buffinit(L, &name);
  for (const char *at = header->name; *at != '\0'; at++)
    luaL_addchar(&name, (char)tolower((unsigned char)*at));
  luaL_pushresult(&name);
  lua_pushvalue(L, -1);
  bool repeated = lua_gettable(L, -3) != LUA_TNIL;
  if (repeated)
    lua_pushliteral(L, ", ");
  else
    lua_pop(L, 1);
  lua_pushlstring(L, header->value, header->value_size);
  if (repeated) lua_concat(L, 3);
  lua_settable(L, -3);
}

static void push_request(lua_State *L, const struct call *call) {
  const struct request *request = call->request;
  size_t path = strcspn(request->uri, "?");
  const char *query = request->uri + path;
  lua_createtable(L, 0, 6);
  lua_pushstring(L, call->method);
  lua_setfield(L, -2, "method");
  lua_pushlstring(L, request->uri, path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, *query == '?' ? query + 1 : "");
  lua_setfield(L, -2, "query");
  lua_pushinteger(L, (lua_Integer)request->size);
  lua_setfield(L, -2, "size");
  if (request->fd >= 0) {
    lua_pushstring(L, request->path);
    lua_setfield(L, -2, "body_path");
  } else {
    lua_pushlstring(L, request->body != NULL ? request->body : "",
                    (size_t)request->size);
    lua_setfield(L, -2, "body");
  }
  lua_newtable(L);
  for (size_t i = 0; i < call->count; i++)
    set_header(L, &call->headers[i]);
  lua_setfield(L, -2, "headers");
}

/* A response that sends the file at `path`. */
static struct MHD_Response *respond_file(lua_State *L, const char *path) {
  struct stat info;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) luaL_error(L, "response: %s: %s", path, strerror(errno));
  struct MHD_Response *response = NULL;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
    response = MHD_create_response_from_fd64((uint64_t)info.st_size, fd);
  if (response == NULL) {
    close(fd);
    luaL_error(L, "response: %s: not a file that can be sent", path);
  }
  return response;
}

/* The response of the table at `arg`. */
static struct MHD_Response *respond(lua_State *L, int arg) {
  const char *path = bind_opt_string(L, arg, "file", NULL);
  if (path != NULL) return respond_file(L, path);
  struct bytes body = {(const uint8_t *)"", 0};
  if (lua_getfield(L, arg, "body") != LUA_TNIL)
    body = bind_bytes(L, lua_gettop(L));
  struct MHD_Response *response = MHD_create_response_from_buffer(
      body.size, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
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
  static const char *const keys[] = {"status", "headers", "body", "file", NULL};
  struct call *call = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  push_request(L, call);
  lua_call(L, 1, 1);
  if (!lua_istable(L, 3)) luaL_error(L, "the handler returned no response");
  bind_check_keys(L, 3, keys);
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

/* --- callbacks of libmicrohttpd: no Lua error may cross them ---------------
 */

static size_t keep_escapes(void *user, struct MHD_Connection *connection,
                           char *text) {
  (void)user;
  (void)connection;
  return strlen(text);
}

/* Called with each request's line first: the only place where the path and the
 * query can be had as they were sent. What it returns becomes the `state` of
 * the calls that follow. */
static void *on_start(void *user, const char *uri,
                      struct MHD_Connection *connection) {
  (void)user;
  (void)connection;
  struct request *request = calloc(1, sizeof *request);
  if (request == NULL) return NULL;
  request->fd = -1;
  request->uri = strdup(uri);
  if (request->uri != NULL) return request;
  free(request);
  return NULL;
}

static void on_end(void *user, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why) {
  struct request *request = *state;
  (void)user;
  (void)connection;
  (void)why;
  *state = NULL;
  if (request == NULL) return;
  if (request->fd >= 0) {
    close(request->fd);
    unlink(request->path); /* unless the handler moved it away */
  }
  free(request->body);
  free(request->uri);
  free(request);
}

static enum MHD_Result queue_text(struct MHD_Connection *connection,
                                  unsigned status, const char *text) {
  struct MHD_Response *response = MHD_create_response_from_buffer(
      strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
  if (response == NULL) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
  enum MHD_Result queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

static enum MHD_Result queue_refusal(struct MHD_Connection *connection,
                                     unsigned status) {
  switch (status) {
  case MHD_HTTP_CONTENT_TOO_LARGE:
    return queue_text(connection, status, "the body is too large\n");
  case MHD_HTTP_INSUFFICIENT_STORAGE:
    return queue_text(connection, status, "no room for the body\n");
  default:
    return queue_text(connection, status, "too many headers\n");
  }
}

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind,
                                  const char *name, size_t name_size,
                                  const char *value, size_t value_size) {
  struct call *call = user;
  (void)kind;
  (void)name_size;
  call->too_many = call->count == HEADERS_MAX;
  if (call->too_many) return MHD_NO;
  call->headers[call->count++] =
      (struct header){name, value != NULL ? value : "", value_size};
  return MHD_YES;
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

static enum MHD_Result answer(struct server *server,
                              struct MHD_Connection *connection,
                              const char *method, struct request *request) {
  lua_State *L = server->L;
  struct call call = {.request = request, .method = method};
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, &call);
  if (request->refuse == 0 && call.too_many)
    request->refuse = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
  if (request->refuse != 0) return queue_refusal(connection, request->refuse);
  lua_pushcfunction(L, call_handler);
  lua_pushvalue(L, HANDLER);
  lua_pushlightuserdata(L, &call);
  bool good = lua_pcall(L, 2, 0, 0) == LUA_OK;
  enum MHD_Result queued = MHD_NO;
  if (good) {
    queued = MHD_queue_response(connection, call.status, call.response);
  } else if (bind_interrupted()) {
    lua_pop(L, 1); /* step tells it; the client sees a closed connection */
  } else {
    tell_error(server);
    queued = queue_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                        "the handler failed\n");
  }
  if (call.response != NULL) MHD_destroy_response(call.response);
  return queued;
}

/* The head is there, the body is not: refuse at once what is too large, before
 * a client that waits for 100 Continue sends it. */
static enum MHD_Result on_head(const struct server *server,
                               struct MHD_Connection *connection,
                               struct request *request) {
  const char *length = MHD_lookup_connection_value(
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  request->started = true;
  if (length == NULL || strtoull(length, NULL, 10) <= limit_of(server))
    return MHD_YES;
  return queue_refusal(connection, MHD_HTTP_CONTENT_TOO_LARGE);
}

/* Called when the head is there, then for each piece of the body, then once
 * more at its end. */
static enum MHD_Result on_access(void *user, struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *data,
                                 size_t *size, void **state) {
  struct server *server = user;
  struct request *request = *state;
  (void)url;
  (void)version;
  if (request == NULL || server->L == NULL) return MHD_NO;
  if (!request->started) return on_head(server, connection, request);
  if (*size == 0) return answer(server, connection, method, request);
  collect(server, request, data, *size);
  *size = 0;
  /* A client without manners is not listened to for ever. */
  bool endless =
      request->refuse != 0 && request->size / 2 > limit_of(server) + BODY_MAX;
  return endless ? MHD_NO : MHD_YES;
}

/* --- the module ------------------------------------------------------------
 */

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
};

/* Fills `out` from a numeric host. Returns its size, 0 when it is none. */
static socklen_t read_address(const char *host, int port, union address *out) {
  memset(out, 0, sizeof *out);
  if (strcmp(host, "localhost") == 0) host = "127.0.0.1";
  if (inet_pton(AF_INET, host, &out->four.sin_addr) == 1) {
    out->four.sin_family = AF_INET;
    out->four.sin_port = htons((uint16_t)port);
    return sizeof out->four;
  }
  if (inet_pton(AF_INET6, host, &out->six.sin6_addr) != 1) return 0;
  out->six.sin6_family = AF_INET6;
  out->six.sin6_port = htons((uint16_t)port);
  return sizeof out->six;
}

/* Opens the listening socket. Returns it, or -1 with errno. */
static int open_socket(union address *address, socklen_t size) {
  int yes = 1;
  int flags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int fd = socket(address->any.sa_family, flags, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, &address->any, size) == 0 && listen(fd, 128) == 0 &&
      getsockname(fd, &address->any, &size) == 0)
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static struct MHD_Daemon *start_daemon(struct server *server, int fd,
                                       bool six) {
  unsigned flags = MHD_USE_EPOLL | (six ? MHD_USE_IPv6 : 0);
  return MHD_start_daemon(
      flags, 0, NULL, NULL, on_access, server, MHD_OPTION_LISTEN_SOCKET, fd,
      MHD_OPTION_URI_LOG_CALLBACK, on_start, server,
      MHD_OPTION_NOTIFY_COMPLETED, on_end, server, MHD_OPTION_UNESCAPE_CALLBACK,
      keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/* Reads limits and spool of the options at 1. [-0, +0, v] */
static void read_limits(lua_State *L, struct server *server) {
  const lua_Integer most = (lua_Integer)1 << 53;
  const char *spool = bind_opt_string(L, 1, "spool", "");
  if (strlen(spool) >= sizeof server->spool)
    luaL_error(L, "option 'spool' is too long");
  snprintf(server->spool, sizeof server->spool, "%s", spool);
  server->max_body =
      (uint64_t)bind_opt_integer(L, 1, "max_body", 0, 1 << 30, BODY_MAX);
  server->max_spool = (uint64_t)bind_opt_integer(L, 1, "max_spool", 0, most,
                                                 (lua_Integer)SPOOL_MAX);
}

/* listen{host="127.0.0.1", port=0, max_body=, spool=, max_spool=, on_error=}
 * -> server | nil, message, code. */
static int f_listen(lua_State *L) {
  static const char *const keys[] = {
      "host", "port", "max_body", "spool", "max_spool", "on_error", NULL};
  union address address;
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  const char *host = bind_opt_string(L, 1, "host", "127.0.0.1");
  int port = (int)bind_opt_integer(L, 1, "port", 0, 65535, 0);
  struct server *server = lua_newuserdatauv(L, sizeof *server, 1);
  *server = (struct server){0};
  luaL_setmetatable(L, SERVER_META);
  read_limits(L, server);
  if (lua_getfield(L, 1, "on_error") != LUA_TNIL && !lua_isfunction(L, -1))
    return luaL_error(L, "option 'on_error' must be a function");
  lua_setiuservalue(L, -2, ON_ERROR);
  socklen_t size = read_address(host, port, &address);
  if (size == 0)
    return bind_fail(L, "config", "%s: not an address to listen on", host);
  int fd = open_socket(&address, size);
  const char *place = lua_pushfstring(L, "%s port %d", host, port);
  if (fd < 0) return bind_errno(L, errno, place);
  lua_pop(L, 1);
  bool six = address.any.sa_family == AF_INET6;
  server->port = ntohs(six ? address.six.sin6_port : address.four.sin_port);
  server->daemon = start_daemon(server, fd, six);
  if (server->daemon != NULL) return 1;
  close(fd);
  return bind_fail(L, "io", "%s: the server does not start", host);
}

static struct server *check_server(lua_State *L) {
  struct server *server = luaL_checkudata(L, SERVER, SERVER_META);
  luaL_argcheck(L, server->daemon != NULL, 1, "server is closed");
  return server;
}

/* server:port() -> the port it listens on. */
static int server_port(lua_State *L) {
  lua_pushinteger(L, check_server(L)->port);
  return 1;
}

/* Waits for something to do, at most until `end`. */
static void wait_for_work(struct server *server, double end) {
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd polled = {info->epoll_fd, POLLIN, 0};
  double left = (end - now()) * 1000;
  int pause = left < 0 ? 0 : left < SLICE ? (int)left + 1 : SLICE;
  MHD_UNSIGNED_LONG_LONG due;
  if (MHD_get_timeout(server->daemon, &due) == MHD_YES && due < (unsigned)pause)
    pause = (int)due;
  poll(&polled, 1, pause);
}

/* server:step(handler, seconds) -> true | nil, message, code. */
static int server_step(lua_State *L) {
  struct server *server = check_server(L);
  luaL_checktype(L, HANDLER, LUA_TFUNCTION);
  lua_Number seconds = luaL_checknumber(L, 3);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 3, "must lie in 0..1e9");
  luaL_argcheck(L, server->L == NULL, 1, "a handler steps its own server");
  lua_settop(L, HANDLER);
  luaL_checkstack(L, 20, NULL);
  double end = now() + seconds;
  server->failed = false;
  server->L = L;
  do {
    wait_for_work(server, end);
    MHD_run(server->daemon);
  } while (!server->failed && !bind_interrupted() && now() < end);
  server->L = NULL;
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (server->failed)
    return bind_fail(L, "script", "%s", luaL_tolstring(L, HANDLER + 1, NULL));
  lua_pushboolean(L, 1);
  return 1;
}

static int server_close(lua_State *L) {
  struct server *server = luaL_checkudata(L, 1, SERVER_META);
  luaL_argcheck(L, server->L == NULL, 1, "a handler closes its own server");
  if (server->daemon != NULL) MHD_stop_daemon(server->daemon);
  server->daemon = NULL;
  return 0;
}

static int server_tostring(lua_State *L) {
  const struct server *server = luaL_checkudata(L, 1, SERVER_META);
  if (server->daemon != NULL)
    lua_pushfstring(L, "server (port %d)", server->port);
  else
    lua_pushliteral(L, "server (closed)");
  return 1;
}

int luaopen_core_httpd(lua_State *L) {
  static const luaL_Reg methods[] = {{"port", server_port},
                                     {"step", server_step},
                                     {"close", server_close},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(listen), {NULL, NULL}};
  bind_type(L, SERVER_META, methods, server_close, server_tostring);
  luaL_newlib(L, functions);
  return 1;
}
