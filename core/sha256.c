/* core.sha256: SHA-256 by OpenSSL, one-shot, streaming, and of a file; of
 * several files together by interleaved lanes, where the processor has the
 * instructions. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "bind.h"
#include "sha256_follow.h"
#include "sha256_lanes.h"

#define HASH_META     "bittern.sha256"
#define FOLLOWER_META "bittern.sha256_follower"

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

/* hex(bytes) -> string of 64 lower-case hexadecimal digits. */
static int f_hex(lua_State *L) {
  unsigned char digest[DIGEST_SIZE];
  struct bytes bytes = bind_bytes(L, 1);
  if (!EVP_Digest(bytes.data, bytes.size, digest, NULL, EVP_sha256(), NULL))
    return luaL_error(L, "sha256 is not available");
  push_hex(L, digest);
  return 1;
}

/* new() -> hash of nothing yet. */
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

/* hash:update(bytes) -> hash: the same one, so that calls can be chained. */
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

/* hash:hex() -> string of 64 hexadecimal digits; the hash is finished then. */
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

/* file(path) -> string, integer: 64 hexadecimal digits, and the size in bytes
 * | nil, message, code. */
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

/* --- a file that is being filled ------------------------------------------
 */

/* follow(path) -> follower of a file that is being filled | nil, message,
 * code. A thread of its own hashes what is there. */
static int f_follow(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct follower *follower = lua_newuserdatauv(L, sizeof *follower, 0);
  *follower = (struct follower){.fd = -1};
  luaL_setmetatable(L, FOLLOWER_META);
  int error = follower_open(follower, path);
  return error == 0 ? 1 : bind_errno(L, error, path);
}

static struct follower *check_follower(lua_State *L) {
  struct follower *follower = luaL_checkudata(L, 1, FOLLOWER_META);
  luaL_argcheck(L, follower->fd >= 0, 1, "follower is finished");
  return follower;
}

/* follower:advance(bytes (integer)): so many, from the first on, are there by
 * now. */
static int follower_lua_advance(lua_State *L) {
  struct follower *follower = check_follower(L);
  follower_advance(follower, bind_size(L, 2));
  return 0;
}

/* follower:hex() -> string: the 64 digits of what is there | nil, message,
 * code. The follower is finished then. */
static int follower_lua_hex(lua_State *L) {
  unsigned char digest[DIGEST_SIZE];
  int error = follower_finish(check_follower(L), digest);
  if (error != 0) return bind_errno(L, error, "the file that is hashed");
  push_hex(L, digest);
  return 1;
}

/* follower:close(): ends the thread; what it has hashed is lost. */
static int follower_lua_close(lua_State *L) {
  follower_close(luaL_checkudata(L, 1, FOLLOWER_META));
  return 0;
}

static int follower_tostring(lua_State *L) {
  lua_pushliteral(L, "sha256 of a growing file");
  return 1;
}

/* --- several files together ------------------------------------------------
 */

#define BATCH_META "bittern.sha256_batch"

enum { PIECE = 256 << 10 };

/* A file that is being hashed. Its bytes from `at` to `have` wait. */
struct slot {
  int fd; /* -1 where the slot is free */
  lua_Integer index;
  struct lane lane;
  size_t at;
  size_t have;
  bool ended;
  uint8_t piece[PIECE];
};

struct batch {
  int error;          /* what went wrong, an errno value */
  lua_Integer failed; /* and with which file */
  struct slot slots[LANES_MOST];
};

static int batch_close(lua_State *L) {
  struct batch *batch = luaL_checkudata(L, 1, BATCH_META);
  for (int i = 0; i < LANES_MOST; i++) {
    if (batch->slots[i].fd >= 0) close(batch->slots[i].fd);
    batch->slots[i].fd = -1;
  }
  return 0;
}

static int batch_tostring(lua_State *L) {
  lua_pushliteral(L, "sha256 of several files");
  return 1;
}

/* Reads until a piece is there or the file ends. Returns 0 or an errno. */
static int fill(struct slot *slot) {
  size_t left = slot->have - slot->at;
  memmove(slot->piece, slot->piece + slot->at, left);
  slot->at = 0;
  slot->have = left;
  while (!slot->ended && slot->have < PIECE) {
    ssize_t got = read(slot->fd, slot->piece + slot->have, PIECE - slot->have);
    if (bind_interrupted()) return EINTR;
    if (got < 0 && errno != EINTR) return errno;
    if (got == 0) slot->ended = true;
    if (got > 0) slot->have += (size_t)got;
  }
  return 0;
}

static size_t blocks_of(const struct slot *slot) {
  return (slot->have - slot->at) / LANE_BLOCK;
}

/* Hashes as many blocks as every open slot has; those that have none are read
 * first. False when a file cannot be read. */
static bool step(struct batch *batch) {
  struct lane *lanes[LANES_MOST];
  const uint8_t *data[LANES_MOST];
  size_t blocks = SIZE_MAX;
  int count = 0;
  for (int i = 0; i < LANES_MOST; i++) {
    struct slot *slot = &batch->slots[i];
    if (slot->fd < 0) continue;
    if (blocks_of(slot) == 0 && !slot->ended) batch->error = fill(slot);
    batch->failed = slot->index;
    if (batch->error != 0) return false;
    if (blocks_of(slot) == 0) continue;
    if (blocks_of(slot) < blocks) blocks = blocks_of(slot);
    lanes[count] = &slot->lane;
    data[count++] = slot->piece + slot->at;
  }
  if (count == 0) return true;
  lanes_update(lanes, data, count, blocks);
  for (int i = 0; i < LANES_MOST; i++)
    if (batch->slots[i].fd >= 0 && blocks_of(&batch->slots[i]) > 0)
      batch->slots[i].at += blocks * LANE_BLOCK;
  return true;
}

