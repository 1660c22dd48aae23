-- Unpacked archives, kept by the SHA-256 of the archive so that each is unpacked once:
--
--   <cache>/archives/<sha256>/manifest.json    [{"crc32":..,"name":..,"size":..}, ...]
--   <cache>/archives/<sha256>/files/...        the entries
--   <cache>/archives/.<sha256>.tmp/            while it is being unpacked, under .<sha256>.lock
--
-- A folder has its final name only when it is whole. All of it may be deleted at any time.
local archive = require "core.archive"
local fs = require "core.fs"
local lfs = require "lfs"
local map = require "core.map"
local sha256 = require "core.sha256"

local canonical = require "bittern.canonical"
local paths = require "bittern.paths"

local M = {}

local STEP <const> = 8 << 20
local PRIVATE <const> = 0x1C0 -- 0700
local WAIT <const> = 300 -- seconds for another that unpacks the same archive
local SPARE <const> = 64 << 20 -- bytes that stay free on the disk

-- The folder of a hash, and the one where it is made.
local function places(hash)
  local root = paths.cache() .. "/archives"
  return { root = root, final = root .. "/" .. hash, temporary = root .. "/." .. hash .. ".tmp",
    lock = root .. "/." .. hash .. ".lock" }
end

local function remove_tree(path)
  local mode = lfs.symlinkattributes(path, "mode")
  if not mode then return true end
  if mode == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        local ok, message, code = remove_tree(path .. "/" .. name)
        if not ok then return nil, message, code end
      end
    end
  end
  return fs.remove(path)
end

local function is_there(folder, entry)
  local info = fs.stat(folder .. "/files/" .. entry.name)
  return info ~= nil and info.type == "file" and info.size == entry.size
end

-- What was unpacked before; nothing unless every file is there in its size.
local function load(hash, folder)
  local text = fs.read(folder .. "/manifest.json")
  local entries = text and canonical.decode(text)
  if type(entries) ~= "table" then return nil end
  for _, entry in ipairs(entries) do
    if type(entry) ~= "table" or type(entry.name) ~= "string" or not is_there(folder, entry) then
      return nil
    end
  end
  return { sha256 = hash, path = folder .. "/files", entries = entries }
end

-- A sink that writes each file below `folder`, through a temporary file of its own.
local function writing(folder)
  local sink, out = {}, nil

  function sink.open(name)
    local path = folder .. "/" .. name
    local ok, message, code = fs.mkdir(path:match("^(.*)/"), PRIVATE)
    if not ok then return nil, message, code end
    out, message, code = fs.create(path)
    return out ~= nil, message, code
  end

  function sink.piece(bytes)
    return out:write(bytes)
  end

  function sink.close()
    return out:commit()
  end

  function sink.drop()
    if out then out:close() end
  end

  return sink
end

-- Unpacks into the temporary folder and gives it its name. `unpack(sink)` -> entries.
local function build(hash, place, unpack)
  for _, path in ipairs { place.temporary, place.final } do
    local ok, message, code = remove_tree(path)
    if not ok then return nil, message, code end
  end
  local ok, message, code = fs.mkdir(place.temporary .. "/files", PRIVATE)
  if not ok then return nil, message, code end
  local sink = writing(place.temporary .. "/files")
  local entries, why, id = unpack(sink)
  sink.drop()
  if not entries then return nil, why, id end
  ok, message, code = fs.write(place.temporary .. "/manifest.json",
    assert(canonical.encode(canonical.array(entries))))
  if not ok then return nil, message, code end
  ok, message, code = fs.rename(place.temporary, place.final)
  if not ok then return nil, message, code end
  return { sha256 = hash, path = place.final .. "/files", entries = entries, is_fresh = true }
end

local function build_locked(hash, place, unpack)
  local lock <close>, message, code = fs.lock(place.lock, WAIT)
  if not lock then return nil, message, code end
  local found = load(hash, place.final)
  if found then return found end
  local made, why, id = build(hash, place, unpack)
  if made then return made end
  remove_tree(place.temporary)
  return nil, why, id
end

local function hash_of(source)
  local hash <close>, at, size = sha256.new(), 0, source:size()
  while at < size do
    local count = math.min(STEP, size - at)
    hash:update(source:slice(at, count))
    at = at + count
  end
  return hash:hex()
end

--- The files of an archive in the cache.
-- @param source map of the archive
-- @param size bytes that its entries need, where it says so, else 0
-- @param unpack function(sink) -> array of {name, size, crc32}, or nil, message, code: gives each
--   file to sink.open(name), sink.piece(bytes), sink.close(); called unless they are there already
-- @return {sha256, path = folder of the files, entries, is_fresh = whether they were just
--   unpacked}; or nil, message, code
function M.fetch(source, size, unpack)
  local hash = hash_of(source)
  local place = places(hash)
  local found = load(hash, place.final)
  if found then return found end
  local ok, message, code = fs.mkdir(place.root, PRIVATE)
  if not ok then return nil, message, code end
  local free = fs.disk_free(place.root)
  if free and size > free - SPARE then
    return nil, ("%s: unpacking needs %d bytes, %d are free"):format(place.root, size, free),
      "disk_full"
  end
  return build_locked(hash, place, unpack)
end

--- Reads every file of the cache again and compares its CRC-32.
-- @param found as M.fetch gives it
-- @return true, or nil, message, "integrity" or others
function M.check(found)
  for _, entry in ipairs(found.entries) do
    local mapped <close>, message, code = map.open(found.path .. "/" .. entry.name)
    if not mapped then return nil, message, code end
    local crc, why, id = archive.crc32(mapped)
    if not crc then return nil, why, id end
    if crc ~= entry.crc32 then
      return nil, ("%s/%s: is damaged in the cache"):format(found.path, entry.name), "integrity"
    end
  end
  return true
end

--- Forgets what was unpacked, so that the next fetch unpacks again.
function M.forget(found)
  return remove_tree((found.path:gsub("/files$", "")))
end

return M
