-- Sums of squares of a run that was stopped, beside the file that it makes: a line of JSON that
-- says what was summed, and the sums.
local buffer = require "core.buffer"
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local canonical = require "bittern.canonical"

local M = {}

local MOST_BYTES <const> = 1 << 30

local State = {}
State.__index = State

--- The state beside a file.
-- @param out path of the file
-- @param key text of everything that the sums depend on
-- @param every seconds of work that may be lost
function M.new(out, key, every)
  return setmetatable({ path = out .. ".part", key = sha256.hex(key), every = every,
    saved = sys.clock() }, State)
end

local function bytes_of(inputs)
  local parts = {}
  for i, input in ipairs(inputs) do parts[i] = input.squares:text() end
  return table.concat(parts)
end

-- Puts the sums of a file back; whether they are of these inputs.
local function put_back(text, inputs)
  local size, at = 0, 1
  for _, input in ipairs(inputs) do size = size + input.squares:bytes_size() end
  if #text ~= size then return false end
  for _, input in ipairs(inputs) do
    local last = at + input.squares:bytes_size() - 1
    input.squares = buffer.from("f64", text:sub(at, last))
    at = last + 1
  end
  return true
end

--- Takes up the sums of an earlier run of the same work.
-- @param inputs whose squares are replaced
-- @return documents and tokens that are in them, 0 and 0 when there is nothing to go on from
function State:load(inputs)
  local text = fs.read(self.path, MOST_BYTES) or ""
  local line, sums = text:match("^([^\n]*)\n(.*)$")
  local head = line and canonical.decode(line)
  if type(head) ~= "table" or head.key ~= self.key or head.sums ~= sha256.hex(sums) then
    return 0, 0
  end
  if not put_back(sums, inputs) then return 0, 0 end
  return head.documents, head.tokens
end

--- Notes the sums from time to time.
-- @return true, or nil, message, code
function State:keep(inputs, documents, tokens)
  if sys.clock() - self.saved < self.every then return true end
  local sums = bytes_of(inputs)
  local head = canonical.encode { key = self.key, sums = sha256.hex(sums), documents = documents,
    tokens = tokens }
  local ok, message, code = fs.write(self.path, head .. "\n" .. sums)
  self.saved = sys.clock()
  return ok, message, code
end

--- Removes what nobody goes on from any more.
function State:remove()
  return fs.remove(self.path)
end

return M
