/* core.keybox: secrets. Their bytes lie in guarded, locked memory of libsodium,
 * outside Lua's: nothing copies, swaps or dumps them, and closing wipes them.
 * A secret lends its bytes like a map does; slices are views that keep it. */
#include "keybox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <sodium.h>

#include "bind.h"
#include "keybox_read.h"
#include "keybox_text.h"

#define SECRET_META "bittern.secret"

/* What the `code` of failures is that concern what a secret says. */
#define CODE "key"

enum { READ_MAX = 1 << 20, LINE_ROOM = 1024, SALT = 16, DERIVED = 32 };
enum { NONCE = crypto_secretbox_NONCEBYTES, TAG = crypto_secretbox_MACBYTES };

/* A slice's owner is its user value, so the pointer holds. */
struct secret {
  struct source source;
  uint8_t *block;       /* from sodium_malloc; NULL in slices and once closed */
  struct secret *owner; /* itself, or whose block a slice shows */
  size_t from, size;    /* in the owner's block */
};

int luaopen_core_keybox(lua_State *L);

void keybox_require(lua_State *L) {
  luaL_requiref(L, "core.keybox", luaopen_core_keybox, 0);
  lua_pop(L, 1);
}

void keybox_guard(void) {
  struct rlimit core = {0};
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;
  setrlimit(RLIMIT_CORE, &core);
}

static int secret_bytes(const struct source *source, struct bytes *out) {
  const struct secret *secret = (const struct secret *)source;
  const uint8_t *block = secret->owner->block;
  if (block == NULL) return -1;
  *out = (struct bytes){block + secret->from, secret->size};
  return 0;
}

/* Pushes a secret without a block. [-0, +1, m] */
static struct secret *push_closed(lua_State *L) {
  struct secret *secret = lua_newuserdatauv(L, sizeof *secret, 1);
  *secret = (struct secret){.source = {secret_bytes}, .owner = secret};
  luaL_setmetatable(L, SECRET_META);
  return secret;
}

/* Gives it `room` zeros. False without memory. */
static bool make_room(struct secret *secret, size_t room) {
  keybox_guard();
  secret->block = sodium_malloc(room);
  if (secret->block == NULL) return false;
  sodium_memzero(secret->block, room);
  secret->size = room;
  return true;
}

static int fail_memory(lua_State *L) {
  return bind_fail(L, "no_memory", "no locked memory for a secret");
}

uint8_t *keybox_push(lua_State *L, size_t size) {
  struct secret *secret = push_closed(L);
  if (make_room(secret, size)) return secret->block;
  fail_memory(L);
  return NULL;
}

void keybox_cut(lua_State *L, size_t size) {
  struct secret *secret = luaL_checkudata(L, -1, SECRET_META);
  if (size < secret->size) secret->size = size;
}

/* secret:close(): wipes the bytes; slices of it are empty from then on. */
static int secret_close(lua_State *L) {
  struct secret *secret = luaL_checkudata(L, 1, SECRET_META);
  sodium_free(secret->block); /* wipes it */
  secret->block = NULL;
  secret->owner = secret;
  return 0;
}

/* --- where secrets come from -----------------------------------------------
 */

/* Fills a secret from a file, of known size or not, with one byte more than
 * `max` when it is larger. Returns 0 or an errno value. */
static int read_file(const char *path, size_t max, struct secret *secret,
                     struct stat *info) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return errno;
  int error = fstat(fd, info) == 0 ? 0 : errno;
  bool known = info->st_size > 0 && (uintmax_t)info->st_size <= max;
  size_t room = known ? (size_t)info->st_size + 1 : max + 1;
  if (error == 0 && !make_room(secret, room)) error = ENOMEM;
  if (error == 0) error = keybox_fill(fd, secret->block, room, &secret->size);
  close(fd);
  return error;
}

/* read(path [, max = 64 KiB]) -> secret, {mode, uid} of the file | nil,
 * message, code; a larger file is "too_large". */
static int f_read(lua_State *L) {
  struct stat info = {0};
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, strlen(path) == length, 1, "path contains a zero byte");
  lua_Integer max = luaL_optinteger(L, 2, 1 << 16);
  luaL_argcheck(L, max >= 0 && max <= READ_MAX, 2, "must lie in 0..2^20");
  struct secret *secret = push_closed(L);
  int error = read_file(path, (size_t)max, secret, &info);
  if (error != 0) return bind_errno(L, error, path);
  if (secret->size > (size_t)max)
    return bind_fail(L, "too_large", "%s: larger than %I bytes", path,
                     (LUAI_UACINT)max);
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, info.st_mode & 07777);
  lua_setfield(L, -2, "mode");
  lua_pushinteger(L, info.st_uid);
  lua_setfield(L, -2, "uid");
  return 2;
}

/* line(fd) -> secret | nil, message, code: a line without its end, at most 1023
 * bytes. A terminal does not show what is typed. */
