/* core.http: one HTTP request in, one table out, by libcurl.
 *
 * Nothing is re-encoded: the URL, the body and the answer's bytes pass as they
 * are. Any status is a result; only a failed exchange is an error, and its code
 * says whether the server may have seen the request. HTTP/1.1, as validators
 * use. One multi handle keeps connections alive between requests; driving it
 * ourselves bounds the time in which Ctrl-C is noticed. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "bind.h"

#define CLIENT_META  "bittern.http_client"
#define REQUEST_META "bittern.http_request"

enum {
  BODY_MAX = 16 << 20,
  HEADERS_MAX = 256 << 10,
  ASK_FIRST = 1 << 20, /* bodies from here on wait for 100 Continue */
  RECEIVE_SIZE = 256 << 10,
  SEND_SIZE = 512 << 10,
  SLICE = 100, /* ms between two looks at the interrupt flag */
  ORIGIN_SIZE = 300
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

struct text {
  char *data;
  size_t size;
  size_t room;
};

/* Where a URL leads: what decides about plain http and about headers. */
struct target {
  bool https;
  bool loopback;
  char origin[ORIGIN_SIZE];
};

/* Why a transfer was stopped from inside a callback. */
enum stop { STOP_NONE, STOP_RAISED, STOP_SINK, STOP_SIZE, STOP_MEMORY };

struct request {
  lua_State *L;
  struct client *client;
  bool attached; /* the easy handle is in the multi handle */
  struct curl_slist *headers;
  const struct source *source; /* the body, where it is not a string */
  struct bytes body;
  size_t sent;
  struct text head; /* header lines of the last response */
  struct text text; /* its body, where there is no sink */
  uint64_t received;
  uint64_t max;
  bool has_sink;
  bool in_body;
  bool skip_body; /* of a redirect that will be followed */
  long redirects; /* still allowed */
  enum stop stop;
  char error[CURL_ERROR_SIZE];
};

/* Seconds, 0 for none. */
struct limits {
  double deadline; /* on now()'s clock */
  double connect;
  double stall;
};

int luaopen_core_http(lua_State *L);

static double now(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- callbacks of libcurl: no Lua error may cross them ---------------------
 */

static bool append(struct text *text, const char *bytes, size_t size) {
  if (size > text->room - text->size) {
    size_t room = text->size + size;
    if (room < text->room * 2) room = text->room * 2;
    char *data = realloc(text->data, room);
    if (data == NULL) return false;
    text->data = data;
    text->room = room;
  }
  if (size > 0) memcpy(text->data + text->size, bytes, size);
  text->size += size;
  return true;
}

/* Gives one piece of the body to the sink. Protected, since making the string
 * may fail too. Arguments: sink, piece. [-2, +3, e] */
static int call_sink(lua_State *L) {
  const struct bytes *piece = lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)piece->data, piece->size);
  lua_call(L, 1, 3);
  return 3;
}

static enum stop pass_on(struct request *request, struct bytes piece) {
  lua_State *L = request->L;
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

static enum stop receive(struct request *request, char *data, size_t size) {
  if (request->max > 0 && size > request->max - request->received)
    return STOP_SIZE;
  request->received += size;
  if (request->has_sink)
    return pass_on(request, (struct bytes){(const uint8_t *)data, size});
  return append(&request->text, data, size) ? STOP_NONE : STOP_MEMORY;
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
  struct request *request = user;
  (void)one; /* always 1 */
  request->in_body = true;
  if (request->skip_body || size == 0) return size;
  request->stop = receive(request, data, size);
  return request->stop == STOP_NONE ? size : 0;
}

static bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 ||
         status == 308;
}

/* Each response (100 Continue is one too) starts the lines anew; what comes
 * after the body are trailers, which nobody here uses. */
static size_t on_header(char *line, size_t one, size_t size, void *user) {
  struct request *request = user;
  (void)one;
  if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    long status = 0;
    curl_easy_getinfo(request->client->easy, CURLINFO_RESPONSE_CODE, &status);
    request->head.size = 0;
    request->in_body = false;
    request->skip_body = request->redirects > 0 && is_redirect(status);
    return size;
  }
  if (request->in_body) return size;
  if (size > HEADERS_MAX - request->head.size)
    request->stop = STOP_SIZE;
  else if (!append(&request->head, line, size))
    request->stop = STOP_MEMORY;
  return request->stop == STOP_NONE ? size : 0;
}

