/* core.unpack: the entries of a tar stream, or of one compressed zip member, by
 * libarchive, one after the other and in the order of their bytes. Nothing is
 * ever written: what happens to an entry is the script's business.
 *
 *   tar.gz:  input -> filter (gzip) -> counted -> format (tar) -> entries
 *   tar:     input -------------------> counted -> format (tar) -> entries
 *   zip:     input -> format (zip, inflates by itself) -> counted -> one entry
 *
 * The tar format is given no byte more than it needs: 512 at a time while it
 * reads headers, and an entry's bytes up to their end. So the header blocks of
 * each entry are known, and what hides in them can be refused. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "bind.h"
#include "unpack_header.h"
#include "unpack_stream.h"

#define UNPACKER_META "bittern.unpacker"

enum { HEADER_MAX = 128 * TAR_BLOCK, END_MARK = 2 * TAR_BLOCK };

struct unpacker {
  struct source source;       /* lends `block` */
  const struct source *owner; /* of the input; NULL when that is a string */
  struct stream stream;
  struct archive *format; /* reads entries; NULL once closed */
  bool is_tar;
  bool at_end;
  bool in_data;       /* the entry's bytes are being read, not headers */
  uint64_t data_left; /* of the entry's bytes, padding too, for `format` */
  uint64_t lent;      /* of the entry's bytes so far */
  struct bytes block;
  locale_t utf8;      /* names are UTF-8 whatever the user's locale */
  size_t header_size; /* of the header blocks of the present entry */
  uint8_t header[HEADER_MAX];
};

int luaopen_core_unpack(lua_State *L);

/* False once the map behind the input was closed: libarchive must not be called
 * then, since it still points into it. */
static bool is_alive(const struct unpacker *self) {
  struct bytes now;
  return self->format != NULL &&
         (self->owner == NULL || self->owner->get(self->owner, &now) == 0);
}

static int unpacker_bytes(const struct source *source, struct bytes *out) {
  const struct unpacker *self = (const struct unpacker *)source;
  if (!is_alive(self)) return -1;
  *out = self->block;
  return 0;
}

/* --- what libarchive is given: callbacks never raise -----------------------
 */

static la_ssize_t give_header(struct unpacker *self, const void **out) {
  if (self->header_size > HEADER_MAX - TAR_BLOCK) {
    self->stream.stop = STOP_HEADER;
    return ARCHIVE_FATAL;
  }
  struct bytes piece = stream_take(&self->stream, TAR_BLOCK);
  memcpy(self->header + self->header_size, piece.data, piece.size);
  *out = self->header + self->header_size;
  self->header_size += piece.size;
  return (la_ssize_t)piece.size;
}

static la_ssize_t give_tar(struct archive *archive, void *user,
                           const void **out) {
  struct unpacker *self = user;
  if (stream_fill(&self->stream) != ARCHIVE_OK) {
    archive_set_error(archive, EIO, "the stream is broken");
    return ARCHIVE_FATAL;
  }
  if (self->stream.ended) return 0;
  if (!self->in_data || self->data_left == 0) return give_header(self, out);
  size_t size = self->data_left < SIZE_MAX ? (size_t)self->data_left : SIZE_MAX;
  struct bytes piece = stream_take(&self->stream, size);
  self->data_left -= piece.size;
  *out = piece.data;
  return (la_ssize_t)piece.size;
}

/* --- opening ---------------------------------------------------------------
 */

static const struct {
  const char *name;
  int code;
} filters[] = {{"none", ARCHIVE_FILTER_NONE},
               {"gzip", ARCHIVE_FILTER_GZIP},
               {"bzip2", ARCHIVE_FILTER_BZIP2},
               {"xz", ARCHIVE_FILTER_XZ},
               {NULL, 0}};

static int check_filter(lua_State *L) {
  const char *name = bind_opt_string(L, 2, "filter", "none");
  for (int i = 0; filters[i].name != NULL; i++)
    if (strcmp(filters[i].name, name) == 0) return filters[i].code;
  return luaL_error(L, "option 'filter' must be none, gzip, bzip2 or xz");
}

static bool open_format(struct unpacker *self) {
  if (self->is_tar)
    return archive_read_support_format_tar(self->format) == ARCHIVE_OK &&
           archive_read_open(self->format, self, NULL, give_tar, NULL) ==
               ARCHIVE_OK;
  return archive_read_support_format_zip_streamable(self->format) ==
             ARCHIVE_OK &&
         archive_read_open(self->format, &self->stream, NULL, stream_input,
                           NULL) == ARCHIVE_OK;
}

/* The stop that a callback asked for, in words. [-0, +3, m] */
static int fail_stopped(lua_State *L, const struct stream *stream) {
  if (stream->stop == STOP_INTERRUPT)
    return bind_fail(L, "interrupted", "interrupted");
  if (stream->stop == STOP_HEADER)
    return bind_fail(L, "archive_bomb", "has a header of more than %d bytes",
                     HEADER_MAX);
  return bind_fail(L, "archive_bomb", "unpacks to more than %I bytes",
                   (LUAI_UACINT)stream->most);
}

