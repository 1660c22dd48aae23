-- How the errors of archives, models and this machine's files are met: id -> function that meets it
-- and gives the id that came.
local fs = require "core.fs"
local map = require "core.map"
local process = require "core.process"
local sha256 = require "core.sha256"
local store = require "core.store"

local archive = require "tests.archives"
local archives = require "bittern.model.archive"
local gguf = require "bittern.model.gguf"
local made = require "tests.gguf_bytes"
local models = require "bittern.model"
local safetensors = require "bittern.model.safetensors"
local support = require "tests.support"

local CONFIG <const> = { name = "config.json", text = "{}" }

local function id_of(_, _, id) return id end

-- A file's path with these bytes.
local function written(name, bytes)
  local path = support.folder() .. "/" .. name
  assert(fs.write(path, bytes))
  return path
end

local function archive_of(bytes)
  return function()
    local source <close> = map.of(bytes)
    return id_of(archives.read(source, "x"))
  end
end

local function zip(entry, options)
  return archive_of(archive.zip({ entry }, options))
end

-- A zip of config.json with these fields.
local function zip_with(fields)
  local entry = { name = "config.json", text = "{}" }
  for key, value in pairs(fields) do entry[key] = value end
  return zip(entry)
end

-- A file of one tensor, by its fields in JSON and its data.
local function tensors(header, data)
  local bytes = ("<s8"):pack(header) .. (data or "")
  return function() return id_of(safetensors.open(map.of(bytes), "x.safetensors")) end
end

local function tensor(dtype, shape, last, data)
  return tensors(('{"a":{"dtype":"%s","shape":[%s],"data_offsets":[0,%d]}}'):format(dtype, shape,
    last), data)
end

local function gguf_of(parts)
  local bytes = made.file(parts)
  return function() return id_of(gguf.open(map.of(bytes), "x.gguf")) end
end

local good <const> = archive.zip { CONFIG }

return {
  archive_format = archive_of(("plain text "):rep(100)),
  archive_method = zip_with { method = 99 },
  archive_path = zip { name = "../x", text = "" },
  archive_duplicate = archive_of(archive.zip { CONFIG, CONFIG }),
  archive_link = zip { name = "x", text = "/etc/passwd", mode = 0xA1FF },
  archive_encrypted = zip_with { flags = 1 },
  archive_mismatch = zip(CONFIG, { here = 2, count = 2 }),
  archive_overlap = archive_of(archive.zip { { name = "a", text = "aaaa", size = 30, stored = 30 },
    CONFIG }),
  archive_trailing = archive_of(good .. "x"),
  archive_bomb = zip_with { method = 8, size = 0xFFFFFFFE },
  archive_truncated = archive_of(good:sub(1, #good // 2)),
  archive_damaged = zip_with { crc32 = 1 },
  archive_config = function()
    return id_of(models.open(written("x.zip", archive.zip { { name = "a/config.json", text = "{}" },
      { name = "b/config.json", text = "{}" } })))
  end,

  model_truncated = function() return id_of(safetensors.open(map.of "\0", "x.safetensors")) end,
  model_header = tensors "[1]",
  model_metadata = tensors '{"__metadata__":null}',
  model_tensor = tensors '{"a":1}',
  model_dtype = tensor("F128", "1", 16, ("x"):rep(16)),
  model_shape = tensor("F32", "2", 4, "xxxx"),
  model_overlap = tensors('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', "xx"),
  model_trailing = tensor("U8", "1", 1, "xx"),
  model_limit = gguf_of { tensor_count = 1 << 62 },
  model_shards = function()
    return id_of(models.open(written("m-00001-of-00002.gguf", made.file {
      entries = { made.entry("split.no", made.U16, "\0\0"),
        made.entry("split.count", made.U16, "\2\0") } })))
  end,
  gguf_version = gguf_of { version = 1 },
  gguf_endian = gguf_of { version = 3 << 24 },
  gguf_alignment = gguf_of { entries = { made.entry("general.alignment", made.U32, "\3\0\0\0") } },
  gguf_rotated = gguf_of { entries = { made.entry("prism.hadamard.x", made.U32, "\1\0\0\0") } },
  invalid_model = function() return id_of(models.open(support.folder())) end,
  unsupported = function()
    local changed = assert(fs.read(support.model .. "/config.json")):gsub('"qwen3"', '"nobody"')
    local value = assert(require("bittern.json").decode(changed))
    return id_of(require("bittern.model.architecture").describe(value, "c"))
  end,

  out_of_range = function()
    local bytes <close> = map.of "x"
    return id_of(bytes:read(5, 1))
  end,
  constraint = function()
    local db <close> = assert(store.open(support.folder() .. "/db"))
    assert(db:query "CREATE TABLE t (a UNIQUE)")
    assert(db:query "INSERT INTO t VALUES (1)")
    return id_of(db:query "INSERT INTO t VALUES (1)")
  end,
  locked = function()
    local path = support.folder() .. "/lock"
    local held <close> = assert(fs.lock(path)) -- luacheck: ignore held
    return id_of(fs.lock(path))
  end,
  denied = function() return id_of(process.run { argv = { "/etc/passwd" } }) end,
  io = function() return id_of(sha256.file "/proc/self/mem") end,
  not_found = function() return id_of(sha256.file "/nowhere") end,
  is_directory = function() return id_of(sha256.file "/tmp") end,
  closed_pipe = function()
    local child <close> = assert(process.spawn { argv = { "/bin/true" }, stdout = "pipe" })
    return id_of(child:read_line(10))
  end,
}
