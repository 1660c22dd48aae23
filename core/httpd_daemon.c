/* Connections and the callbacks of libmicrohttpd, which no Lua error may
 * cross. */
#include "httpd_daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PATIENCE = 16 << 20, /* a refused body is read to twice the limit and this */
  CONNECTIONS = 64,
  IDLE_SECONDS = 60,
  POOL_SIZE = 256 << 10, /* per connection: head and receive buffer */
  SLICE = 100            /* ms between two looks at the interrupt flag */
};

/* One request from its first line to its last byte, owned by its connection. */
struct request {
  char *uri;
  bool started;      /* its head was seen */
  unsigned refuse;   /* status to answer with in place of the owner, or 0 */
  uint64_t received; /* body bytes, dropped ones too */
  struct body body;
};

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
  request->body.fd = -1;
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
  body_free(&request->body);
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
  call->too_many = call->count == HTTPD_HEADERS_MAX;
  if (call->too_many) return MHD_NO;
  call->headers[call->count++] =
      (struct header){name, value != NULL ? value : "", name_size, value_size};
  return MHD_YES;
}

static enum MHD_Result answer(struct httpd *httpd,
                              struct MHD_Connection *connection,
                              const char *method, struct request *request) {
  struct call call = {
      .method = method, .uri = request->uri, .body = &request->body};
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, &call);
  if (request->refuse == 0 && call.too_many)
    request->refuse = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
  if (request->refuse != 0) return queue_refusal(connection, request->refuse);
  enum outcome outcome = httpd->answer(httpd->owner, &call);
  enum MHD_Result queued = MHD_NO;
  if (outcome == ANSWERED)
    queued = MHD_queue_response(connection, call.status, call.response);
  else if (outcome == FAILED)
    queued = queue_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                        "the handler failed\n");
  if (call.response != NULL) MHD_destroy_response(call.response);
  return queued;
}

/* Whether a body of this size, sent to be refused, is read to its end: closing
 * on a client that still writes resets the connection, and the answer with it.
 * One without manners is not listened to for ever. */
static bool is_heard_out(const struct httpd *httpd, uint64_t size) {
  return size / 2 <= body_limit(&httpd->limits) + PATIENCE;
}

/* The head is there, the body is not: what is too large is refused at once when
 * the client waits for 100 Continue, and else read and dropped. */
static enum MHD_Result on_head(const struct httpd *httpd,
                               struct MHD_Connection *connection,
                               struct request *request) {
  const char *length = MHD_lookup_connection_value(
      connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  const char *expects = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_EXPECT);
  request->started = true;
  uint64_t size = length != NULL ? strtoull(length, NULL, 10) : 0;
  if (size <= body_limit(&httpd->limits)) return MHD_YES;
  if (expects != NULL || !is_heard_out(httpd, size))
    return queue_refusal(connection, MHD_HTTP_CONTENT_TOO_LARGE);
  request->refuse = MHD_HTTP_CONTENT_TOO_LARGE;
  return MHD_YES;
}

/* Adds a piece of the body. On failure the rest is read and dropped, since an
 * answer is only heard by clients that were allowed to finish. */
static void collect(const struct httpd *httpd, struct request *request,
                    const char *data, size_t size) {
  struct body *body = &request->body;
  const struct body_limits *limits = &httpd->limits;
  if (request->refuse == 0 && size > body_limit(limits) - body->size)
    request->refuse = MHD_HTTP_CONTENT_TOO_LARGE;
  if (request->refuse == 0 && body_add(body, limits, data, size) != 0)
    request->refuse = MHD_HTTP_INSUFFICIENT_STORAGE;
  request->received += size;
}

/* Called when the head is there, then for each piece of the body, then once
 * more at its end. */
static enum MHD_Result on_access(void *user, struct MHD_Connection *connection,
                                 const char *url, const char *method,
                                 const char *version, const char *data,
                                 size_t *size, void **state) {
  struct httpd *httpd = user;
  struct request *request = *state;
  (void)url;
  (void)version;
  if (request == NULL) return MHD_NO;
  if (!request->started) return on_head(httpd, connection, request);
  if (*size == 0) return answer(httpd, connection, method, request);
  collect(httpd, request, data, *size);
  *size = 0;
  bool endless =
      request->refuse != 0 && !is_heard_out(httpd, request->received);
  return endless ? MHD_NO : MHD_YES;
}

/* --- listening -------------------------------------------------------------
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

static struct MHD_Daemon *start_daemon(struct httpd *httpd, int fd, bool six) {
  unsigned flags = MHD_USE_EPOLL | (six ? MHD_USE_IPv6 : 0);
  return MHD_start_daemon(
      flags, 0, NULL, NULL, on_access, httpd, MHD_OPTION_LISTEN_SOCKET, fd,
      MHD_OPTION_URI_LOG_CALLBACK, on_start, httpd, MHD_OPTION_NOTIFY_COMPLETED,
      on_end, httpd, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

int httpd_start(struct httpd *httpd, const char *host, int *port) {
  union address address;
  socklen_t size = read_address(host, *port, &address);
  if (size == 0) return HTTPD_BAD_HOST;
  int fd = open_socket(&address, size);
  if (fd < 0) return errno;
  bool six = address.any.sa_family == AF_INET6;
  *port = ntohs(six ? address.six.sin6_port : address.four.sin_port);
  httpd->daemon = start_daemon(httpd, fd, six);
  if (httpd->daemon != NULL) return 0;
  close(fd);
  return HTTPD_NO_DAEMON;
}

void httpd_run(struct httpd *httpd, double end) {
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd polled = {info->epoll_fd, POLLIN, 0};
  double left = (end - base_now()) * 1000;
  int pause = left < 0 ? 0 : left < SLICE ? (int)left + 1 : SLICE;
  MHD_UNSIGNED_LONG_LONG due;
  if (MHD_get_timeout(httpd->daemon, &due) == MHD_YES && due < (unsigned)pause)
    pause = (int)due;
  poll(&polled, 1, pause);
  MHD_run(httpd->daemon);
}

void httpd_stop(struct httpd *httpd) {
  if (httpd->daemon != NULL) MHD_stop_daemon(httpd->daemon);
  httpd->daemon = NULL;
}
