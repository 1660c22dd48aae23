-- Checks the bodies of requests, with the complaints that FastAPI would make.
local canonical = require "bittern.canonical"

local M = {}

local function item(name, message, kind)
  local loc = canonical.array { "body" }
  loc[2] = name
  return { loc = loc, msg = message, type = kind }
end

local function is_object(value)
  return type(value) == "table" and not (#value > 0 or canonical.is_array(value))
end

-- Each answers nil when the value is fine, else message and type.
local checks = {
  string = function(value, field)
    if type(value) ~= "string" then return "Input should be a valid string", "string_type" end
    if #value < (field.min or 0) then
      return ("String should have at least %d character"):format(field.min), "string_too_short"
    end
    if (utf8.len(value) or #value) > (field.max or math.huge) then
      return ("String should have at most %d characters"):format(field.max), "string_too_long"
    end
  end,
  integer = function(value, field)
    if math.type(value) ~= "integer" then return "Input should be a valid integer", "int_type" end
    if field.min and value < field.min then
      return ("Input should be greater than or equal to %d"):format(field.min), "greater_than_equal"
    end
    if field.max and value > field.max then
      return ("Input should be less than or equal to %d"):format(field.max), "less_than_equal"
    end
  end,
  texts = function(value, field)
    if type(value) ~= "table" or is_object(value) then
      return "Input should be a valid list", "list_type"
    end
    if #value < field.min then return "List should not be empty", "too_short" end
    if #value > field.max then
      return ("List should have at most %d items"):format(field.max), "too_long"
    end
    for _, text in ipairs(value) do
      if type(text) ~= "string" then return "Input should be a valid string", "string_type" end
    end
  end,
  texts_by_name = function(value)
    if not is_object(value) then return "Input should be a valid dictionary", "dict_type" end
    for _, text in pairs(value) do
      if type(text) ~= "string" then return "Input should be a valid string", "string_type" end
    end
  end,
  metrics = function(value)
    if not is_object(value) then return "Input should be a valid dictionary", "dict_type" end
    for _, number in pairs(value) do
      if type(number) ~= "number" then return "Input should be a valid number", "float_type" end
    end
  end,
  choice = function(value, field)
    for _, choice in ipairs(field.choices) do
      if value == choice then return nil end
    end
    return "Input should be " .. table.concat(field.choices, ", "), "literal_error"
  end,
}

--- Checks a decoded body.
-- @param value decoded JSON, or nil when there was no body
-- @param fields array of {name=, type= a key of `checks`, required=, min=, max=, choices=}; without
--   a single one the body is whatever object it is
-- @return the fields that are known and not null, or nil, array of complaints
function M.check(value, fields)
  if value == nil then return nil, { item(nil, "Field required", "missing") } end
  if not is_object(value) then
    return nil, { item(nil, "Input should be a valid dictionary", "dict_type") }
  end
  if #fields == 0 then return value end
  local clean, wrong = {}, {}
  for _, field in ipairs(fields) do
    local given = value[field.name]
    if given == canonical.null and not field.required then given = nil end
    if given ~= nil then
      local message, kind = checks[field.type](given, field)
      if message then wrong[#wrong + 1] = item(field.name, message, kind) end
    elseif field.required then
      wrong[#wrong + 1] = item(field.name, "Field required", "missing")
    end
    clean[field.name] = given
  end
  if #wrong > 0 then return nil, wrong end
  return clean
end

--- The complaint about a body that is not JSON at all.
function M.not_json(message)
  return { item(nil, "JSON decode error: " .. message, "json_invalid") }
end

return M
