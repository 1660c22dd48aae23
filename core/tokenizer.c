/* core.tokenizer: texts to tokens by byte-level byte-pair encoding, as
 * tokenizer.json describes it. The vocabulary's text is read by scripts; here
 * are added tokens, normal form, the split into words, and merges. */
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "buffer.h"
#include "tokenizer_bpe.h"
#include "tokenizer_text.h"

#define TOKENIZER_META "bittern.tokenizer"
#define JOB_META       "bittern.tokenizer_job"

enum { MOST_SPLITTERS = 8, MOST_TEXT = 1 << 30 };

/* A token that stands for a text of its own, whatever surrounds it. */
struct added {
  const char *text; /* kept by the user value */
  size_t size;
  int32_t id;
  bool lstrip, rstrip; /* takes the white space before or after it along */
};

struct tokenizer {
  struct bpe bpe;
  struct splitter splitters[MOST_SPLITTERS];
  size_t splitter_count;
  struct added *added; /* longest first */
  size_t added_count;
  bool starts[256]; /* bytes with which an added token begins */
  bool nfc;
  bool prefix_space; /* a text that does not begin with a space gets one */
};

/* User values of a tokenizer. */
enum { ADDED = 1, WORDS };

/* Stack slot of a call of encode(): the table of whole words, or nil. */
enum { WORDS_SLOT = 3 };

/* One call of encode(). */
struct job {
  lua_State *L;
  bool has_words;
  struct tokens tokens;
  struct text normal;
};

int luaopen_core_tokenizer(lua_State *L);

/* ---- options ---- */

static const int32_t *check_numbers(lua_State *L, const char *key,
                                    size_t *count) {
  lua_getfield(L, 1, key);
  const struct buffer *buffer = buffer_test(L, -1, DTYPE_I32);
  if (buffer == NULL) luaL_error(L, "option '%s' must be an i32 buffer", key);
  *count = buffer->count;
  lua_pop(L, 1); /* the options keep it */
  return buffer->data;
}

static void read_merges(lua_State *L, struct bpe *bpe) {
  size_t count;
  const int32_t *bytes = check_numbers(L, "bytes", &count);
  if (count != 256) luaL_error(L, "option 'bytes' must have 256 tokens");
  memcpy(bpe->bytes, bytes, sizeof bpe->bytes);
  const int32_t *merges = check_numbers(L, "merges", &count);
  if (count % 3 != 0 || count / 3 > INT32_MAX)
    luaL_error(L, "option 'merges' must have three numbers for each merge");
  if (!bpe_open(bpe, count / 3)) luaL_error(L, "not enough memory");
  for (size_t i = 0; i < count / 3; i++)
    bpe_add(bpe, (struct merge){merges[3 * i], merges[3 * i + 1], (int32_t)i,
                                merges[3 * i + 2]});
}

