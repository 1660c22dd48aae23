/* Failures of libcurl in this program's words. */
#include "http_failure.h"

#include <stdbool.h>
#include <string.h>

/* Status of the proxy's answer to CONNECT; 0 where there was none. */
static long proxy_status(CURL *easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return status;
}

/* Whether a failure came before the server could have seen anything: only then
 * may a request that changes something be sent again. */
static bool nothing_sent(CURL *easy, CURLcode result) {
  long bytes = 0;
  if (result == CURLE_COULDNT_RESOLVE_HOST ||
      result == CURLE_COULDNT_RESOLVE_PROXY ||
      result == CURLE_COULDNT_CONNECT || proxy_status(easy) >= 500)
    return true;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes == 0;
}

static const char *code_of(CURL *easy, CURLcode result) {
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

/* Whether libcurl makes nothing of the proxy's address in the environment. It
 * quotes that address then, password and all. */
static bool is_bad_proxy(const char *error) {
  return strstr(error, "proxy") != NULL && strchr(error, '\'') != NULL;
}

struct failure http_failure(CURL *easy, CURLcode result, const char *error) {
  long status = proxy_status(easy);
  if (error[0] == '\0') error = curl_easy_strerror(result);
  if (is_bad_proxy(error))
    return (struct failure){
        "config", "HTTPS_PROXY or ALL_PROXY is not of the form http://host"};
  if (status >= 400 && status < 500) return (struct failure){"proxy", error};
  return (struct failure){code_of(easy, result), error};
}
