/* Unicode's part of tokenization, by utf8proc and PCRE2. */
#include "tokenizer_text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

int splitter_open(struct splitter *splitter, struct bytes pattern,
                  size_t *place) {
  int error = 0;
  PCRE2_SIZE at = 0;
  /* Bytes that are no UTF-8 match nothing and make pieces of their own. */
  splitter->code = pcre2_compile(
      pattern.data, pattern.size,
      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &at, NULL);
  *place = at;
  if (splitter->code == NULL) return error;
  pcre2_jit_compile(splitter->code, PCRE2_JIT_COMPLETE); /* if it can */
  splitter->match = pcre2_match_data_create_from_pattern(splitter->code, NULL);
  return splitter->match != NULL ? 0 : PCRE2_ERROR_NOMEMORY;
}

void splitter_close(struct splitter *splitter) {
  pcre2_match_data_free(splitter->match);
  pcre2_code_free(splitter->code);
  *splitter = (struct splitter){0};
}

size_t splitter_next(const struct splitter *splitter, struct bytes text,
                     size_t from) {
  int found = pcre2_match(splitter->code, text.data, text.size, from,
                          PCRE2_NOTEMPTY, splitter->match, NULL);
  if (found == PCRE2_ERROR_NOMATCH) return text.size;
  if (found < 0) return from;
  const PCRE2_SIZE *range = pcre2_get_ovector_pointer(splitter->match);
  return range[0] > from ? range[0] : range[1];
}

/* Bytes of the longest valid run at the start; 0 when the first is not. */
static size_t valid_run(struct bytes text) {
  size_t at = 0;
  while (at < text.size) {
    utf8proc_int32_t point;
    utf8proc_ssize_t size = utf8proc_iterate(
        text.data + at, (utf8proc_ssize_t)(text.size - at), &point);
    if (size <= 0) break;
    at += (size_t)size;
  }
  return at;
}

static bool append_run(struct text *out, struct bytes run) {
  utf8proc_uint8_t *normal = NULL;
  utf8proc_ssize_t size =
      utf8proc_map(run.data, (utf8proc_ssize_t)run.size, &normal,
                   UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  bool done = size >= 0 && text_append(out, (const char *)normal, (size_t)size);
  free(normal);
  return done;
}

bool text_append_nfc(struct text *out, struct bytes text) {
  while (text.size > 0) {
    size_t run = valid_run(text);
    bool done = run > 0 ? append_run(out, (struct bytes){text.data, run})
                        : text_append(out, (const char *)text.data, 1);
    if (!done) return false;
    size_t step = run > 0 ? run : 1;
    text = (struct bytes){text.data + step, text.size - step};
  }
  return true;
}
