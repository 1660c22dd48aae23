/* What happens to a text before its words are encoded: normal form, and the
 * split into words; plain C under core.tokenizer. */
#ifndef BITTERN_TOKENIZER_TEXT_H
#define BITTERN_TOKENIZER_TEXT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base.h"

/* A pattern whose matches, and what lies between them, are pieces. */
struct splitter {
  pcre2_code *code;
  pcre2_match_data *match;
};

/* Compiles a pattern. Returns 0, or PCRE2's error number with its place. */
int splitter_open(struct splitter *splitter, struct bytes pattern,
                  size_t *place);

void splitter_close(struct splitter *splitter);

/* Where the piece of `text` ends that begins at `from`; at the text's end when
 * nothing matches any more. `from` when PCRE2 gives up. */
size_t splitter_next(const struct splitter *splitter, struct bytes text,
                     size_t from);

/* Appends the NFC form of `text`; bytes that are no UTF-8 stay as they are.
 * False without memory. */
bool text_append_nfc(struct text *out, struct bytes text);

#endif
