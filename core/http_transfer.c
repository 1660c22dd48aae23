/* Driving libcurl: its settings, its callbacks, one exchange.
 *
 * The multi handle is driven here and not by curl_easy_perform: that bounds the
 * time in which Ctrl-C is noticed. */
#include "http_transfer.h"

#include <stdio.h>
#include <string.h>

enum {
  HEADERS_MAX = 256 << 10,
  RECEIVE_SIZE = 256 << 10,
  SEND_SIZE = 512 << 10,
  SLICE = 100 /* ms between two looks at the interrupt flag */
};

/* --- callbacks of libcurl: no Lua error may cross them ---------------------
 */

static enum stop receive(struct transfer *transfer, char *data, size_t size) {
  if (transfer->max > 0 && size > transfer->max - transfer->received)
    return STOP_SIZE;
  transfer->received += size;
  if (transfer->sink != NULL)
    return transfer->sink(transfer->owner,
                          (struct bytes){(const uint8_t *)data, size});
  return text_append(&transfer->text, data, size) ? STOP_NONE : STOP_MEMORY;
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
  struct transfer *transfer = user;
  (void)one; /* always 1 */
  transfer->in_body = true;
  if (transfer->skip_body || size == 0) return size;
  transfer->stop = receive(transfer, data, size);
  return transfer->stop == STOP_NONE ? size : 0;
}

static bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 ||
         status == 308;
}

/* Each response (100 Continue is one too) starts the lines anew; what comes
 * after the body are trailers, which nobody here uses. */
static size_t on_header(char *line, size_t one, size_t size, void *user) {
  struct transfer *transfer = user;
  (void)one;
  if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) {
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->head.size = 0;
    transfer->in_body = false;
    transfer->skip_body = transfer->redirects > 0 && is_redirect(status);
    return size;
  }
  if (transfer->in_body) return size;
  if (size > HEADERS_MAX - transfer->head.size)
    transfer->stop = STOP_SIZE;
  else if (!text_append(&transfer->head, line, size))
    transfer->stop = STOP_MEMORY;
  return transfer->stop == STOP_NONE ? size : 0;
}

/* Asks the body's owner each time: a sink or on_progress may have closed it. */
static size_t on_send(char *out, size_t one, size_t room, void *user) {
  struct transfer *transfer = user;
  struct bytes body = transfer->body;
  (void)one;
  if (transfer->source != NULL &&
      (transfer->source->get(transfer->source, &body) != 0 ||
       body.size != transfer->body.size))
    return CURL_READFUNC_ABORT;
  size_t left = body.size - transfer->sent;
  size_t size = left < room ? left : room;
  if (size > 0) memcpy(out, body.data + transfer->sent, size);
  transfer->sent += size;
  return size;
}

/* Milliseconds for libcurl, where 0 means no limit. */
static long milliseconds(double seconds) {
  return seconds > 0.001 ? (long)(seconds * 1000) : 1;
}

/* --- one exchange ----------------------------------------------------------
 */

static void set_method(CURL *easy, const char *method, bool has_body,
                       const struct transfer *transfer) {
  bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
  bool sends = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
               strcmp(method, "PATCH") == 0;
  if (strcmp(method, "HEAD") == 0) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (has_body || sends) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)transfer->body.size);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
  /* libcurl sends again, silently, when a kept connection turns out to be
   * closed. The server may have read the first one, so whatever is not a
   * read goes over a connection of its own and is sent once. */
  if (!reads) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void set_callbacks(CURL *easy, struct transfer *transfer) {
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
  curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
}

void http_transport(CURL *easy, bool http2, double connect,
                    const char *ca_file) {
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   http2 ? (long)CURL_HTTP_VERSION_2TLS
                         : (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for DNS */
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_SIZE);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_SIZE);
  if (connect > 0)
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(connect));
  if (ca_file != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

void http_prepare(struct transfer *transfer, const char *method, bool has_body,
                  const char *ca_file) {
  set_callbacks(transfer->easy, transfer);
  http_transport(transfer->easy, transfer->http2, transfer->connect, ca_file);
  set_method(transfer->easy, method, has_body, transfer);
}

/* Tells the bytes of the busier direction. libcurl is not on the C stack here,
 * and nothing is held: the owner may raise. */
static void tell_progress(const struct transfer *transfer) {
  curl_off_t done = 0, total = 0;
  CURL *easy = transfer->easy;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &done);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &total);
  if (total <= 0 || done >= total) {
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &done);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
  }
  transfer->progress(transfer->owner, (uint64_t)done,
                     total > 0 ? (uint64_t)total : 0);
}

/* Bytes of either direction so far. */
static curl_off_t traffic(CURL *easy) {
  curl_off_t down = 0, up = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &up);
  return down + up;
}

static void detach(struct transfer *transfer) {
  if (!transfer->attached) return;
  transfer->attached = false;
  curl_multi_remove_handle(transfer->multi, transfer->easy);
}

static bool stalls(struct transfer *transfer, double seconds) {
  if (transfer->stall <= 0 || seconds < transfer->stall) return false;
  snprintf(transfer->error, sizeof transfer->error, "no byte moved for %.3g s",
           transfer->stall);
  return true;
}

/* Runs the transfer to its end or ours. */
static CURLcode drive(struct transfer *transfer) {
  CURLM *multi = transfer->multi;
  CURLcode result = CURLE_ABORTED_BY_CALLBACK;
  curl_off_t before = 0;
  double since = base_now(), told = since;
  int running = 1;
  while (curl_multi_perform(multi, &running) == CURLM_OK && running > 0) {
    double time = base_now();
    curl_off_t bytes = traffic(transfer->easy);
    if (bind_interrupted()) return CURLE_ABORTED_BY_CALLBACK;
    if (bytes != before) since = time;
    before = bytes;
    if (stalls(transfer, time - since)) return CURLE_OPERATION_TIMEDOUT;
    if (transfer->progress != NULL && time - told >= 0.1) {
      told = time;
      tell_progress(transfer);
    }
    curl_multi_poll(multi, NULL, 0, SLICE, NULL);
  }
  int left = 0;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));)
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  return result;
}

CURLcode http_exchange(struct transfer *transfer, const char *url,
                       bool direct) {
  CURL *easy = transfer->easy;
  transfer->head.size = transfer->text.size = 0;
  transfer->received = 0;
  transfer->error[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, direct ? "*" : NULL);
  if (transfer->deadline > 0)
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     milliseconds(transfer->deadline - base_now()));
  if (curl_multi_add_handle(transfer->multi, easy) != CURLM_OK)
    return CURLE_FAILED_INIT;
  transfer->attached = true;
  CURLcode result = drive(transfer);
  detach(transfer);
  return result;
}

void http_close(struct transfer *transfer) {
  if (transfer->multi == NULL) return;
  detach(transfer);
  curl_easy_reset(transfer->easy);
  curl_slist_free_all(transfer->headers);
  text_free(&transfer->head);
  text_free(&transfer->text);
  *transfer = (struct transfer){0};
}
