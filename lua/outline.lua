-- Records of the coordinator for people: one field a line, known fields first, nothing left out.
local check = require "bittern.check"
local json = require "bittern.json"
local report = require "bittern.report"
local wrap = require "bittern.report.wrap"

local M = {}

local WIDTH <const>, LABEL_MAX <const> = 80, 34

local function is_plain_list(value)
  if #value == 0 then return false end
  for _, item in ipairs(value) do
    if type(item) == "table" then return false end
  end
  return true
end

local function text_of(value)
  if type(value) == "number" then return json.encode(value) or tostring(value) end
  if type(value) ~= "table" then return report.clean(value) end
  if next(value) == nil then return "none" end
  if is_plain_list(value) then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = report.clean(item) end
    return table.concat(parts, ", ")
  end
  return report.clean(json.encode(value) or "?")
end

local function names_in_order(record, order)
  local names, seen = {}, {}
  for _, list in ipairs { order, check.sorted_keys(record) } do
    for _, name in ipairs(list) do
      if record[name] ~= nil and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  return names
end

local function is_object(value)
  return type(value) == "table" and #value == 0 and next(value) ~= nil
end

-- {label, value} of each line: the members of an object stand under its name, one level deep.
local function entries_of(record, order)
  local list = {}
  for _, name in ipairs(names_in_order(record, order)) do
    local value, label = record[name], report.clean(name)
    local nested = is_object(value)
    list[#list + 1] = { label, not nested and text_of(value) or "" }
    for _, member in ipairs(nested and check.sorted_keys(value) or {}) do
      list[#list + 1] = { "  " .. report.clean(member), text_of(value[member]) }
    end
  end
  return list
end

--- A record as lines.
-- @param record table
-- @param order array of names that come first
-- @return array of lines
function M.lines(record, order)
  local entries, lines, widest = entries_of(record, order), {}, 0
  for _, entry in ipairs(entries) do widest = math.max(widest, #entry[1]) end
  local indent = (" "):rep(math.min(widest, LABEL_MAX) + 2)
  for _, entry in ipairs(entries) do
    local label, body = entry[1], wrap(entry[2], WIDTH, indent)
    body[1] = label .. (" "):rep(math.max(2, #indent - #label)) .. body[1]:sub(#indent + 1)
    for _, line in ipairs(body) do lines[#lines + 1] = (line:gsub("%s+$", "")) end
  end
  return lines
end

return M
