-- What an interrupted download has: a small file beside the part, written over in place.
--
-- It is not synced: a killed process loses nothing by that, and after a power loss the hash of the
-- whole file decides.
local fs = require "core.fs"
local json = require "bittern.json"
local parts = require "bittern.download.parts"

local M = {}

local MOST <const> = 1 << 20

local State = {}
State.__index = State

local function file_of(path)
  return path .. ".ranges"
end

--- Opens the state of a download.
-- @param path of the finished file
-- @return state, or nil, message, code
function M.open(path)
  local file, message, code = fs.part(file_of(path))
  if not file then return nil, message, code end
  return setmetatable({ path = path, file = file, length = file:size() or 0 }, State)
end

--- What an earlier run left, when it is of the same version of the same file.
-- @param path of the finished file
-- @param remote as remote.find gives it; its size is known
-- @param url as the user gave it
-- @param by_hash whether the whole file's hash will be compared, so that no ETag is needed, or an
--   equal ETag at another URL is enough: the same file of another commit
-- @return missing pieces, or nil
function M.read(path, remote, url, by_hash)
  local text = fs.read(file_of(path) .. ".part", MOST)
  local state = text and json.decode(text)
  if type(state) ~= "table" or state.size ~= remote.size then return nil end
  local here = state.url == url
  local same = remote.etag and state.etag == remote.etag and (here or by_hash)
    or not remote.etag and here and by_hash
  if not same or not parts.is_valid(remote.size, state.missing) then return nil end
  return state.missing
end

--- Notes what is missing.
-- @param remote as remote.find gives it
-- @param url as the user gave it
-- @param missing array of {first, last}
-- @return true, or nil, message, code
function State:write(remote, url, missing)
  local pieces = {}
  for i, piece in ipairs(missing) do pieces[i] = json.array(piece) end
  local text = assert(json.encode {
    url = url, size = remote.size, etag = remote.etag, missing = json.array(pieces),
  })
  -- Spaces over the rest of a longer one: JSON does not mind.
  local padded = text .. (" "):rep(self.length - #text)
  self.length = #padded
  return self.file:write_at(0, padded)
end

--- Closes and, when the file is finished, removes it.
function State:close(finished)
  self.file:close()
  if finished then fs.remove(file_of(self.path) .. ".part") end
end

return M