/* Why nothing can be read any more. [-0, +3, m] */
static int fail(lua_State *L, const struct unpacker *self) {
  const struct stream *stream = &self->stream;
  if (stream->stop != STOP_NONE) return fail_stopped(L, stream);
  if (stream_is_spent(stream))
    return bind_fail(L, "archive_truncated", "is cut short");
  if (stream->failed)
    return bind_fail(L, "archive_damaged", "its compressed stream is broken");
  if (self->is_tar && archive_format(self->format) == 0)
    return bind_fail(L, "archive_format", "holds no tar");
  if (stream->ended) return bind_fail(L, "archive_truncated", "is cut short");
  const char *text = archive_error_string(self->format);
  return bind_fail(L, "archive_damaged", "%s", text != NULL ? text : "broken");
}

static bool open_all(struct unpacker *self, int filter) {
  locale_t before = uselocale(self->utf8);
  bool opened = stream_open(&self->stream, filter) && open_format(self);
  uselocale(before);
  return opened;
}

static int open_unpacker(lua_State *L, bool is_tar) {
  static const char *const known[] = {"filter", "most", NULL};
  struct bytes input = bind_bytes(L, 1);
  bind_check_keys(L, 2, known);
  int filter = check_filter(L);
  lua_Integer most =
      bind_opt_integer(L, 2, "most", 0, LUA_MAXINTEGER, LUA_MAXINTEGER);
  struct unpacker *self = lua_newuserdatauv(L, sizeof *self, 1);
  memset(self, 0, sizeof *self);
  luaL_setmetatable(L, UNPACKER_META);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  self->source.get = unpacker_bytes;
  self->owner = lua_touserdata(L, 1);
  self->is_tar = is_tar;
  self->stream.input = input;
  self->stream.most = (uint64_t)most;
  self->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  self->format = archive_read_new();
  if (self->utf8 == (locale_t)0 || self->format == NULL)
    return luaL_error(L, "not enough memory");
  return open_all(self, filter) ? 1 : fail(L, self);
}

/* tar(bytes [, {filter = "none"|"gzip"|"bzip2"|"xz", most = bytes}]) ->
 * unpacker | nil, message, code. */
static int f_tar(lua_State *L) { return open_unpacker(L, true); }

/* member(bytes [, {most = bytes}]) -> unpacker | nil, message, code. The bytes
 * are a zip's from a local header to where the next one may begin. */
static int f_member(lua_State *L) { return open_unpacker(L, false); }

/* --- entries ---------------------------------------------------------------
 */

static struct unpacker *check_unpacker(lua_State *L) {
  struct unpacker *self = luaL_checkudata(L, 1, UNPACKER_META);
  luaL_argcheck(L, self->format != NULL, 1, "unpacker is closed");
  luaL_argcheck(L, is_alive(self), 1, "its input is closed");
  return self;
}

static const char *kind_of(struct archive_entry *entry) {
  if (archive_entry_hardlink(entry) != NULL) return "link";
  switch (archive_entry_filetype(entry)) {
  case AE_IFREG:
    return archive_entry_sparse_count(entry) > 0 ? "sparse" : "file";
  case AE_IFDIR:
    return "folder";
  case AE_IFLNK:
    return "link";
  default:
    return "device";
  }
}

/* {name, kind, size} of an entry; size is absent where only its end tells it.
 * [-0, +1, m] */
static int push_entry(lua_State *L, struct archive_entry *entry) {
  const char *name = archive_entry_pathname(entry);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, name != NULL ? name : "");
  lua_setfield(L, -2, "name");
  lua_pushstring(L, kind_of(entry));
  lua_setfield(L, -2, "kind");
  if (archive_entry_size_is_set(entry)) {
    lua_pushinteger(L, (lua_Integer)archive_entry_size(entry));
    lua_setfield(L, -2, "size");
  }
  return 1;
}

/* Skips what is left of an entry; the first header block of all was read when
 * the format was opened. */
static int begin_header(struct unpacker *self) {
  int result = ARCHIVE_OK;
  self->block = (struct bytes){0};
  self->lent = 0;
  if (self->in_data) {
    result = archive_read_data_skip(self->format);
    self->header_size = 0;
  }
  self->in_data = false;
  return result;
}

/* From here on, `format` is given the entry's bytes, padded to whole blocks. */
static void begin_data(struct unpacker *self, struct archive_entry *entry) {
  la_int64_t size = archive_entry_size(entry);
  uint64_t data = size > 0 ? (uint64_t)size : 0;
  self->in_data = true;
  self->data_left = data + -data % TAR_BLOCK;
}

/* unpacker:next() -> {name, kind = "file"|"folder"|"link"|"sparse"|"device",
 * size}, false at the end, or nil, message, code. */
