/* core.map: read-only memory maps and bounds-checked slices of them.
 *
 * A slice names its map by a user value, so the map outlives it; closing the
 * map early makes its slices refuse, never dangle. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"

#define MAP_META   "bittern.map"
#define SLICE_META "bittern.slice"

struct map {
  struct source source;
  const uint8_t *data; /* an empty file has none to map: points at "" */
  size_t size;
  bool open;
  bool borrowed; /* a string's bytes, kept by a user value: nothing to unmap */
};

struct slice {
  struct source source;
  const struct map *map;
  size_t offset;
  size_t size;
};

int luaopen_core_map(lua_State *L);

static int map_bytes(const struct source *source, struct bytes *out) {
  const struct map *map = (const struct map *)source;
  if (!map->open) return -1;
  *out = (struct bytes){map->data, map->size};
  return 0;
}

static int slice_bytes(const struct source *source, struct bytes *out) {
  const struct slice *slice = (const struct slice *)source;
  if (slice->map == NULL || !slice->map->open) return -1;
  *out = (struct bytes){slice->map->data + slice->offset, slice->size};
  return 0;
}

/* Maps `fd` whole; 0, or an errno value. */
static int map_descriptor(struct map *map, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (!S_ISREG(info.st_mode)) return EINVAL;
  if ((uint64_t)info.st_size > SIZE_MAX) return EFBIG;
  map->data = (const uint8_t *)"";
  if (info.st_size > 0) {
    void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) return errno;
    map->data = data;
  }
  map->size = (size_t)info.st_size;
  map->open = true;
  return 0;
}

/* open(path) -> map | nil, message, code. The file may not shrink while it is
 * mapped: reading past its new end would end the process. */
static int f_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct map *map = lua_newuserdatauv(L, sizeof *map, 1);
  *map = (struct map){.source = {map_bytes}};
  luaL_setmetatable(L, MAP_META);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bind_errno(L, errno, path);
  int error = map_descriptor(map, fd);
  close(fd);
  return error == 0 ? 1 : bind_errno(L, error, path);
}

/* of(text) -> map of bytes that are in memory already, so that whatever reads
 * maps reads them, too. */
static int f_of(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  struct map *map = lua_newuserdatauv(L, sizeof *map, 1);
  *map = (struct map){.source = {map_bytes},
                      .data = (const uint8_t *)text,
                      .size = size,
                      .open = true,
                      .borrowed = true};
  luaL_setmetatable(L, MAP_META);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* map:close(): gives the file back. Slices of it are no longer readable: they
 * raise. */
static int f_close(lua_State *L) {
  struct map *map = luaL_checkudata(L, 1, MAP_META);
  if (map->open && map->size > 0 && !map->borrowed)
    munmap((void *)(uintptr_t)map->data, map->size);
  map->open = false;
  return 0;
}

/* A slice has nothing to give back. */
static int slice_close(lua_State *L) {
  (void)L;
  return 0;
}

/* map:size() -> integer: bytes. Slices have it, too. */
static int f_size(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)bind_bytes(L, 1).size);
  return 1;
}

/* Offset and count at arguments 2 and 3, checked against `size`. */
static bool in_range(lua_State *L, size_t size, size_t *offset, size_t *count) {
  *offset = (size_t)bind_size(L, 2);
  *count = (size_t)bind_size(L, 3);
  return *offset <= size && *count <= size - *offset;
}

static int out_of_range(lua_State *L, size_t size) {
  return bind_fail(L, "out_of_range", "bytes %I+%I lie outside of %I bytes",
                   (LUAI_UACINT)lua_tointeger(L, 2),
                   (LUAI_UACINT)lua_tointeger(L, 3), (LUAI_UACINT)size);
}

/* map:read(offset, count) -> string | nil, message, "out_of_range". Slices
 * have it, too; offsets count from their beginning. */
static int f_read(lua_State *L) {
  size_t offset, count;
  struct bytes bytes = bind_bytes(L, 1);
  if (!in_range(L, bytes.size, &offset, &count))
    return out_of_range(L, bytes.size);
  lua_pushlstring(L, (const char *)bytes.data + offset, count);
  return 1;
}

/* Pushes a slice of the map at stack index `owner`. [-0, +1, m] */
static int push_slice(lua_State *L, int owner, const struct map *map,
                      size_t offset, size_t size) {
  struct slice *slice = lua_newuserdatauv(L, sizeof *slice, 1);
  *slice = (struct slice){{slice_bytes}, map, offset, size};
  luaL_setmetatable(L, SLICE_META);
  lua_pushvalue(L, owner);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* map:slice(offset, count) -> slice | nil, message, "out_of_range". */
static int f_slice(lua_State *L) {
  size_t offset, count;
  struct map *map = luaL_checkudata(L, 1, MAP_META);
  size_t size = bind_bytes(L, 1).size;
  if (!in_range(L, size, &offset, &count)) return out_of_range(L, size);
  return push_slice(L, 1, map, offset, count);
}

/* slice:slice(offset, count) -> slice of the same map. */
static int slice_slice(lua_State *L) {
  size_t offset, count;
  const struct slice *slice = luaL_checkudata(L, 1, SLICE_META);
  if (!in_range(L, slice->size, &offset, &count))
    return out_of_range(L, slice->size);
  lua_getiuservalue(L, 1, 1);
  return push_slice(L, lua_gettop(L), slice->map, slice->offset + offset,
                    count);
}

/* The whole pages that a slice touches are advised. */
static void advise(lua_State *L, int advice) {
  const struct slice *slice = luaL_checkudata(L, 1, SLICE_META);
  struct bytes bytes = bind_bytes(L, 1);
  if (slice->map->borrowed || bytes.size == 0) return;
  uintptr_t start = (uintptr_t)bytes.data;
  size_t before = start % (uintptr_t)sysconf(_SC_PAGESIZE);
  madvise((void *)(start - before), bytes.size + before, advice);
}

/* slice:prefetch(): its bytes are wanted soon; the disk begins to read them. */
static int slice_prefetch(lua_State *L) {
  advise(L, MADV_WILLNEED);
  return 0;
}

/* slice:release(): its pages may leave this process's memory. They come back
 * from the file when they are read again, so a pass over a large file that
 * releases what it has seen stays small. */
static int slice_release(lua_State *L) {
  advise(L, MADV_DONTNEED);
  return 0;
}

static int f_tostring(lua_State *L) {
  const struct map *map = luaL_checkudata(L, 1, MAP_META);
  if (map->open)
    lua_pushfstring(L, "map (%I bytes)", (LUAI_UACINT)map->size);
  else
    lua_pushliteral(L, "map (closed)");
  return 1;
}

static int slice_tostring(lua_State *L) {
  const struct slice *slice = luaL_checkudata(L, 1, SLICE_META);
  lua_pushfstring(L, "slice (%I bytes at %I)", (LUAI_UACINT)slice->size,
                  (LUAI_UACINT)slice->offset);
  return 1;
}

int luaopen_core_map(lua_State *L) {
  static const luaL_Reg map_methods[] = {
      BIND(size), BIND(read), BIND(slice), BIND(close), {NULL, NULL}};
  static const luaL_Reg slice_methods[] = {BIND(size),
                                           BIND(read),
                                           {"slice", slice_slice},
                                           {"prefetch", slice_prefetch},
                                           {"release", slice_release},
                                           {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(open), BIND(of), {NULL, NULL}};
  bind_source_type(L, MAP_META, map_methods, f_close, f_tostring);
  bind_source_type(L, SLICE_META, slice_methods, slice_close, slice_tostring);
  luaL_newlib(L, functions);
  return 1;
}
