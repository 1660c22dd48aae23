-- Deterministic zip files: the same names and bytes give the same archive on every machine and day.
--
-- Every entry is STORED and its data starts at a multiple of 64 bytes, so that tensors can be
-- mapped inside of the archive; names are in byte order; no times, users or modes enter.
--
-- | local header, name, [zip64 field], [alignment field] | data | ... | central directory | end |
local archive = require "core.archive"
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local names = require "bittern.model.zip.names"
local records = require "bittern.model.zip.records"

local M = {}

M.ALIGNMENT = 64

-- Bytes at once: enough for every core to sum, and what a core's cache holds while it is summed
-- and written.
local SUM_STEP <const>, WRITE_STEP <const> = 8 << 20, 1 << 20
local LEAST_PADDING <const> = 6

-- Size of the alignment field of a header that ends at `at` without one.
local function padding_for(at)
  local size = -at % M.ALIGNMENT
  while size > 0 and size < LEAST_PADDING do size = size + M.ALIGNMENT end
  return size
end

local function checked(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    local ok, message, code = names.check(entry.name)
    if not ok then return nil, message, code end
    list[i] = {
      name = entry.name, size = entry.size, crc32 = entry.crc32 or 0, source = entry.source,
    }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  local ok, message, code = names.check_all(list)
  if not ok then return nil, message, code end
  return list
end

--- Where everything will lie: the one place that knows an archive's size, to plan and to write.
-- @param entries array of {name, size [, crc32]}
-- @return {entries = sorted array with name, size, offset, data, padding; directory = offset;
--   size = bytes of the whole archive}, or nil, message, "archive_path" or "archive_duplicate"
function M.layout(entries)
  local list, message, code = checked(entries)
  if not list then return nil, message, code end
  local at, directory_size = 0, 0
  for _, entry in ipairs(list) do
    entry.offset, entry.padding = at, ""
    entry.padding = records.padding(padding_for(at + #records.local_header(entry)), M.ALIGNMENT)
    entry.data = at + #records.local_header(entry)
    at = entry.data + entry.size
    directory_size = directory_size + #records.central_header(entry)
  end
  local ending = records.ending(#list, directory_size, at)
  return {
    entries = list, directory = at, directory_size = directory_size,
    size = at + directory_size + #ending,
  }
end

--- Central directory and end of a layout whose entries have their crc32.
function M.tail(layout)
  local parts = {}
  for i, entry in ipairs(layout.entries) do parts[i] = records.central_header(entry) end
  parts[#parts + 1] = records.ending(#layout.entries, layout.directory_size, layout.directory)
  return table.concat(parts)
end

local function size_of(source)
  return type(source) == "string" and #source or source:size()
end

-- Calls visit(piece, its size): a string whole, a map in steps whose pages may go afterwards, so
-- that memory stays small.
local function pieces(source, step, visit)
  if type(source) == "string" then return visit(source, #source) end
  local size, at = source:size(), 0
  while at < size do
    local count = math.min(step, size - at)
    local piece = source:slice(at, count)
    local ok, message, code = visit(piece, count)
    if not ok then return nil, message, code end
    piece:release()
    at = at + count
  end
  return true
end

local function crc_of(source)
  local crc = 0
  local ok, message, code = pieces(source, SUM_STEP, function(piece)
    local why, id
    crc, why, id = archive.crc32(piece, crc, sys.cores())
    return crc, why, id
  end)
  if not ok then return nil, message, code end
  return crc
end

local function with_source(entry, visit)
  if entry.source.text then return visit(entry.source.text) end
  local mapped <close>, message, code = map.open(entry.source.path)
  if not mapped then return nil, message, code end
  return visit(mapped)
end

-- Fills size and crc32: the first of two readings, since both stand before the data.
local function measure(entry)
  return with_source(entry, function(source)
    entry.size = size_of(source)
    local crc, message, code = crc_of(source)
    entry.crc32 = crc
    return crc ~= nil, message, code
  end)
end

local function put_entry(entry, put)
  local ok, message, code = put(records.local_header(entry))
  if not ok then return nil, message, code end
  return with_source(entry, function(source)
    local crc, size = 0, 0
    local done, why, id = pieces(source, WRITE_STEP, function(piece, count)
      crc, size = archive.crc32(piece, crc), size + count
      if not crc then return nil, "interrupted", "interrupted" end
      return put(piece)
    end)
    if not done then return nil, why, id end
    if crc == entry.crc32 and size == entry.size then return true end
    return nil, entry.name .. ": changed while it was being packed", "integrity"
  end)
end

local function put_all(layout, put)
  for _, entry in ipairs(layout.entries) do
    local ok, message, code = put_entry(entry, put)
    if not ok then return nil, message, code end
  end
  return put(M.tail(layout))
end

local function measured(entries)
  local list = {}
  for i, given in ipairs(entries) do
    local entry = { name = given.name, source = { text = given.text, path = given.path } }
    local ok, message, code = measure(entry)
    if not ok then return nil, message, code end
    list[i] = entry
  end
  return M.layout(list)
end

-- Writes everything; a hash follows on a thread of its own, so that it and the disk work at the
-- same time.
local function write_and_hash(out, layout, on_progress)
  local follower <close>, message, code = sha256.follow(out:temporary())
  if not follower then return nil, message, code end
  local ok, why, id = put_all(layout, function(piece)
    local written, reason, kind = out:write(piece)
    if not written then return nil, reason, kind end
    follower:advance(out:tell())
    if on_progress then on_progress(out:tell(), layout.size) end
    return true
  end)
  if not ok then return nil, why, id end
  assert(out:tell() == layout.size, "the layout of an archive and its bytes disagree")
  ok, why, id = out:sync()
  if not ok then return nil, why, id end
  return follower:hex()
end

--- Writes an archive: to a temporary file first, so that the final name never holds half of one.
-- @param path string
-- @param entries array of {name, text = bytes} or {name, path = file}
-- @param options {on_progress = function(done, total)}, or nil
-- @return {path, size, sha256} of the exact bytes written, or nil, message, code
function M.write(path, entries, options)
  local layout, message, code = measured(entries)
  if not layout then return nil, message, code end
  local out <close>, why, id = fs.create(path)
  if not out then return nil, why, id end
  local hash, reason, kind = write_and_hash(out, layout, options and options.on_progress)
  if not hash then return nil, reason, kind end
  local done, fault, fault_code = out:commit()
  if not done then return nil, fault, fault_code end
  return { path = path, size = layout.size, sha256 = hash }
end

return M