/* nil, message, code, or 0. */
static int read_splitters(lua_State *L, struct tokenizer *tokenizer) {
  lua_getfield(L, 1, "patterns");
  lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  if (count > MOST_SPLITTERS) luaL_error(L, "too many patterns");
  for (lua_Integer i = 1; i <= count; i++) {
    size_t place;
    lua_geti(L, -1, i);
    struct splitter *splitter = &tokenizer->splitters[i - 1];
    tokenizer->splitter_count = (size_t)i;
    int error = splitter_open(splitter, bind_bytes(L, -1), &place);
    if (error != 0) {
      PCRE2_UCHAR text[120];
      pcre2_get_error_message(error, text, sizeof text);
      return bind_fail(L, "invalid_model", "pattern %d, place %I: %s", (int)i,
                       (LUAI_UACINT)place, (const char *)text);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return 0;
}

/* The added token at the top, {text, id, lstrip, rstrip}. */
static struct added read_one(lua_State *L, int slot) {
  struct added added = {0};
  lua_getfield(L, slot, "text");
  added.text = luaL_checklstring(L, -1, &added.size);
  lua_getfield(L, slot, "id");
  added.id = (int32_t)luaL_checkinteger(L, -1);
  lua_getfield(L, slot, "lstrip");
  added.lstrip = lua_toboolean(L, -1) != 0;
  lua_getfield(L, slot, "rstrip");
  added.rstrip = lua_toboolean(L, -1) != 0;
  lua_pop(L, 4); /* the user value keeps the text */
  if (added.size == 0) luaL_error(L, "an added token is empty");
  return added;
}

static int by_length(const void *a, const void *b) {
  const struct added *x = a, *y = b;
  return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

/* Tokenizer at the top of the stack. */
static void read_added(lua_State *L, struct tokenizer *tokenizer) {
  if (lua_getfield(L, 1, "added") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t count = (size_t)luaL_len(L, -1);
  tokenizer->added = calloc(count + 1, sizeof *tokenizer->added);
  if (tokenizer->added == NULL) luaL_error(L, "not enough memory");
  for (size_t i = 0; i < count; i++) {
    lua_geti(L, -1, (lua_Integer)i + 1);
    struct added added = read_one(L, lua_gettop(L));
    tokenizer->added[tokenizer->added_count++] = added;
    tokenizer->starts[(unsigned char)added.text[0]] = true;
    lua_pop(L, 1);
  }
  qsort(tokenizer->added, count, sizeof *tokenizer->added, by_length);
  lua_setiuservalue(L, -2, ADDED);
}

/* new{bytes = i32 [256], merges = i32 [n * 3] of left, right, token in order of
 * rank, patterns = array of PCRE2 patterns, each splitting the pieces of the
 * one before, added = array of {text, id, lstrip, rstrip}, nfc = false,
 * prefix_space = false, words = {word = token}: those that are not split, or
 * nil}
 * -> tokenizer | nil, message, code. The tables must not
 * change afterwards. */
static int f_new(lua_State *L) {
  static const char *const keys[] = {"bytes", "merges", "patterns",
                                     "added", "nfc",    "prefix_space",
                                     "words", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 1, keys);
  lua_settop(L, 1);
  struct tokenizer *tokenizer = lua_newuserdatauv(L, sizeof *tokenizer, 2);
  *tokenizer = (struct tokenizer){0};
  luaL_setmetatable(L, TOKENIZER_META);
  tokenizer->nfc = bind_opt_boolean(L, 1, "nfc", false);
  tokenizer->prefix_space = bind_opt_boolean(L, 1, "prefix_space", false);
  read_merges(L, &tokenizer->bpe);
  int failed = read_splitters(L, tokenizer);
  if (failed != 0) return failed;
  read_added(L, tokenizer);
  lua_getfield(L, 1, "words");
  lua_setiuservalue(L, -2, WORDS);
  return 1;
}

/* ---- encoding ---- */

static struct bytes part_of(struct bytes text, size_t from, size_t to) {
  return (struct bytes){text.data + from, to - from};
}

/* Adds the token that a whole word is. [-0, +0, m] */
static bool add_whole(struct job *job, struct bytes word) {
  lua_State *L = job->L;
  if (!job->has_words) return false;
  lua_pushlstring(L, (const char *)word.data, word.size);
  bool is_token = lua_rawget(L, WORDS_SLOT) == LUA_TNUMBER;
  if (is_token && !tokens_add(&job->tokens, (int32_t)lua_tointeger(L, -1)))
    luaL_error(L, "not enough memory");
  lua_pop(L, 1);
  return is_token;
}

/* Encodes a piece that all splitters have made. Returns NULL or what is wrong.
 */
static const char *encode_word(const struct tokenizer *tokenizer,
                               struct bytes word, struct job *job) {
  size_t bad;
  if (add_whole(job, word)) return NULL;
  switch (bpe_encode(&tokenizer->bpe, word, &job->tokens, &bad)) {
  case BPE_NO_MEMORY:
    return "not enough memory";
  case BPE_NO_TOKEN:
    return "the vocabulary has no token for one of its bytes";
  default:
    return NULL;
  }
}

/* The same for a piece that `level` of them have made. */
static const char *encode_piece(const struct tokenizer *tokenizer, size_t level,
                                struct bytes piece, struct job *job) {
  if (level == tokenizer->splitter_count)
    return encode_word(tokenizer, piece, job);
  for (size_t from = 0, to; from < piece.size; from = to) {
    to = splitter_next(&tokenizer->splitters[level], piece, from);
    if (to == from) return "a pattern cannot be matched against it";
    if (bind_interrupted()) return "interrupted";
    const char *wrong =
        encode_piece(tokenizer, level + 1, part_of(piece, from, to), job);
    if (wrong != NULL) return wrong;
  }
  return NULL;
}

/* A run of text between added tokens. */
static const char *encode_run(const struct tokenizer *tokenizer,
                              struct bytes run, struct job *job) {
  if (run.size == 0) return NULL;
  job->normal.size = 0;
  if (tokenizer->prefix_space && run.data[0] != ' ' &&
      !text_append(&job->normal, " ", 1))
    return "not enough memory";
  if (tokenizer->nfc) {
    if (!text_append_nfc(&job->normal, run)) return "not enough memory";
  } else if (job->normal.size > 0 &&
             !text_append(&job->normal, (const char *)run.data, run.size)) {
    return "not enough memory";
  }
  if (job->normal.size > 0)
    run = (struct bytes){(const uint8_t *)job->normal.data, job->normal.size};
  return encode_piece(tokenizer, 0, run, job);
}

/* The added token that the text has at `at`, the longest one, or NULL. */
static const struct added *added_at(const struct tokenizer *tokenizer,
                                    struct bytes text, size_t at) {
  if (!tokenizer->starts[text.data[at]]) return NULL;
  for (size_t i = 0; i < tokenizer->added_count; i++) {
    const struct added *added = &tokenizer->added[i];
    if (added->size <= text.size - at &&
        memcmp(added->text, text.data + at, added->size) == 0)
      return added;
  }
  return NULL;
}

static bool is_space(uint8_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static const char *encode(const struct tokenizer *tokenizer, struct bytes text,
                          struct job *job) {
  size_t from = 0;
  for (size_t at = 0; at < text.size;) {
    const struct added *added = added_at(tokenizer, text, at);
    if (added == NULL) {
      at++;
      continue;
    }
    size_t to = at;
    while (added->lstrip && to > from && is_space(text.data[to - 1]))
      to--;
    const char *wrong = encode_run(tokenizer, part_of(text, from, to), job);
    if (wrong != NULL) return wrong;
    if (!tokens_add(&job->tokens, added->id)) return "not enough memory";
    at += added->size;
    while (added->rstrip && at < text.size && is_space(text.data[at]))
      at++;
    from = at;
  }
  return encode_run(tokenizer, part_of(text, from, text.size), job);
}

static int job_close(lua_State *L) {
  struct job *job = luaL_checkudata(L, 1, JOB_META);
  tokens_free(&job->tokens);
  text_free(&job->normal);
  return 0;
}

/* tokenizer:encode(text) -> i32 buffer of tokens | nil, message, code. */
static int tokenizer_encode(lua_State *L) {
  const struct tokenizer *tokenizer = luaL_checkudata(L, 1, TOKENIZER_META);
  luaL_argcheck(L, tokenizer->bpe.merges != NULL, 1, "tokenizer is closed");
  struct bytes text = bind_bytes(L, 2);
  luaL_argcheck(L, text.size <= MOST_TEXT, 2, "is too long");
  lua_settop(L, 2);
  bool has_words = lua_getiuservalue(L, 1, WORDS) == LUA_TTABLE;
  struct job *job = lua_newuserdatauv(L, sizeof *job, 0);
  *job = (struct job){.L = L, .has_words = has_words};
  luaL_setmetatable(L, JOB_META);
  lua_toclose(L, -1);
  const char *wrong = encode(tokenizer, text, job);
  if (bind_interrupted()) return bind_fail(L, "interrupted", "interrupted");
  if (wrong != NULL) return bind_fail(L, "invalid_model", "text: %s", wrong);
  struct buffer *out = buffer_push(L, DTYPE_I32, job->tokens.count);
  if (job->tokens.count > 0)
    memcpy(out->data, job->tokens.ids,
           job->tokens.count * sizeof *job->tokens.ids);
  return 1;
}

/* tokenizer:close(): gives its memory back. */
static int tokenizer_close(lua_State *L) {
  struct tokenizer *tokenizer = luaL_checkudata(L, 1, TOKENIZER_META);
  bpe_close(&tokenizer->bpe);
  for (size_t i = 0; i < tokenizer->splitter_count; i++)
    splitter_close(&tokenizer->splitters[i]);
  free(tokenizer->added);
  *tokenizer = (struct tokenizer){0};
  return 0;
}

static int tokenizer_tostring(lua_State *L) {
  lua_pushliteral(L, "tokenizer");
  return 1;
}

/* nfc(text) -> string: its normal form C; bytes that are no UTF-8 stay. */
static int f_nfc(lua_State *L) {
  struct bytes text = bind_bytes(L, 1);
  struct job *job = lua_newuserdatauv(L, sizeof *job, 0);
  *job = (struct job){0};
  luaL_setmetatable(L, JOB_META);
  lua_toclose(L, -1);
  if (!text_append_nfc(&job->normal, text))
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, job->normal.size > 0 ? job->normal.data : "",
                  job->normal.size);
  return 1;
}

static int job_tostring(lua_State *L) {
  lua_pushliteral(L, "tokens");
  return 1;
}

int luaopen_core_tokenizer(lua_State *L) {
  static const luaL_Reg tokenizer_methods[] = {
      {"encode", tokenizer_encode}, {"close", tokenizer_close}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(new), BIND(nfc), {NULL, NULL}};
  buffer_require(L);
  bind_type(L, TOKENIZER_META, tokenizer_methods, tokenizer_close,
            tokenizer_tostring);
  bind_type(L, JOB_META, none, job_close, job_tostring);
  luaL_newlib(L, functions);
  return 1;
}
