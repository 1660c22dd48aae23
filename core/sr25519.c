/* core.sr25519: Substrate keys for scripts. A secret lives in guarded, locked
 * memory that a userdata owns, and is wiped when it is closed. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "bind.h"
#include "bip39.h"
#include "keybox.h"
#include "schnorrkel.h"
#include "sr25519.h"
#include "ss58.h"

#define KEY_META "bittern.key"

/* What the `code` of every failure here is. */
#define CODE "key"

enum { SEED = 32 };

struct key {
  struct schnorrkel_key *secret; /* from sodium_malloc; NULL once closed */
  char address[SS58_TEXT];
};

int luaopen_core_sr25519(lua_State *L);

/* Pushes a key with room for its secret, or nil and the rest. [-0, +1|3, m] */
static struct key *push_key(lua_State *L) {
  struct key *key = lua_newuserdatauv(L, sizeof *key, 0);
  *key = (struct key){0};
  luaL_setmetatable(L, KEY_META);
  keybox_guard();
  key->secret = sodium_malloc(sizeof *key->secret);
  if (key->secret != NULL) return key;
  bind_fail(L, CODE, "no memory for a secret key");
  return NULL;
}

/* key:close(): wipes the secret. The key signs nothing from then on. */
static int key_close(lua_State *L) {
  struct key *key = luaL_checkudata(L, 1, KEY_META);
  sodium_free(key->secret); /* wipes it */
  key->secret = NULL;
  return 0;
}

/* The key on top of the stack has its secret now: 1 result, or 3 of failure
 * when `result` says so. [-0, +0|3, m] */
static int finish(lua_State *L, struct key *key, int result) {
  if (result != 0) return bind_fail(L, CODE, "not a usable sr25519 secret");
  ss58_encode(key->secret->public_key, key->address);
  sodium_mprotect_readonly(key->secret);
  return 1;
}

/* A word is a part of the secret: messages tell its place only. [-0, +3, m] */
static int fail_mnemonic(lua_State *L, int result, size_t at) {
  if (result == BIP39_COUNT)
    return bind_fail(L, CODE,
                     "a mnemonic has 12, 15, 18, 21 or 24 words, not %I",
                     (LUAI_UACINT)at);
  if (result == BIP39_WORD)
    return bind_fail(L, CODE,
                     "word %I of the mnemonic is not in the English list",
                     (LUAI_UACINT)at);
  return bind_fail(L, CODE,
                   "the mnemonic's checksum does not match: a word is wrong or "
                   "out of order");
}

/* The mini secret of a mnemonic and a password, arguments 1 and 2: 0, or 3
 * results of failure. [-0, +0|3, v] */
static int read_seed(lua_State *L, uint8_t seed[SEED]) {
  size_t password_size;
  struct bip39 mnemonic;
  struct bytes words = bind_bytes(L, 1);
  const char *password = luaL_optlstring(L, 2, "", &password_size);
  luaL_argcheck(L, password_size <= BIP39_PASSWORD, 2, "longer than 256 bytes");
  int result = bip39_read(&mnemonic, (const char *)words.data, words.size);
  if (result != 0) return fail_mnemonic(L, result, mnemonic.at);
  result = bip39_seed(&mnemonic, password, password_size, seed);
  sodium_memzero(&mnemonic, sizeof mnemonic);
  return result == 0 ? 0 : bind_fail(L, CODE, "no seed from this mnemonic");
}

/* seed(words (bytes) [, password (bytes)]) -> secret of 32 bytes | nil,
 * message, "key". */
static int f_seed(lua_State *L) {
  lua_settop(L, 2);
  uint8_t *seed = keybox_push(L, SEED);
  if (seed == NULL) return 3;
  return read_seed(L, seed) == 0 ? 1 : 3;
}

/* from_mnemonic(words (bytes) [, password (bytes)]) -> key | nil, message,
 * "key". */
