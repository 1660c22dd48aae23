-- Reading tar archives, plain or compressed: entry by entry as libarchive finds them, each judged
-- before a byte of it is passed on.
local archive = require "core.archive"

local names = require "bittern.model.zip.names"

local M = {}

local MOST_ENTRIES <const> = 100000

-- A job is {path = what to call the archive, unpacker, set = of the names so far, entries, sink}.

local function bad(job, code, format, ...)
  return nil, job.path .. ": " .. format:format(...), code
end

-- "./" at the front is how `tar -C FOLDER .` writes names.
local function plain_name(entry)
  local name = entry.name:gsub("^%./", "")
  if entry.kind ~= "folder" then return name end
  name = name:gsub("/+$", "")
  return (name == "" or name == ".") and "" or name .. "/"
end

local refused = {
  link = { "archive_link", "is a link" },
  device = { "archive_link", "is a device or a pipe" },
  sparse = { "archive_method", "is stored sparse" },
}

local function judge(job, entry)
  local ok, message, code = names.check(entry.name)
  if not ok then return bad(job, code, "%s", message) end
  local reason = refused[entry.kind]
  if reason then return bad(job, reason[1], "entry '%s' %s", entry.name, reason[2]) end
  ok, message, code = job.set:add(entry.name)
  if not ok then return bad(job, code, "%s", message) end
  if entry.kind == "folder" and (entry.size or 0) > 0 then
    return bad(job, "archive_mismatch", "folder '%s' has data", entry.name)
  end
  job.count = job.count + 1
  if job.count > MOST_ENTRIES then
    return bad(job, "archive_bomb", "has more than %d entries", MOST_ENTRIES)
  end
  return true
end

local function copy(job, entry)
  local size, crc = 0, 0
  while true do
    local count, message, code = job.unpacker:block()
    if not count then return bad(job, code, "entry '%s': %s", entry.name, message) end
    if count == 0 then break end
    size, crc = size + count, archive.crc32(job.unpacker, crc)
    if not crc then return nil, "interrupted", "interrupted" end
    local ok, why, id = job.sink.piece(job.unpacker, count)
    if not ok then return nil, why, id end
  end
  if size ~= entry.size then
    return bad(job, "archive_truncated", "entry '%s' has %d bytes, not %d", entry.name, size,
      entry.size)
  end
  job.entries[#job.entries + 1] = { name = entry.name, size = size, crc32 = crc }
  return true
end

-- One entry; the top folder itself ("./") says nothing.
local function take(job, entry)
  entry.name = plain_name(entry)
  if entry.name == "" and entry.kind == "folder" then return true end
  local ok, message, code = judge(job, entry)
  if not ok then return nil, message, code end
  if entry.kind == "folder" then return true end
  ok, message, code = job.sink.open(entry.name, entry.size)
  if not ok then return nil, message, code end
  ok, message, code = copy(job, entry)
  if not ok then return nil, message, code end
  return job.sink.close()
end

local function take_all(job)
  while true do
    local entry, message, code = job.unpacker:next()
    if entry == nil then return bad(job, code, "%s", message) end
    if not entry then break end
    local ok, why, id = take(job, entry)
    if not ok then return nil, why, id end
  end
  local ok, message, code = job.unpacker:finish()
  if not ok then return bad(job, code, "%s", message) end
  return true
end

--- Reads a tar archive through.
-- @param source map of the file
-- @param options {path = what to call it in messages, filter, most = bytes it may unpack to}
-- @param sink {open = function(name, size), piece = function(bytes, size), close = function()},
--   called for each file in turn, each -> true, or nil, message, code; the bytes are good until
--   piece returns
-- @return array of {name, size, crc32} in order of names, or nil, message, code
function M.read(source, options, sink)
  local unpack = require "core.unpack"
  local job = { path = options.path, set = names.set(), entries = {}, count = 0, sink = sink }
  local unpacker <close>, message, code = unpack.tar(source,
    { filter = options.filter, most = options.most })
  if not unpacker then return bad(job, code, "%s", message) end
  job.unpacker = unpacker
  local ok, why, id = take_all(job)
  if not ok then return nil, why, id end
  table.sort(job.entries, function(a, b) return a.name < b.name end)
  return job.entries
end

return M