/* Path `index` of the array at 1 into a free slot; false on failure. */
static bool open_slot(lua_State *L, struct batch *batch, struct slot *slot,
                      lua_Integer index) {
  lua_geti(L, 1, index);
  const char *path = lua_tostring(L, -1);
  slot->fd = open(path, O_RDONLY | O_CLOEXEC);
  batch->error = slot->fd < 0 ? errno : 0;
  batch->failed = slot->index = index;
  lua_pop(L, 1);
  if (slot->fd < 0) return false;
  posix_fadvise(slot->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  lane_begin(&slot->lane);
  slot->at = slot->have = 0;
  slot->ended = false;
  return true;
}

/* {sha256, size} of a file into the results at the top. [-0, +0, m] */
static void push_result(lua_State *L, const unsigned char *digest,
                        uint64_t size, lua_Integer index) {
  lua_createtable(L, 0, 2);
  push_hex(L, digest);
  lua_setfield(L, -2, "sha256");
  lua_pushinteger(L, (lua_Integer)size);
  lua_setfield(L, -2, "size");
  lua_seti(L, -2, index);
}

static void finish_slot(lua_State *L, struct slot *slot) {
  uint8_t digest[DIGEST_SIZE];
  size_t rest = slot->have - slot->at;
  uint64_t size = slot->lane.size + rest;
  lane_finish(&slot->lane, slot->piece + slot->at, rest, digest);
  close(slot->fd);
  slot->fd = -1;
  push_result(L, digest, size, slot->index);
}

/* Keeps every slot busy until all `count` files are hashed. */
static bool hash_all(lua_State *L, struct batch *batch, lua_Integer count) {
  lua_Integer next = 1, done = 0;
  while (done < count) {
    for (int i = 0; i < LANES_MOST && next <= count; i++)
      if (batch->slots[i].fd < 0 &&
          !open_slot(L, batch, &batch->slots[i], next++))
        return false;
    if (!step(batch)) return false;
    for (int i = 0; i < LANES_MOST; i++) {
      struct slot *slot = &batch->slots[i];
      if (slot->fd < 0 || !slot->ended || blocks_of(slot) > 0) continue;
      finish_slot(L, slot);
      done++;
    }
  }
  return true;
}

/* One file after the other, where there are no lanes. */
static int files_in_turn(lua_State *L, lua_Integer count) {
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_pushcfunction(L, f_file);
    lua_geti(L, 1, i);
    lua_call(L, 1, 3);
    if (lua_isnil(L, -3)) return 3;
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -4);
    lua_setfield(L, -2, "sha256");
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "size");
    lua_seti(L, 2, i);
    lua_settop(L, 2);
  }
  return 1;
}

/* files(paths (array of strings) [, {lanes = true}]) -> array of {sha256,
 * size} in their order | nil, message, code: of the first that cannot be read.
 */
static int f_files(lua_State *L) {
  static const char *const known[] = {"lanes", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  bind_check_keys(L, 2, known);
  bool lanes = bind_opt_boolean(L, 2, "lanes", true);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    luaL_argcheck(L, lua_geti(L, 1, i) == LUA_TSTRING, 1, "must hold strings");
    lua_pop(L, 1);
  }
  lua_settop(L, 1);
  if (!lanes || count < 2 || !lanes_here()) return files_in_turn(L, count);
  struct batch *batch = lua_newuserdatauv(L, sizeof *batch, 0);
  batch->error = 0;
  for (int i = 0; i < LANES_MOST; i++)
    batch->slots[i].fd = -1;
  luaL_setmetatable(L, BATCH_META);
  lua_toclose(L, -1);
  lua_createtable(L, (int)count, 0);
  if (hash_all(L, batch, count)) return 1;
  lua_geti(L, 1, batch->failed);
  return bind_errno(L, batch->error, lua_tostring(L, -1));
}

int luaopen_core_sha256(lua_State *L) {
  static const luaL_Reg hash_methods[] = {
      {"update", hash_update}, {"hex", hash_hex}, {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(hex),   BIND(new),    BIND(file),
                                       BIND(files), BIND(follow), {NULL, NULL}};
  static const luaL_Reg follower_methods[] = {{"advance", follower_lua_advance},
                                              {"hex", follower_lua_hex},
                                              {"close", follower_lua_close},
                                              {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  bind_type(L, HASH_META, hash_methods, hash_close, hash_tostring);
  bind_type(L, FOLLOWER_META, follower_methods, follower_lua_close,
            follower_tostring);
  bind_type(L, BATCH_META, none, batch_close, batch_tostring);
  /* Asked for by name: OpenSSL 3.0 follows a null pointer where a digest is the
   * first to need its context and there is no memory for that. */
  if (OSSL_LIB_CTX_get0_global_default() == NULL)
    return luaL_error(L, "not enough memory");
  luaL_newlib(L, functions);
  return 1;
}