static int f_from_mnemonic(lua_State *L) {
  uint8_t seed[SEED];
  lua_settop(L, 2);
  struct key *key = push_key(L);
  if (key == NULL || read_seed(L, seed) != 0) return 3;
  int result = schnorrkel_from_seed(key->secret, seed);
  sodium_memzero(seed, sizeof seed);
  return finish(L, key, result);
}

/* The bytes of argument 1, which must be `size` long. [-0, +0, v] */
static const uint8_t *check_sized(lua_State *L, int arg, size_t size) {
  struct bytes bytes = bind_bytes(L, arg);
  if (bytes.size != size)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "must be %I bytes, not %I",
                                  (LUAI_UACINT)size, (LUAI_UACINT)bytes.size));
  return bytes.data;
}

/* from_seed(seed of 32 bytes) -> key | nil, message, "key". */
static int f_from_seed(lua_State *L) {
  const uint8_t *seed = check_sized(L, 1, SEED);
  struct key *key = push_key(L);
  if (key == NULL) return 3;
  return finish(L, key, schnorrkel_from_seed(key->secret, seed));
}

/* from_private(private of 64 bytes: scalar || nonce) -> key | nil, message,
 * "key". */
static int f_from_private(lua_State *L) {
  const uint8_t *bytes = check_sized(L, 1, 64);
  struct key *key = push_key(L);
  if (key == NULL) return 3;
  return finish(L, key, schnorrkel_from_private(key->secret, bytes));
}

static struct key *check_key(lua_State *L) {
  struct key *key = luaL_checkudata(L, 1, KEY_META);
  luaL_argcheck(L, key->secret != NULL, 1, "key is closed");
  return key;
}

const struct schnorrkel_key *sr25519_secret(lua_State *L, int index) {
  const struct key *key = luaL_testudata(L, index, KEY_META);
  return key != NULL ? key->secret : NULL;
}

/* key:public() -> string of 32 bytes. */
static int key_public(lua_State *L) {
  const struct key *key = check_key(L);
  lua_pushlstring(L, (const char *)key->secret->public_key, SCHNORRKEL_KEY);
  return 1;
}

/* key:address() -> string: the SS58 address. */
static int key_address(lua_State *L) {
  lua_pushstring(L, check_key(L)->address);
  return 1;
}

/* A message argument: its length is signed as four bytes. [-0, +0, v] */
static struct bytes check_message(lua_State *L, int arg) {
  struct bytes message = bind_bytes(L, arg);
  luaL_argcheck(L, message.size <= UINT32_MAX, arg, "longer than 2^32 bytes");
  return message;
}

/* key:sign(message (bytes)) -> string of 64 bytes, other ones each time | nil,
 * message, code. */
static int key_sign(lua_State *L) {
  uint8_t random[32], signature[SCHNORRKEL_SIGNATURE];
  const struct key *key = check_key(L);
  struct bytes message = check_message(L, 2);
  randombytes_buf(random, sizeof random);
  int result = schnorrkel_sign(key->secret, message.data, message.size, random,
                               signature);
  sodium_memzero(random, sizeof random);
  if (result != 0) return bind_fail(L, CODE, "signing failed");
  lua_pushlstring(L, (const char *)signature, sizeof signature);
  return 1;
}

static int key_tostring(lua_State *L) {
  const struct key *key = luaL_checkudata(L, 1, KEY_META);
  lua_pushfstring(L, "key (%s)", key->secret != NULL ? key->address : "closed");
  return 1;
}

/* verify(public (string), message (bytes), signature (string)) -> boolean;
 * keys and signatures of any other length are not valid either. */
static int f_verify(lua_State *L) {
  size_t key_size, signature_size;
  const char *public_key = luaL_checklstring(L, 1, &key_size);
  struct bytes message = check_message(L, 2);
  const char *signature = luaL_checklstring(L, 3, &signature_size);
  bool sized =
      key_size == SCHNORRKEL_KEY && signature_size == SCHNORRKEL_SIGNATURE;
  lua_pushboolean(L, sized && schnorrkel_verify((const uint8_t *)public_key,
                                                message.data, message.size,
                                                (const uint8_t *)signature));
  return 1;
}