/* Asks the body's owner each time: a sink or on_progress may have closed it. */
static size_t on_send(char *out, size_t one, size_t room, void *user) {
  struct request *request = user;
  struct bytes body = request->body;
  (void)one;
  if (request->source != NULL &&
      (request->source->get(request->source, &body) != 0 ||
       body.size != request->body.size))
    return CURL_READFUNC_ABORT;
  size_t left = body.size - request->sent;
  size_t size = left < room ? left : room;
  if (size > 0) memcpy(out, body.data + request->sent, size);
  request->sent += size;
  return size;
}

/* --- options ---------------------------------------------------------------
 */

static bool is_loopback(const char *host) {
  struct in_addr four;
  if (strcasecmp(host, "localhost") == 0) return true;
  if (strcmp(host, "[::1]") == 0) return true;
  return inet_pton(AF_INET, host, &four) == 1 &&
         ntohl(four.s_addr) >> 24 == 127;
}

static bool is_printable(const char *url) {
  while (*url > ' ' && *url < 127)
    url++;
  return *url == '\0';
}

/* Fills `target`. Returns NULL or what is wrong with the URL. */
static const char *read_url(const char *url, struct target *target) {
  char *scheme = NULL, *host = NULL, *port = NULL;
  const char *wrong = NULL;
  CURLU *parts = curl_url();
  if (parts == NULL) return "not enough memory";
  if (!is_printable(url) ||
      curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
      curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
      curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
      curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) !=
          CURLUE_OK) {
    wrong = "not a URL of the form http(s)://host/path in plain ASCII";
  } else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
    wrong = "only http and https are spoken";
  } else {
    char *user = NULL;
    if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
      wrong = "a URL must not carry a user or a password";
    curl_free(user);
    target->https = scheme[4] == 's';
    target->loopback = is_loopback(host);
    int length =
        snprintf(target->origin, ORIGIN_SIZE, "%s://%s:%s", scheme, host, port);
    if (length < 0 || length >= ORIGIN_SIZE) wrong = "its host is too long";
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parts);
  return wrong;
}

static bool is_token(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!isalnum((unsigned char)text[i]) &&
        strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
      return false;
  return size > 0;
}

static bool is_ours(const char *line, size_t size) {
  return (size == 14 && strncasecmp(line, "Content-Length", size) == 0) ||
         (size == 17 && strncasecmp(line, "Transfer-Encoding", size) == 0);
}

/* Raises unless the line on the top is a header that may be sent as it is.
 * libcurl takes "Name:" as a wish to drop a header, so empty values are
 * refused. [-0, +0, v] */
static const char *check_header(lua_State *L) {
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "option 'headers' must be an array of strings");
  const char *line = lua_tolstring(L, -1, &length);
  size_t name = strcspn(line, ":");
  size_t value = line[name] == ':' ? name + 1 : name;
  value += strspn(line + value, " \t");
  if (strlen(line) != length || strpbrk(line, "\r\n") != NULL ||
      !is_token(line, name) || line[value] == '\0')
    luaL_error(L, "option 'headers': not of the form 'Name: value'");
  if (is_ours(line, name))
    luaL_error(L, "option 'headers': the body decides about its length");
  return line;
}

static void add_header(lua_State *L, struct request *request,
                       const char *line) {
  struct curl_slist *longer = curl_slist_append(request->headers, line);
  if (longer == NULL) luaL_error(L, "not enough memory");
  request->headers = longer;
}

static void read_headers(lua_State *L, struct request *request) {
  /* libcurl would ask before every upload, however small. */
  if (request->body.size < ASK_FIRST) add_header(L, request, "Expect:");
  int type = lua_getfield(L, OPTIONS, "headers");
  if (type != LUA_TNIL && type != LUA_TTABLE)
    luaL_error(L, "option 'headers' must be an array of strings");
  lua_Integer count = type == LUA_TTABLE ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, -1, i);
    add_header(L, request, check_header(L));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static const char *read_method(lua_State *L) {
  const char *method = bind_opt_string(L, OPTIONS, "method", "GET");
  size_t length = strlen(method);
  if (length == 0 || strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != length)
    luaL_error(L, "option 'method' must be a word in capital letters");
  return method;
}

static double read_seconds(lua_State *L, const char *key, double otherwise) {
  double seconds = bind_opt_number(L, OPTIONS, key, otherwise);
  if (!(seconds >= 0 && seconds <= 1e6))
    luaL_error(L, "option '%s' must lie in 0..1e6", key);
  return seconds;
}

/* Milliseconds for libcurl, where 0 means no limit. */
static long milliseconds(double seconds) {
  return seconds > 0.001 ? (long)(seconds * 1000) : 1;
}

