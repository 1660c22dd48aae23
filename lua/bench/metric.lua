-- A metric as validators find it: in the result file (contract.md 4.7), else in what the benchmark
-- printed (3.10). Values become floats the way Python makes them.
local fs = require "core.fs"

local check = require "bittern.check"
local json_reader = require "bittern.json_reader"

local M = {}

local RESULT_MAX <const> = 10 << 20

local words = { nan = 0 / 0, inf = math.huge, infinity = math.huge }

-- Python's float() of a text.
local function float_of_text(text)
  local sign, body = text:match("^%s*([+-]?)(.-)%s*$")
  local digits = body:gsub("(%d)_(%d)", "%1%2"):gsub("(%d)_(%d)", "%1%2")
  local is_decimal = digits:find("^%.?%d[%d.eE+-]*$")
  local value = words[body:lower()] or is_decimal and tonumber(digits)
  if value then return (sign == "-" and -1 or 1) * value + 0.0 end
  return nil, ("could not convert string to float: '%s'"):format(text)
end

-- float(value), or nil and what Python says; true where it raises what validators do not catch.
local function float_of(value)
  if type(value) == "number" then return value + 0.0 end
  if type(value) == "boolean" then return value and 1.0 or 0.0 end
  if type(value) == "string" then return float_of_text(value) end
  return nil, "a value that is neither number nor text", true
end

-- The value that counts for a metric: three forms, the first that is there.
local function value_of(payload, name)
  if payload.metric_name == name and payload.metric_value ~= nil then
    return payload.metric_value
  end
  local metrics = payload.metrics
  if type(metrics) == "table" and metrics[name] ~= nil then return metrics[name] end
  return payload[name]
end

local function is_object(value)
  return type(value) == "table" and getmetatable(value) ~= json_reader.array_mark
end

--- Reads a result file.
-- @param path of the file
-- @return decoded object or other value, or nil and the validator's words
function M.read(path)
  local text, message, code = fs.read(path, RESULT_MAX)
  if not text then
    if code == "not_found" then return nil, "result file not found: " .. path end
    return nil, "result file cannot be read: " .. message
  end
  local payload = json_reader.decode(text, { python = true })
  if payload == nil then return nil, "result file is not valid JSON: " .. path end
  return payload
end

--- A metric of a result.
-- @param payload from M.read
-- @param name of the metric
-- @param path for messages
-- @return float; or nil, the validator's words, true when the validator posts nothing at all
function M.of(payload, name, path)
  local value
  if is_object(payload) then value = value_of(payload, name) end
  if value == nil then return nil, ("result file missing metric '%s': %s"):format(name, path) end
  return float_of(value)
end

--- Every number of a result, as the newest validators forward them.
-- @return {name = float}
function M.all(payload, name)
  local found = {}
  if not is_object(payload) then return found end
  local from = is_object(payload.metrics) and payload.metrics or payload
  if payload.metric_name == name and payload.metric_value ~= nil then
    found[name] = float_of(payload.metric_value)
  end
  for _, key in ipairs(check.sorted_keys(from)) do
    local value = from[key]
    if type(value) == "number" and key ~= "metric_value" then found[key] = value + 0.0 end
  end
  return found
end

local function escape(text)
  return (text:gsub("%W", "%%%0"))
end

local function number_at(text, at)
  local last = select(2, text:find("^[+-]?%d+", at))
  if not last then return nil end
  last = select(2, text:find("^%.%d+", last + 1)) or last
  last = select(2, text:find("^[eE][+-]?%d+", last + 1)) or last
  return tonumber((text:sub(at, last):gsub("^%+", ""))) + 0.0
end

--- The last value that a text gives a metric: `name: 1.5` or `NAME = 2e3`, never in quotes.
-- @return float, or nil
function M.of_text(text, name)
  local lower, found = text:lower(), nil
  -- A byte above 127 is part of a letter, and so of a word.
  local pattern = "%f[%w_\128-\255]" .. escape(name:lower()) .. "%f[^%w_\128-\255]%s*[:=]%s*()"
  for at in lower:gmatch(pattern) do found = number_at(lower, at) or found end
  return found
end

return M
