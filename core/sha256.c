/* core.sha256: SHA-256 by OpenSSL, one-shot, streaming, and of a file. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "bind.h"

#define HASH_META "bittern.sha256"

enum { DIGEST_SIZE = 32, CHUNK = 1 << 20 };

struct hash {
  EVP_MD_CTX *context; /* NULL once closed or finished */
};

int luaopen_core_sha256(lua_State *L);

static void push_hex(lua_State *L, const unsigned char digest[DIGEST_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  char hex[2 * DIGEST_SIZE];
  for (int i = 0; i < DIGEST_SIZE; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  lua_pushlstring(L, hex, sizeof hex);
}

/* hex(bytes) -> 64 lower-case hexadecimal digits. */
static int f_hex(lua_State *L) {
  unsigned char digest[DIGEST_SIZE];
  struct bytes bytes = bind_bytes(L, 1);
  if (!EVP_Digest(bytes.data, bytes.size, digest, NULL, EVP_sha256(), NULL))
    return luaL_error(L, "sha256 is not available");
  push_hex(L, digest);
  return 1;
}

/* new() -> hash; hash:update(bytes), hash:hex(). */
static int f_new(lua_State *L) {
  struct hash *hash = lua_newuserdatauv(L, sizeof *hash, 0);
  hash->context = NULL;
  luaL_setmetatable(L, HASH_META);
  hash->context = EVP_MD_CTX_new();
  if (hash->context == NULL ||
      !EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL))
    return luaL_error(L, "sha256 is not available");
  return 1;
}

static struct hash *check_hash(lua_State *L) {
  struct hash *hash = luaL_checkudata(L, 1, HASH_META);
  luaL_argcheck(L, hash->context != NULL, 1, "hash is finished");
  return hash;
}

/* hash:update(bytes) -> hash. */
static int hash_update(lua_State *L) {
  struct hash *hash = check_hash(L);
  struct bytes bytes = bind_bytes(L, 2);
  if (!EVP_DigestUpdate(hash->context, bytes.data, bytes.size))
    return luaL_error(L, "sha256 update failed");
  lua_settop(L, 1);
  return 1;
}

static int hash_close(lua_State *L) {
  struct hash *hash = luaL_checkudata(L, 1, HASH_META);
  EVP_MD_CTX_free(hash->context);
  hash->context = NULL;
  return 0;
}

/* hash:hex() -> 64 digits; the hash is finished then. */
static int hash_hex(lua_State *L) {
  unsigned char digest[DIGEST_SIZE];
  struct hash *hash = check_hash(L);
  int done = EVP_DigestFinal_ex(hash->context, digest, NULL);
  hash_close(L);
  if (!done) return luaL_error(L, "sha256 final failed");
  push_hex(L, digest);
  return 1;
}

static int hash_tostring(lua_State *L) {
  const struct hash *hash = luaL_checkudata(L, 1, HASH_META);
  lua_pushstring(L,
                 hash->context != NULL ? "sha256 (open)" : "sha256 (finished)");
  return 1;
}

/* Reads `fd` to its end into `context`. Returns 0 or an errno value. */
static int hash_descriptor(EVP_MD_CTX *context, int fd, unsigned char *chunk,
                           uint64_t *size) {
  for (;;) {
    ssize_t got = read(fd, chunk, CHUNK);
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
    if (bind_interrupted()) return EINTR;
    if (got < 0) continue;
    if (!EVP_DigestUpdate(context, chunk, (size_t)got)) return EIO;
    *size += (uint64_t)got;
  }
}

/* file(path) -> 64 digits, size | nil, message, code. */
static int f_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  unsigned char digest[DIGEST_SIZE];
  uint64_t size = 0;
  unsigned char *chunk = lua_newuserdatauv(L, CHUNK, 0);
  f_new(L);
  struct hash *hash = lua_touserdata(L, -1);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bind_errno(L, errno, path);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  int error = hash_descriptor(hash->context, fd, chunk, &size);
  close(fd);
  if (error != 0) return bind_errno(L, error, path);
  if (!EVP_DigestFinal_ex(hash->context, digest, NULL))
    return bind_errno(L, EIO, path);
  push_hex(L, digest);
  lua_pushinteger(L, (lua_Integer)size);
  return 2;
}

int luaopen_core_sha256(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"update", hash_update}, {"hex", hash_hex}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      BIND(hex), BIND(new), BIND(file), {NULL, NULL}};
  bind_type(L, HASH_META, methods, hash_close, hash_tostring);
  luaL_newlib(L, functions);
  return 1;
}