/* address(public of 32 bytes) -> string: the SS58 address. */
static int f_address(lua_State *L) {
  char text[SS58_TEXT];
  ss58_encode(check_sized(L, 1, SCHNORRKEL_KEY), text);
  lua_pushstring(L, text);
  return 1;
}

/* ed25519(seed of 32 bytes) -> string of 32 bytes: the public key that the
 * seed has there. Files of that type are told from broken ones by it. */
static int f_ed25519(lua_State *L) {
  const uint8_t *seed = check_sized(L, 1, SEED);
  uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
  uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
  crypto_sign_seed_keypair(public_key, secret_key, seed);
  sodium_memzero(secret_key, sizeof secret_key);
  lua_pushlstring(L, (const char *)public_key, sizeof public_key);
  return 1;
}

static const char *ss58_reason(int result) {
  switch (result) {
  case SS58_LENGTH:
    return "it has the wrong length";
  case SS58_LETTER:
    return "it has a letter that base58 does not use";
  case SS58_NETWORK:
    return "it is of another network than prefix 42";
  default:
    return "its checksum does not match";
  }
}

/* public(ss58 (string)) -> string of 32 bytes | nil, message, "key". */
static int f_public(lua_State *L) {
  size_t size;
  uint8_t public_key[SCHNORRKEL_KEY];
  const char *text = luaL_checklstring(L, 1, &size);
  int result = ss58_decode(text, size, public_key);
  if (result != 0)
    return bind_fail(L, CODE, "not an SS58 address: %s", ss58_reason(result));
  lua_pushlstring(L, (const char *)public_key, sizeof public_key);
  return 1;
}

/* generate([words = 12]) -> secret: a fresh mnemonic | nil, message, code.
 * `words` are 12, 15, 18, 21 or 24. */
static int f_generate(lua_State *L) {
  struct bip39 mnemonic = {0};
  lua_Integer words = luaL_optinteger(L, 1, 12);
  luaL_argcheck(L, words >= 12 && words <= 24 && words % 3 == 0, 1,
                "must be 12, 15, 18, 21 or 24");
  char *text = (char *)keybox_push(L, BIP39_TEXT);
  if (text == NULL) return 3;
  mnemonic.size = (size_t)words / 3 * 4;
  randombytes_buf(mnemonic.entropy, mnemonic.size);
  keybox_cut(L, bip39_write(&mnemonic, text));
  sodium_memzero(&mnemonic, sizeof mnemonic);
  return 1;
}

/* check_mnemonic(words (bytes)) -> true | nil, message, "key". */
static int f_check_mnemonic(lua_State *L) {
  struct bip39 mnemonic;
  struct bytes words = bind_bytes(L, 1);
  int result = bip39_read(&mnemonic, (const char *)words.data, words.size);
  sodium_memzero(mnemonic.entropy, sizeof mnemonic.entropy);
  if (result != 0) return fail_mnemonic(L, result, mnemonic.at);
  lua_pushboolean(L, 1);
  return 1;
}

/* is_word(text) -> boolean: whether mnemonics may have this word. */
static int f_is_word(lua_State *L) {
  struct bytes word = bind_bytes(L, 1);
  lua_pushboolean(L, bip39_is_word((const char *)word.data, word.size));
  return 1;
}

int luaopen_core_sr25519(lua_State *L) {
  static const luaL_Reg key_methods[] = {{"public", key_public},
                                         {"address", key_address},
                                         {"sign", key_sign},
                                         {"close", key_close},
                                         {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(from_mnemonic), BIND(from_seed),      BIND(from_private),
      BIND(verify),        BIND(address),        BIND(public),
      BIND(generate),      BIND(check_mnemonic), BIND(is_word),
      BIND(seed),          BIND(ed25519),        {NULL, NULL}};
  keybox_require(L); /* starts libsodium */
  bind_type(L, KEY_META, key_methods, key_close, key_tostring);
  luaL_newlib(L, functions);
  return 1;
}