static void read_callback(lua_State *L, const char *key, int slot) {
  if (lua_getfield(L, OPTIONS, key) != LUA_TNIL && !lua_isfunction(L, -1))
    luaL_error(L, "option '%s' must be a function", key);
  lua_replace(L, slot);
}

static void read_body(lua_State *L, struct request *request) {
  lua_getfield(L, OPTIONS, "body");
  lua_replace(L, BODY);
  if (lua_isnil(L, BODY)) return;
  request->body = bind_bytes(L, BODY);
  if (lua_type(L, BODY) != LUA_TSTRING)
    request->source = lua_touserdata(L, BODY);
}

/* --- one exchange ----------------------------------------------------------
 */

static void set_method(CURL *easy, const char *method, bool has_body,
                       const struct request *request) {
  bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
  bool sends = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
               strcmp(method, "PATCH") == 0;
  if (strcmp(method, "HEAD") == 0) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (has_body || sends) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)request->body.size);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
  /* libcurl sends again, silently, when a kept connection turns out to be
   * closed. The server may have read the first one, so whatever is not a
   * read goes over a connection of its own and is sent once. */
  if (!reads) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void set_callbacks(CURL *easy, struct request *request) {
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
  curl_easy_setopt(easy, CURLOPT_READDATA, request);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
}

static void set_transport(CURL *easy, const struct limits *limits,
                          const char *ca_file) {
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for DNS */
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_SIZE);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_SIZE);
  if (limits->connect > 0)
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds(limits->connect));
  if (ca_file != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

/* Calls on_progress(done, total) with the bytes of the busier direction; total
 * is 0 where unknown. May raise: libcurl is not on the C stack here. */
static void tell_progress(lua_State *L, CURL *easy) {
  curl_off_t done = 0, total = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &done);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &total);
  if (total <= 0 || done >= total) {
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &done);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
  }
  lua_pushvalue(L, PROGRESS);
  lua_pushinteger(L, done);
  lua_pushinteger(L, total > 0 ? total : 0);
  lua_call(L, 2, 0);
}

/* Bytes of either direction so far. */
static curl_off_t traffic(CURL *easy) {
  curl_off_t down = 0, up = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
  return down + up;
}

static void detach(struct request *request) {
  if (!request->attached) return;
  request->attached = false;
  curl_multi_remove_handle(request->client->multi, request->client->easy);
}

/* Runs the transfer to its end or ours. [-0, +0, e] */
static CURLcode drive(lua_State *L, struct request *request, double stall) {
  CURLM *multi = request->client->multi;
  CURL *easy = request->client->easy;
  CURLcode result = CURLE_ABORTED_BY_CALLBACK;
  curl_off_t before = 0;
  double since = now(), told = since;
  int running = 1;
  while (curl_multi_perform(multi, &running) == CURLM_OK && running > 0) {
    double time = now();
    curl_off_t bytes = traffic(easy);
    if (bind_interrupted()) return CURLE_ABORTED_BY_CALLBACK;
    if (bytes != before) since = time;
    before = bytes;
    if (stall > 0 && time - since >= stall) {
      snprintf(request->error, sizeof request->error,
               "no byte moved for %.3g s", stall);
      return CURLE_OPERATION_TIMEDOUT;
    }
    if (!lua_isnil(L, PROGRESS) && time - told >= 0.1) {
      told = time;
      tell_progress(L, easy);
    }
    curl_multi_poll(multi, NULL, 0, SLICE, NULL);
  }
  int left = 0;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));)
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  return result;
}

/* One hop. [-0, +0, e] */
static CURLcode exchange(lua_State *L, struct request *request, const char *url,
                         const struct target *target,
                         const struct limits *limits) {
  CURL *easy = request->client->easy;
  double left = limits->deadline > 0 ? limits->deadline - now() : 0;
  request->head.size = request->text.size = 0;
  request->received = 0;
  request->error[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
  /* What goes to this machine never goes by way of another. */
  curl_easy_setopt(easy, CURLOPT_NOPROXY, target->loopback ? "*" : NULL);
  if (limits->deadline > 0)
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(left));
  if (curl_multi_add_handle(request->client->multi, easy) != CURLM_OK)
    return CURLE_FAILED_INIT;
  request->attached = true;
  CURLcode result = drive(L, request, limits->stall);
  detach(request);
  return result;
}

/* --- results ---------------------------------------------------------------
 */

/* Whether a failure came before the server could have seen anything: only then
 * may a request that changes something be sent again. */
static bool nothing_sent(CURL *easy, CURLcode result) {
  long bytes = 0;
  if (result == CURLE_COULDNT_RESOLVE_HOST ||
      result == CURLE_COULDNT_RESOLVE_PROXY || result == CURLE_COULDNT_CONNECT)
    return true;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes == 0;
}

