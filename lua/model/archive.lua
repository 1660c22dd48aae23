-- Archives of a model: a zip whose entries are stored is mapped where it lies; compressed ones and
-- tars are unpacked into the cache first. What validators would not take, or two readers would
-- understand differently, is refused with a reason.
local map = require "core.map"

local cache = require "bittern.model.archive.cache"
local kinds = require "bittern.model.archive.kind"
local places = require "bittern.model.places"
local tar = require "bittern.model.archive.tar"
local zip = require "bittern.model.zip"

local M = {}

-- No archive of a model unpacks to more than that.
local MOST <const> = 1 << 40

local function bad(path, code, format, ...)
  return nil, path .. ": " .. format:format(...), code
end

-- The folder that holds the one config.json: "" for the top, else with a slash at its end.
local function home_of(entries, path)
  local found = {}
  for _, entry in ipairs(entries) do
    local folder = ("/" .. entry.name):match("^(.*/)config%.json$")
    if folder then found[#found + 1] = folder:sub(2) end
  end
  if #found == 1 then return found[1] end
  if #found == 0 then return bad(path, "archive_config", "has no config.json") end
  return bad(path, "archive_config", "has %d files named config.json; validators take any of them",
    #found)
end

-- The bytes that a tar may unpack to.
local function most_of(source)
  return math.min(MOST, math.max(zip.FLOOR, source:size() * zip.RATIO))
end

-- Reads every file of an archive through, checked. One of:
-- read(sink) -> array of {name, size, crc32}; and the bytes that it says it will give, 0 for a tar.

local function reader_of_zip(source, path)
  local opened, message, code = zip.read(source, path)
  if not opened then return nil, message, code end
  local function read(sink)
    local entries = {}
    for i, entry in ipairs(opened.entries) do
      local ok, why, id = sink.open(entry.name, entry.size)
      if not ok then return nil, why, id end
      ok, why, id = opened:read(entry.name, sink.piece)
      if not ok then return nil, why, id end
      ok, why, id = sink.close()
      if not ok then return nil, why, id end
      entries[i] = { name = entry.name, size = entry.size, crc32 = entry.crc32 }
    end
    return entries
  end
  return read, opened.size, opened
end

local function reader_of_tar(source, path, filter)
  local options = { path = path, filter = filter, most = most_of(source) }
  return function(sink) return tar.read(source, options, sink) end, 0
end

local function reader_of(source, path)
  local kind, filter, code = kinds.of(source)
  if not kind then return bad(path, code, "%s", filter) end
  if kind == "zip" then return reader_of_zip(source, path) end
  return reader_of_tar(source, path, filter)
end

local function yes() return true end

--- Reads an archive through without keeping anything.
-- @param source map of the file
-- @param path what to call it in messages
-- @param sink {open, piece, close} as bittern.model.archive.tar takes it, or nil
-- @return array of {name, size, crc32}, or nil, message, code
function M.read(source, path, sink)
  local read, message, code = reader_of(source, path)
  if not read then return nil, message, code end
  return read(sink or { open = yes, piece = yes, close = yes })
end

-- A zip whose entries are lent from the map, with the face of bittern.model.places.
local function lend(opened, inside)
  local self = { path = opened.path, entries = opened.entries }

  function self.has(name)
    return opened.by_name[inside .. name] ~= nil
  end

  function self.source(name)
    return opened:slice(inside .. name)
  end

  function self.text(name)
    local slice, message, code = opened:slice(inside .. name)
    if not slice then return nil, message, code end
    if slice:size() <= places.LARGEST_TEXT then return slice:read(0, slice:size()) end
    return bad(opened.path, "too_large", "%s is larger than %d bytes", name, places.LARGEST_TEXT)
  end

  function self.list()
    local names = {}
    for _, entry in ipairs(opened.entries) do
      local name = entry.name:sub(1, #inside) == inside and entry.name:sub(#inside + 1)
      if name and not name:find("/", 1, true) then names[#names + 1] = name end
    end
    return names
  end

  function self.check()
    for _, entry in ipairs(opened.entries) do
      local ok, message, code = opened:check(entry.name)
      if not ok then return nil, message, code end
    end
    return true
  end

  function self.close() opened:close() end

  return self
end

-- Files in the cache; unpacked again where the cache was damaged.
local function unpacked(source, path, read, size)
  local found, message, code = cache.fetch(source, size, read)
  if not found then return nil, message, code end
  local home, why, id = home_of(found.entries, path)
  if not home then
    cache.forget(found)
    return nil, why, id
  end
  local self = places.folder((found.path .. "/" .. home):gsub("/$", ""))
  self.entries = found.entries
  function self.check()
    if found.is_fresh or cache.check(found) then return true end
    local ok, reason, kind = cache.forget(found)
    if not ok then return nil, reason, kind end
    found, reason, kind = cache.fetch(source, size, read)
    return found ~= nil, reason, kind
  end
  return self
end

local function open_mapped(source, path)
  local read, size, opened = reader_of(source, path)
  if not read then return nil, size, opened end
  if not opened then return unpacked(source, path, read, size) end
  local home, message, code = home_of(opened.entries, path)
  if not home then return nil, message, code end
  if opened.is_stored then return lend(opened, home) end
  return unpacked(source, path, read, size)
end

--- Opens an archive of a model.
-- @param path string
-- @return the folder of its config.json, with the face of bittern.model.places and entries = array
--   of {name, size, crc32} of the whole archive, check() = reads every entry through and compares
--   its CRC-32 -> true, or nil, message, code; or nil, message, code
function M.open(path)
  local source, message, code = map.open(path)
  if not source then return nil, message, code end
  local folder, why, id = open_mapped(source, path)
  if not folder then
    source:close()
    return nil, why, id
  end
  local close = folder.close
  function folder.close()
    close()
    source:close()
  end
  return folder
end

return M
