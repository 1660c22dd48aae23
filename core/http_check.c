/* URLs are taken apart by libcurl itself, so that what is judged here is what
 * it connects to. */
#include "http_check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

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

const char *http_check_url(const char *url, struct target *target) {
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
    int length = snprintf(target->origin, HTTP_ORIGIN_SIZE, "%s://%s:%s",
                          scheme, host, port);
    if (length < 0 || length >= HTTP_ORIGIN_SIZE)
      wrong = "its host is too long";
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

/* libcurl takes "Name:" as a wish to drop a header, so empty values are
 * refused. */
const char *http_check_header(const char *line, size_t length) {
  size_t name = strcspn(line, ":");
  size_t value = line[name] == ':' ? name + 1 : name;
  value += strspn(line + value, " \t");
  if (strlen(line) != length || strpbrk(line, "\r\n") != NULL ||
      !is_token(line, name) || line[value] == '\0')
    return "not of the form 'Name: value'";
  return is_ours(line, name) ? "the body decides about its length" : NULL;
}