static const char *failure_code(CURL *easy, CURLcode result) {
  switch (result) {
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return "tls";
  default:
    if (nothing_sent(easy, result)) return "unreachable";
    return result == CURLE_OPERATION_TIMEDOUT ? "timeout" : "network";
  }
}

/* Pushes "METHOD URL" without the query, which may carry a signature. */
static const char *push_name(lua_State *L, const char *method,
                             const char *url) {
  lua_pushfstring(L, "%s ", method);
  lua_pushlstring(L, url, strcspn(url, "?#"));
  lua_concat(L, 2);
  return lua_tostring(L, -1);
}

static int push_failure(lua_State *L, const struct request *request,
                        CURLcode result, const char *name) {
  char text[CURL_ERROR_SIZE];
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (request->stop == STOP_RAISED) {
    lua_pushvalue(L, MESSAGE);
    return lua_error(L);
  }
  if (request->stop == STOP_SINK) {
    lua_pushnil(L);
    lua_pushvalue(L, MESSAGE);
    lua_pushvalue(L, CODE);
    return 3;
  }
  if (request->stop == STOP_SIZE && !request->in_body)
    return bind_fail(L, "too_large", "%s: the answer's headers are too large",
                     name);
  if (request->stop == STOP_SIZE)
    return bind_fail(L, "too_large", "%s: the answer is larger than %I bytes",
                     name, (LUAI_UACINT)request->max);
  if (request->stop == STOP_MEMORY || result == CURLE_OUT_OF_MEMORY)
    return luaL_error(L, "%s: not enough memory", name);
  snprintf(text, sizeof text, "%s",
           request->error[0] != '\0' ? request->error
                                     : curl_easy_strerror(result));
  if (islower((unsigned char)text[1]))
    text[0] = (char)tolower((unsigned char)text[0]);
  return bind_fail(L, failure_code(request->client->easy, result), "%s: %s",
                   name, text);
}

/* Sets the header in `line` in the table on the top; a repeated one is joined
 * with commas, as HTTP allows. [-0, +0, m] */
static void set_header(lua_State *L, const char *line, size_t size) {
  const char *colon = memchr(line, ':', size);
  if (colon == NULL) return;
  size_t from = (size_t)(colon - line) + 1;
  luaL_Buffer name;
  luaL_buffinit(L, &name);
  for (const char *at = line; at < colon; at++)
    luaL_addchar(&name, (char)tolower((unsigned char)*at));
  luaL_pushresult(&name);
  while (from < size && isspace((unsigned char)line[from]))
    from++;
  while (size > from && isspace((unsigned char)line[size - 1]))
    size--;
  lua_pushvalue(L, -1);
  if (lua_gettable(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushlstring(L, line + from, size - from);
  } else {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, line + from, size - from);
    lua_concat(L, 3);
  }
  lua_settable(L, -3);
}

static void push_headers(lua_State *L, const struct text *head) {
  size_t at = 0;
  lua_newtable(L);
  while (at < head->size) {
    const char *line = head->data + at;
    const char *end = memchr(line, '\n', head->size - at);
    size_t size = end == NULL ? head->size - at : (size_t)(end - line) + 1;
    set_header(L, line, size);
    at += size;
  }
}

static int push_response(lua_State *L, const struct request *request,
                         const char *url) {
  long status = 0;
  curl_easy_getinfo(request->client->easy, CURLINFO_RESPONSE_CODE, &status);
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  push_headers(L, &request->head);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, (lua_Integer)request->received);
  lua_setfield(L, -2, "size");
  lua_pushstring(L, url);
  lua_setfield(L, -2, "url");
  if (!request->has_sink) {
    lua_pushlstring(L, request->text.size > 0 ? request->text.data : "",
                    request->text.size);
    lua_setfield(L, -2, "body");
  }
  return 1;
}

/* Pushes the URL that the answer leads to, NULL when it is the last one.
 * [-0, +1|0, m] */
static const char *push_next(lua_State *L, const struct request *request) {
  char *url = NULL;
  if (!request->skip_body) return NULL;
  curl_easy_getinfo(request->client->easy, CURLINFO_REDIRECT_URL, &url);
  return url == NULL ? NULL : lua_pushstring(L, url);
}

/* Pushes a failure, and returns true, when `url` may not be asked: never plain
 * http to other machines, nor after https. [-0, +0|3, m] */
