-- Values as bytes, for both ends of a sandbox's pipe. What is read is a stranger's word: every
-- length is checked, and nothing in it can raise.
local M = {}

local DEPTH <const> = 16 -- of tables in tables

--- What a function in a message becomes: only that it is one crosses.
function M.opaque()
  error "this function lives in a sandbox"
end

local put = {}

local function put_value(parts, value, depth)
  local kind = math.type(value) or type(value)
  if not put[kind] then error("a " .. kind .. " cannot be sent", 0) end
  put[kind](parts, value, depth)
end

put["nil"] = function(parts) parts[#parts + 1] = "n" end
put.boolean = function(parts, value) parts[#parts + 1] = value and "t" or "f" end
put.integer = function(parts, value) parts[#parts + 1] = ("<c1i8"):pack("i", value) end
put.float = function(parts, value) parts[#parts + 1] = ("<c1d"):pack("d", value) end
put.string = function(parts, value) parts[#parts + 1] = ("<c1s4"):pack("s", value) end
put["function"] = function(parts) parts[#parts + 1] = "x" end

function put.table(parts, value, depth)
  if depth == DEPTH then error("tables lie too deep in each other", 0) end
  parts[#parts + 1] = "{"
  for key, item in next, value do
    put_value(parts, key, depth + 1)
    put_value(parts, item, depth + 1)
  end
  parts[#parts + 1] = "}"
end

--- Raises what cannot be sent: threads, userdata, tables deep in tables.
-- @param value of any other kind; metatables are left out
-- @return string
function M.encode(value)
  local parts = {}
  put_value(parts, value, 0)
  return table.concat(parts)
end

-- Each takes the text and the place after the tag, and gives the value and the place after it, or
-- nothing when the text is cut short.
local get = {}

local function get_value(text, at, depth)
  local take = get[text:sub(at, at)]
  if take then return take(text, at + 1, depth) end
end

get.n = function(_, at) return nil, at end
get.t = function(_, at) return true, at end
get.f = function(_, at) return false, at end
get.x = function(_, at) return M.opaque, at end

function get.i(text, at)
  if #text - at >= 7 then return ("<i8"):unpack(text, at) end
end

function get.d(text, at)
  if #text - at >= 7 then return ("<d"):unpack(text, at) end
end

function get.s(text, at)
  local size = #text - at >= 3 and ("<I4"):unpack(text, at)
  if size and #text - at - 3 >= size then return text:sub(at + 4, at + 3 + size), at + 4 + size end
end

get["{"] = function(text, at, depth)
  local value = {}
  if depth == DEPTH then return end
  while at and text:sub(at, at) ~= "}" do
    local key, item
    key, at = get_value(text, at, depth + 1)
    if not at or key == nil or key ~= key then return end
    item, at = get_value(text, at, depth + 1)
    value[key] = item
  end
  if at then return value, at + 1 end
end

--- Reads a message: a table.
-- @param text string
-- @return table, or nil when it is none
function M.decode(text)
  local value, at = get_value(text, 1, 0)
  if type(value) == "table" and at == #text + 1 then return value end
  return nil
end

return M
