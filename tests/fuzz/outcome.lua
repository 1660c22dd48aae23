-- What the fuzz targets share. A target is a function of bytes that gives a word for what became of
-- them: "read", or the id with which they were refused. It raises when what it fuzzes did wrong.
local map = require "core.map"

local check = require "bittern.check"
local errors = require "bittern.errors"

local M = {}

local LONGEST_MESSAGE <const> = 4096

local known = {}
for _, id in ipairs(errors.list()) do known[id] = true end

--- The world failed, and says so properly.
-- @return code
function M.refused(message, code)
  assert(type(message) == "string" and #message <= LONGEST_MESSAGE, "no message")
  assert(known[code], "not an error id: " .. tostring(code))
  return code
end

-- Numbers of one kind and sign, all NaNs alike.
local function same_number(a, b)
  if math.type(a) ~= math.type(b) then return false end
  return a == b and (a ~= 0 or 1 / a == 1 / b) or a ~= a and b ~= b
end

--- Whether two values are the same, with all that is in them but what tables are keys of.
function M.same(a, b)
  if type(a) ~= type(b) then return false end
  if type(a) == "number" then return same_number(a, b) end
  if type(a) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if type(key) ~= "table" and not M.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if type(key) ~= "table" and a[key] == nil then return false end
  end
  return true
end

--- Bytes as a file of no name, which is given to `visit` and closed after it.
-- @return what `visit` gives
function M.mapped(bytes, visit)
  local source <close> = map.of(bytes)
  return visit(source)
end

--- A file of tensors with the face of a model.
function M.model(file)
  return { path = "x", config = {}, metadata = file.metadata,
    names = check.sorted_keys(file.by_name),
    tensor = function(_, name)
      local t = file.by_name[name]
      if not t then return nil, "no tensor", "not_found" end
      return { name = name, dtype = t.dtype, shape = t.shape, size = t.size,
        slice = assert(file:slice(name)) }
    end }
end

--- Texts of an input, which zero bytes separate.
-- @param count how many; the last one is the rest
-- @return that many strings, "" for what is missing
function M.parts(bytes, count)
  local list, at = {}, 1
  for i = 1, count - 1 do
    local zero = bytes:find("\0", at, true) or #bytes + 1
    list[i], at = bytes:sub(at, zero - 1), zero + 1
  end
  list[count] = bytes:sub(at)
  return table.unpack(list)
end

return M
