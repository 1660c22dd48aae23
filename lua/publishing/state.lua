-- What a publisher notes of an upload that is under way, so that the next run goes on with it.
--
-- It may hold signed URLs: nobody else may read it.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local paths = require "bittern.paths"

local M = {}

local MOST <const> = 16 << 20

local State = {}
State.__index = State

--- The state of an upload.
-- @param place where the bytes go: a text that names no other place
-- @param artifact {sha256}
-- @return state
function M.of(place, artifact)
  local name = sha256.hex(place .. "\n" .. artifact.sha256):sub(1, 32)
  return setmetatable({ path = paths.state() .. "/uploads/" .. name .. ".json" }, State)
end

--- What an earlier run noted.
-- @return table, or nil
function State:read()
  local value = json.decode(fs.read(self.path, MOST) or "")
  return type(value) == "table" and value or nil
end

--- Notes a value.
-- @return true, or nil, message, code
function State:write(value)
  local ok, message, code = fs.mkdir(self.path:match("^(.*)/"), 448)
  if not ok then return nil, message, code end
  return fs.write(self.path, json.encode(value), { mode = 384 })
end

--- The upload is over.
function State:remove()
  fs.remove(self.path)
end

return M