static bool refuses(lua_State *L, const char *method, const char *url,
                    const struct target *from, struct target *to) {
  bool allow_http = bind_opt_boolean(L, OPTIONS, "allow_http", false);
  const char *wrong = read_url(url, to);
  if (wrong != NULL) {
    bind_fail(L, "config", "%s: %s", push_name(L, method, url), wrong);
    return true;
  }
  if (to->https) return false;
  if (from != NULL && from->https)
    bind_fail(L, "insecure", "%s: a redirect away from https",
              push_name(L, method, url));
  else if (!to->loopback && !allow_http)
    bind_fail(L, "insecure", "%s: plain http only reaches this machine",
              push_name(L, method, url));
  else
    return false;
  return true;
}

/* Sends, and follows as many redirects as allowed. Headers that scripts gave
 * (signatures, tokens) stay with the origin they were meant for. */
static int perform(lua_State *L, struct request *request, const char *method,
                   const char *url, const struct limits *limits) {
  struct target target;
  if (refuses(L, method, url, NULL, &target)) return 3;
  while (true) {
    CURLcode result = exchange(L, request, url, &target, limits);
    if (result != CURLE_OK)
      return push_failure(L, request, result, push_name(L, method, url));
    const char *next = push_next(L, request);
    if (next == NULL) return push_response(L, request, url);
    struct target before = target;
    if (refuses(L, method, next, &before, &target)) return 3;
    if (strcmp(before.origin, target.origin) != 0) {
      curl_slist_free_all(request->headers);
      request->headers = NULL;
    }
    url = next;
    request->redirects--;
    luaL_checkstack(L, 20, NULL);
  }
}

static int request_close(lua_State *L) {
  struct request *request = luaL_checkudata(L, 1, REQUEST_META);
  if (request->client == NULL) return 0;
  detach(request);
  curl_easy_reset(request->client->easy);
  request->client->busy = false;
  request->client = NULL;
  curl_slist_free_all(request->headers);
  free(request->head.data);
  free(request->text.data);
  return 0;
}

/* Pushes the state of a request, closed when the caller returns. [-0, +1, e] */
static struct request *push_request(lua_State *L) {
  struct client *client = lua_touserdata(L, lua_upvalueindex(1));
  if (client->busy)
    luaL_error(L, "a request is made inside another's callback");
  struct request *request = lua_newuserdatauv(L, sizeof *request, 0);
  *request = (struct request){.L = L, .client = NULL};
  luaL_setmetatable(L, REQUEST_META);
  lua_toclose(L, -1);
  request->client = client;
  client->busy = true;
  return request;
}

/* request{method=, url=, headers=, body=, sink=, max_bytes=, timeout=,
 * connect_timeout=, stall_timeout=, redirects=, ca_file=, allow_http=,
 * on_progress=} -> {status, headers, body, size, url} | nil, message, code. */
static int f_request(lua_State *L) {
  static const char *const keys[] = {
      "method",      "url",        "headers",         "body",
      "sink",        "max_bytes",  "timeout",         "redirects",
      "ca_file",     "allow_http", "connect_timeout", "stall_timeout",
      "on_progress", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, CODE);
  const char *method = read_method(L);
  const char *url = bind_opt_string(L, OPTIONS, "url", NULL);
  if (url == NULL) return luaL_error(L, "option 'url' is missing");
  double timeout = read_seconds(L, "timeout", 30);
  struct limits limits = {timeout > 0 ? now() + timeout : 0,
                          read_seconds(L, "connect_timeout", 10),
                          read_seconds(L, "stall_timeout", 30)};
  bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
  long redirects = (long)bind_opt_integer(L, OPTIONS, "redirects", 0, 50, 0);
  const char *ca_file = bind_opt_string(L, OPTIONS, "ca_file", NULL);
  read_callback(L, "sink", SINK);
  read_callback(L, "on_progress", PROGRESS);
  struct request *request = push_request(L);
  request->has_sink = !lua_isnil(L, SINK);
  request->redirects = reads ? redirects : 0;
  request->max = (uint64_t)bind_opt_integer(L, OPTIONS, "max_bytes", 0,
                                            (lua_Integer)1 << 53,
                                            request->has_sink ? 0 : BODY_MAX);
  read_body(L, request);
  read_headers(L, request);
  luaL_checkstack(L, 20, NULL);
  set_callbacks(request->client->easy, request);
  set_transport(request->client->easy, &limits, ca_file);
  set_method(request->client->easy, method, !lua_isnil(L, BODY), request);
  return perform(L, request, method, url, &limits);
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
  static const luaL_Reg functions[] = {BIND(request), {NULL, NULL}};
  bind_type(L, CLIENT_META, methods, client_close, client_tostring);
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
