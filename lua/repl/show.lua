-- How the prompt shows values: as they would be written, and not more of a table than fits.
local check = require "bittern.check"

local M = {}

local DEPTH <const>, MOST <const>, LONGEST <const> = 3, 40, 2000

local function quoted(text)
  if #text > LONGEST then text = text:sub(1, LONGEST) .. "..." end
  local plain = ("%q"):format(text):gsub("\\\n", "\\n"):gsub("[\1-\8\11-\31\127]", function(byte)
    return ("\\%d"):format(byte:byte())
  end)
  return plain
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key .. " = " end
  return ("[%s] = "):format(type(key) == "string" and quoted(key) or tostring(key))
end

local value_text

-- The members of a table: those of the array without their numbers, then the others by name.
local function members(value, depth, seen)
  local list, count = {}, 0
  for i = 1, #value do
    if i > MOST then break end
    list[i] = value_text(value[i], depth + 1, seen)
  end
  for _, key in ipairs(check.sorted_keys(value)) do
    count = count + 1
    local in_array = math.type(key) == "integer" and key >= 1 and key <= #value
    if not in_array and #list < MOST then
      list[#list + 1] = key_text(key) .. value_text(value[key], depth + 1, seen)
    end
  end
  if count > #list then list[#list + 1] = ("... %d more"):format(count - #list) end
  return list
end

local function table_text(value, depth, seen)
  local meta = debug.getmetatable(value)
  if meta and meta.__tostring then return tostring(value) end
  if seen[value] then return "{ again }" end
  if depth > DEPTH then return "{ ... }" end
  seen[value] = true
  local list = members(value, depth, seen)
  seen[value] = nil
  if #list == 0 then return "{}" end
  local short = "{ " .. table.concat(list, ", ") .. " }"
  if #short + 2 * depth <= 78 and not short:find("\n", 1, true) then return short end
  local margin = ("  "):rep(depth)
  return "{\n" .. margin .. table.concat(list, ",\n" .. margin) .. "\n" .. margin:sub(3) .. "}"
end

function value_text(value, depth, seen)
  if type(value) == "string" then return quoted(value) end
  if type(value) == "table" then return table_text(value, depth, seen) end
  return tostring(value)
end

--- A value as text.
-- @param value any
-- @return text of one or more lines
function M.value(value)
  return value_text(value, 1, {})
end

return M