static int unpacker_next(lua_State *L) {
  struct unpacker *self = check_unpacker(L);
  struct archive_entry *entry = NULL;
  if (begin_header(self) != ARCHIVE_OK) return fail(L, self);
  locale_t before = uselocale(self->utf8);
  int result = archive_read_next_header(self->format, &entry);
  uselocale(before);
  self->at_end = result == ARCHIVE_EOF;
  if (self->at_end) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (result != ARCHIVE_OK) return fail(L, self);
  enum verdict verdict = header_judge(self->header, self->header_size);
  if (verdict == VERDICT_ZERO)
    return bind_fail(L, "archive_path", "a name contains a zero byte");
  if (verdict == VERDICT_NUMBER)
    return bind_fail(L, "archive_damaged", "a size is no number");
  begin_data(self, entry);
  return push_entry(L, entry);
}

/* unpacker:block() -> integer: size of the next run of the entry's bytes, 0 at
 * its end | nil, message, code. Until the next call the unpacker lends these
 * bytes. */
static int unpacker_block(lua_State *L) {
  struct unpacker *self = check_unpacker(L);
  const void *data = NULL;
  size_t size = 0;
  la_int64_t offset = 0;
  self->block = (struct bytes){0};
  int result = archive_read_data_block(self->format, &data, &size, &offset);
  if (result == ARCHIVE_EOF) size = 0;
  if (result != ARCHIVE_OK && result != ARCHIVE_EOF) return fail(L, self);
  if (size > 0 && (offset < 0 || (uint64_t)offset != self->lent))
    return bind_fail(L, "archive_damaged", "has a hole");
  if (!self->is_tar && !stream_count(&self->stream, size)) return fail(L, self);
  self->lent += size;
  self->block = (struct bytes){data, size};
  lua_pushinteger(L, (lua_Integer)size);
  return 1;
}

static bool is_zero(struct bytes bytes) {
  for (size_t i = 0; i < bytes.size; i++)
    if (bytes.data[i] != 0) return false;
  return true;
}

/* Reads the stream to its end; `clean` tells whether it was all zeros. */
static int drain(struct stream *stream, bool *clean) {
  *clean = true;
  while (*clean) {
    if (stream_fill(stream) != ARCHIVE_OK) return ARCHIVE_FATAL;
    if (stream->ended) break;
    *clean = is_zero(stream_take(stream, stream->pending.size));
  }
  return ARCHIVE_OK;
}

/* unpacker:finish() -> true | nil, message, code: a tar ends with two blocks of
 * zeros; nothing but zeros may follow them, and nothing its compressed stream.
 */
static int unpacker_finish(lua_State *L) {
  struct unpacker *self = check_unpacker(L);
  struct stream *stream = &self->stream;
  bool clean = false;
  luaL_argcheck(L, self->is_tar && self->at_end, 1, "has entries left");
  self->block = (struct bytes){0};
  if (self->header_size < END_MARK)
    return bind_fail(L, "archive_truncated", "lacks the zeros that end a tar");
  if (drain(stream, &clean) != ARCHIVE_OK) return fail(L, self);
  if (!clean || !is_zero((struct bytes){self->header, self->header_size}))
    return bind_fail(L, "archive_trailing", "has data after its last entry");
  if (stream_unused(stream) > 0)
    return bind_fail(L, "archive_trailing",
                     "has %I bytes after its compressed stream",
                     (LUAI_UACINT)stream_unused(stream));
  if (!stream_is_whole(stream))
    return bind_fail(L, "archive_damaged", "its gzip checksum is wrong");
  lua_pushboolean(L, 1);
  return 1;
}

/* unpacker:unpacked() -> integer: bytes that came out so far. */
static int unpacker_unpacked(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_unpacker(L)->stream.unpacked);
  return 1;
}

/* unpacker:close(): gives its memory back; the bytes that it read stay whose
 * they are. */
static int unpacker_close(lua_State *L) {
  struct unpacker *self = luaL_checkudata(L, 1, UNPACKER_META);
  archive_read_free(self->format);
  self->format = NULL;
  stream_close(&self->stream);
  if (self->utf8 != (locale_t)0) freelocale(self->utf8);
  self->utf8 = (locale_t)0;
  return 0;
}

static int unpacker_tostring(lua_State *L) {
  const struct unpacker *self = luaL_checkudata(L, 1, UNPACKER_META);
  lua_pushfstring(L, "unpacker (%s, %s)", self->is_tar ? "tar" : "zip member",
                  self->format != NULL ? "open" : "closed");
  return 1;
}

int luaopen_core_unpack(lua_State *L) {
  static const luaL_Reg unpacker_methods[] = {
      {"next", unpacker_next},     {"block", unpacker_block},
      {"finish", unpacker_finish}, {"unpacked", unpacker_unpacked},
      {"close", unpacker_close},   {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(tar), BIND(member), {NULL, NULL}};
  bind_source_type(L, UNPACKER_META, unpacker_methods, unpacker_close,
                   unpacker_tostring);
  luaL_newlib(L, functions);
  return 1;
}
