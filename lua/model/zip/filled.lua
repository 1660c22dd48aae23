-- Archives one of whose entries is filled in place, piece by piece and in any order; all else is
-- written around it once its bytes are there. Nothing is copied twice.
local archive = require "core.archive"
local map = require "core.map"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local placed = require "bittern.model.placed"
local records = require "bittern.model.zip.records"
local writer = require "bittern.model.zip.writer"

local M = {}

local STEP <const> = 8 << 20

local Filled = {}
Filled.__index = Filled
Filled.__name = "archive that is filled"

--- CRC-32 of a range of a map, whose pages may go afterwards.
-- @return integer, or nil, message, code
function M.crc32(source, at, size)
  local crc = 0
  for first = 0, size - 1, STEP do
    local piece = source:slice(at + first, math.min(STEP, size - first))
    local value, message, code = archive.crc32(piece, crc, sys.cores())
    if not value then return nil, message, code end
    crc = value
    piece:release()
  end
  return crc
end

--- Writes headers, small files and directory around what was filled.
-- @param out writer of core.fs
-- @param layout of the archive
-- @param texts {name = bytes} of the other entries
-- @return true, or nil, message, code
function M.surround(out, layout, texts)
  local source <close>, message, code = map.open(out:temporary())
  if not source then return nil, message, code end
  for _, entry in ipairs(layout.entries) do
    local text = texts[entry.name]
    if text then
      entry.crc32 = archive.crc32(text, 0)
    else
      entry.crc32, message, code = M.crc32(source, entry.data, entry.size)
      if not entry.crc32 then return nil, message, code end
    end
    local ok, why, id = out:write_at(entry.offset, records.local_header(entry))
    if ok and text then ok, why, id = out:write_at(entry.data, text) end
    if not ok then return nil, why, id end
  end
  return out:write_at(layout.directory, writer.tail(layout))
end

--- The hash of a file that is whole, on a thread of its own while the disk takes the bytes.
-- @param out writer of core.fs
-- @return 64 digits, or nil, message, code
function M.hash_and_sync(out, size)
  local follower <close>, message, code = sha256.follow(out:temporary())
  if not follower then return nil, message, code end
  follower:advance(size)
  local ok, why, id = out:sync()
  if not ok then return nil, why, id end
  return follower:hex()
end

local function lay(name, size, files)
  local entries, texts = { { name = name, size = size } }, {}
  for _, file in ipairs(files) do
    entries[#entries + 1] = { name = file.name, size = #file.text }
    texts[file.name] = file.text
  end
  local layout, message, code = writer.layout(entries)
  if not layout then return nil, message, code end
  return layout, texts
end

--- Bytes of an archive of a file of that size and of small ones.
-- @param files array of {name, text}
function M.size(name, size, files)
  return assert(lay(name, size, files)).size
end

--- Begins an archive of one file of tensors and of small files.
-- @param path string; nothing is there before commit
-- @param name of the file of tensors
-- @param contents {header, tensors, total} as placed.create takes them
-- @param files array of {name, text}
-- @return file to put tensors into and to commit, or nil, message, code
function M.create(path, name, contents, files)
  local layout, texts, code = lay(name, #contents.header + contents.total, files)
  if not layout then return nil, texts, code end
  local base
  for _, entry in ipairs(layout.entries) do
    if entry.name == name then base = entry.data end
  end
  local file, message, id = placed.create(path, contents.header, contents.tensors, contents.total,
    base)
  if not file then return nil, message, id end
  return setmetatable({ file = file, layout = layout, texts = texts }, Filled)
end

--- Appends bytes to a tensor.
function Filled:put(name, source, size)
  return self.file:put(name, source, size)
end

--- As bittern.model.placed has them.
function Filled.holds()
  return false
end

function Filled.done()
  return true
end

--- Completes the archive and gives it its name.
-- @return bytes of the archive, their SHA-256; or nil, message, code
function Filled:commit()
  local out, layout = self.file.out, self.layout
  local ok, message, code = M.surround(out, layout, self.texts)
  if not ok then return nil, message, code end
  local hash, why, id = M.hash_and_sync(out, layout.size)
  if not hash then return nil, why, id end
  ok, message, code = self.file:commit()
  if not ok then return nil, message, code end
  return layout.size, hash
end

--- Without a commit, drops what was written.
function Filled:close()
  self.file:close()
end

Filled.__close = Filled.close

return M