static int f_line(lua_State *L) {
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "not a file descriptor");
  struct secret *secret = push_closed(L);
  if (!make_room(secret, LINE_ROOM)) return fail_memory(L);
  int error = keybox_line((int)fd, secret->block, LINE_ROOM, &secret->size);
  if (error == 0) return 1;
  if (error == EINTR) return bind_fail(L, "interrupted", "interrupted");
  const char *what = lua_pushfstring(L, "file descriptor %d", (int)fd);
  return bind_errno(L, error, what);
}

/* join(parts (array of bytes)) -> secret | nil, message, code: the parts one
 * after the other. */
static int f_join(lua_State *L) {
  size_t total = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= count; i++, lua_settop(L, 1)) {
    lua_geti(L, 1, i);
    struct bytes part = bind_bytes(L, 2);
    luaL_argcheck(L, part.size <= READ_MAX - total, 1, "larger than 1 MiB");
    total += part.size;
  }
  uint8_t *at = keybox_push(L, total);
  if (at == NULL) return 3;
  for (lua_Integer i = 1; i <= count; i++, lua_settop(L, 2)) {
    lua_geti(L, 1, i);
    struct bytes part = bind_bytes(L, 3);
    if (part.size > 0) memcpy(at, part.data, part.size);
    at += part.size;
  }
  return 1;
}

/* derive(password (bytes), salt of 16 bytes, passes (integer), memory
 * (integer: bytes)) -> secret of 32 bytes | nil, message, code: Argon2i,
 * version 1.3. */
static int f_derive(lua_State *L) {
  struct bytes password = bind_bytes(L, 1), salt = bind_bytes(L, 2);
  lua_Integer passes = luaL_checkinteger(L, 3),
              memory = luaL_checkinteger(L, 4);
  luaL_argcheck(L, salt.size == SALT, 2, "must be 16 bytes");
  luaL_argcheck(L, passes >= 3 && passes <= 1024, 3, "must lie in 3..1024");
  luaL_argcheck(L, memory >= 8192 && memory <= 1 << 30, 4,
                "must lie in 2^13..2^30");
  uint8_t *key = keybox_push(L, DERIVED);
  if (key == NULL) return 3;
  if (crypto_pwhash_argon2i(key, DERIVED, (const char *)password.data,
                            password.size, salt.data,
                            (unsigned long long)passes, (size_t)memory,
                            crypto_pwhash_argon2i_ALG_ARGON2I13) == 0)
    return 1;
  return bind_fail(L, "no_memory", "opening it takes %d MiB of memory",
                   (int)(memory >> 20));
}

/* open(box (bytes), key of 32 bytes) -> secret | nil, message, "key_password".
 *
 *   box: nonce (24 bytes) || tag (16) || ciphertext, XSalsa20-Poly1305 */
static int f_open(lua_State *L) {
  struct bytes box = bind_bytes(L, 1), key = bind_bytes(L, 2);
  luaL_argcheck(L, key.size == DERIVED, 2, "must be 32 bytes");
  if (box.size < NONCE + TAG)
    return bind_fail(L, CODE, "an encrypted part shorter than its header");
  size_t size = box.size - NONCE;
  uint8_t *plain = keybox_push(L, size - TAG);
  if (plain == NULL) return 3;
  if (crypto_secretbox_open_easy(plain, box.data + NONCE, size, box.data,
                                 key.data) == 0)
    return 1;
  return bind_fail(L, "key_password", "the password does not open it");
}

/* --- what secrets say ------------------------------------------------------
 */

static struct bytes check_secret(lua_State *L) {
  luaL_checkudata(L, 1, SECRET_META);
  return bind_bytes(L, 1);
}

/* #secret -> bytes. */
static int secret_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_secret(L).size);
  return 1;
}

/* Bytes from..to of the secret, as string.sub takes them but for negative
 * numbers. [-0, +0, v] */
static struct bytes check_range(lua_State *L, size_t *start) {
  struct bytes all = check_secret(L);
  lua_Integer size = (lua_Integer)all.size;
  lua_Integer from = luaL_optinteger(L, 2, 1), to = luaL_optinteger(L, 3, size);
  luaL_argcheck(L, from >= 1, 2, "must be at least 1");
  if (to > size) to = size;
  if (from > to) from = to + 1;
  if (to < 1) from = 1, to = 0;
  *start = (size_t)from - 1;
  return (struct bytes){all.data + *start, (size_t)(to - from + 1)};
}

/* secret:text([from = 1 [, to = its end]]) -> string, which nothing wipes: for
 * what is no secret in it, and for people who ask to see it. */
static int secret_text(lua_State *L) {
  size_t start;
  struct bytes bytes = check_range(L, &start);
  lua_pushlstring(L, (const char *)bytes.data, bytes.size);
  return 1;
}

