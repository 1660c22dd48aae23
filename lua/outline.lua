-- Records of the coordinator for people: one field a line, known fields first, nothing left out.
local check = require "bittern.check"
local json = require "bittern.json"
local report = require "bittern.report"

local M = {}

local WIDTH <const> = 80

local function is_plain_list(value)
  if #value == 0 then return false end
  for _, item in ipairs(value) do
    if type(item) == "table" then return false end
  end
  return true
end

local function text_of(value)
  if type(value) ~= "table" then return report.clean(value) end
  if next(value) == nil then return "none" end
  if is_plain_list(value) then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = report.clean(item) end
    return table.concat(parts, ", ")
  end
  return report.clean(json.encode(value) or "?")
end

-- One level of objects is shown as name.member.
local function flatten(record, flat)
  for name, value in pairs(record) do
    if type(value) == "table" and #value == 0 and next(value) ~= nil then
      for member, inner in pairs(value) do flat[name .. "." .. tostring(member)] = inner end
    else
      flat[name] = value
    end
  end
  return flat
end

local function names_in_order(flat, order)
  local names, seen = {}, {}
  for _, name in ipairs(order) do
    for _, key in ipairs(check.sorted_keys(flat)) do
      if not seen[key] and (key == name or key:sub(1, #name + 1) == name .. ".") then
        seen[key] = true
        names[#names + 1] = key
      end
    end
  end
  for _, key in ipairs(check.sorted_keys(flat)) do
    if not seen[key] then names[#names + 1] = key end
  end
  return names
end

--- Text in lines of at most so many columns, at least one.
-- @param text string
-- @param width of a line, its indent included
-- @param indent of every line
-- @return array of lines
function M.wrap(text, width, indent)
  local lines, line = {}, ""
  local room = math.max(1, width - #indent)
  for word in text:gmatch("%S+") do
    local longer = line == "" and word or line .. " " .. word
    if line ~= "" and (utf8.len(longer) or #longer) > room then
      lines[#lines + 1] = indent .. line
      longer = word
    end
    line = longer
  end
  lines[#lines + 1] = indent .. line
  return lines
end

--- A record as lines.
-- @param record table
-- @param order array of names that come first
-- @return array of lines
function M.lines(record, order)
  local flat, lines, widest = flatten(record, {}), {}, 0
  local names = names_in_order(flat, order)
  for _, name in ipairs(names) do widest = math.max(widest, #report.clean(name)) end
  widest = math.min(widest, 30)
  local indent = (" "):rep(widest + 2)
  for _, name in ipairs(names) do
    local body = M.wrap(text_of(flat[name]), WIDTH, indent)
    local label = report.clean(name)
    body[1] = label .. (" "):rep(math.max(2, #indent - #label)) .. body[1]:sub(#indent + 1)
    for _, line in ipairs(body) do lines[#lines + 1] = (line:gsub("%s+$", "")) end
  end
  return lines
end

return M