/* secret:slice(from (integer) [, to = its end]) -> secret that shows these
 * bytes of it. */
static int secret_slice(lua_State *L) {
  size_t start;
  struct secret *of = luaL_checkudata(L, 1, SECRET_META);
  struct bytes bytes = check_range(L, &start);
  struct secret *slice = push_closed(L);
  if (of->owner == of) {
    lua_pushvalue(L, 1);
  } else {
    lua_getiuservalue(L, 1, 1);
  }
  lua_setiuservalue(L, -2, 1);
  slice->owner = of->owner;
  slice->from = of->from + start;
  slice->size = bytes.size;
  return 1;
}

/* secret:find(text [, from = 1]) -> integer or nil: place of its first byte. */
static int secret_find(lua_State *L) {
  size_t size;
  struct bytes all = check_secret(L);
  const char *text = luaL_checklstring(L, 2, &size);
  lua_Integer from = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, from >= 1, 3, "must be at least 1");
  const uint8_t *found = NULL;
  if ((size_t)from <= all.size)
    found =
        memmem(all.data + from - 1, all.size - (size_t)from + 1, text, size);
  if (found == NULL) return 0;
  lua_pushinteger(L, found - all.data + 1);
  return 1;
}

static void add_token(luaL_Buffer *out, const uint8_t *text,
                      const struct keybox_token *token) {
  char place[64];
  size_t size = token->to - token->from;
  if (token->kind == KEYBOX_PLAIN || token->kind == KEYBOX_KEY)
    luaL_addlstring(out, (const char *)text + token->from, size);
  else if (token->kind == KEYBOX_HIDDEN)
    luaL_addchar(out, '?');
  else {
    int length = snprintf(place, sizeof place, "\"%zu:%zu\"", token->from + 1,
                          token->to);
    luaL_addlstring(out, place, (size_t)length);
  }
}

/* secret:masked() -> string: the JSON text with "from:to" in place of every
 * string but short keys: the bytes where it stands. What is no JSON becomes
 * `?`. */
static int secret_masked(lua_State *L) {
  luaL_Buffer out;
  struct keybox_token token;
  struct bytes all = check_secret(L);
  size_t at = 0;
  luaL_buffinit(L, &out);
  while (keybox_token(all.data, all.size, &at, &token))
    add_token(&out, all.data, &token);
  luaL_pushresult(&out);
  return 1;
}

/* secret:unescape() -> secret | nil, message, "key": what the inside of a JSON
 * string says, when that is ASCII where it is escaped. */
static int secret_unescape(lua_State *L) {
  struct bytes all = check_secret(L);
  struct secret *out = push_closed(L);
  if (!make_room(out, all.size)) return fail_memory(L);
  long size = keybox_unescape(all.data, all.size, out->block);
  if (size < 0) return bind_fail(L, CODE, "a string with strange escapes");
  out->size = (size_t)size;
  return 1;
}

/* secret:words() -> secret | nil, message, code: its runs of letters, lower
 * case, one blank between two. */
static int secret_words(lua_State *L) {
  struct bytes all = check_secret(L);
  struct secret *out = push_closed(L);
  if (!make_room(out, all.size)) return fail_memory(L);
  out->size = keybox_words(all.data, all.size, out->block);
  return 1;
}

/* secret:hex(count) -> secret of `count` bytes, when it says as many in
 * hexadecimal digits and nothing else; or nil. */
static int secret_hex(lua_State *L) {
  struct bytes all = check_secret(L);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= 0 && count <= READ_MAX, 2, "must lie in 0..2^20");
  uint8_t *out = keybox_push(L, (size_t)count);
  if (out == NULL) return 3;
  return keybox_hex(all.data, all.size, out, (size_t)count) ? 1 : 0;
}

static int secret_tostring(lua_State *L) {
  const struct secret *secret = luaL_checkudata(L, 1, SECRET_META);
  lua_pushfstring(L, "secret (%s)",
                  secret->owner->block != NULL ? "open" : "closed");
  return 1;
}

int luaopen_core_keybox(lua_State *L) {
  static const luaL_Reg secret_methods[] = {{"text", secret_text},
                                            {"slice", secret_slice},
                                            {"find", secret_find},
                                            {"masked", secret_masked},
                                            {"unescape", secret_unescape},
                                            {"words", secret_words},
                                            {"hex", secret_hex},
                                            {"close", secret_close},
                                            {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(read),   BIND(line), BIND(join),
                                       BIND(derive), BIND(open), {NULL, NULL}};
  if (sodium_init() < 0) return luaL_error(L, "libsodium does not start");
  bind_source_type(L, SECRET_META, secret_methods, secret_close,
                   secret_tostring);
  luaL_getmetatable(L, SECRET_META);
  lua_pushcfunction(L, secret_len);
  lua_setfield(L, -2, "__len");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
