-- Answers of JSON services: their values, and their refusals made readable.
local json = require "bittern.json"
local report = require "bittern.report"

local M = {}

local LONGEST <const> = 300 -- characters of a server's words in a message
local CODES <const> = { [401] = "unauthorized", [403] = "forbidden", [404] = "not_found",
  [408] = "timeout", [409] = "conflict", [429] = "busy" }

-- Cuts at a character, not inside one.
local function shorten(text)
  text = report.clean(text):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  if #text <= LONGEST then return text end
  local last = LONGEST
  while last > 0 and (text:byte(last + 1) & 0xC0) == 0x80 do last = last - 1 end
  return text:sub(1, last) .. "..."
end

local function from_html(text)
  local title = text:match("<[tT][iI][tT][lL][eE][^>]*>([^<]+)")
  return title or (text:gsub("<[^>]*>", " "))
end

-- One item of a validation error: `body.task_id: field required`.
local function from_item(item)
  if type(item) ~= "table" then return tostring(item) end
  local place = {}
  for _, part in ipairs(type(item.loc) == "table" and item.loc or {}) do
    place[#place + 1] = tostring(part)
  end
  local text = type(item.msg) == "string" and item.msg or json.encode(item) or "?"
  return #place > 0 and table.concat(place, ".") .. ": " .. text or text
end

-- An object's `error` and `message`, then whatever else it holds.
local function from_object(object)
  local words, rest = {}, {}
  for _, key in ipairs { "error", "message" } do
    if type(object[key]) == "string" then words[#words + 1] = object[key] end
  end
  for key, value in pairs(object) do
    if type(value) ~= "string" or key ~= "error" and key ~= "message" then rest[key] = value end
  end
  if next(rest) or #words == 0 then words[#words + 1] = json.encode(rest) or "?" end
  return table.concat(words, ": ")
end

local function from_json(value)
  local detail = type(value) == "table" and value.detail
  if detail == nil or detail == false then detail = value end
  if type(detail) == "string" then return detail end
  if type(detail) ~= "table" then return json.encode(detail) or "?" end
  if #detail == 0 then return from_object(detail) end
  local items = {}
  for i, item in ipairs(detail) do items[i] = from_item(item) end
  return table.concat(items, "; ")
end

local function is_html(response)
  local kind = response.headers["content-type"] or ""
  return kind:find("html", 1, true) or response.body:find("^%s*<")
end

--- What a failed answer says.
-- @return words; its JSON value where it has one
function M.words(response)
  if not response.body:find("%S") then return "an empty answer" end
  if is_html(response) then return shorten(from_html(response.body)) end
  local value = json.decode(response.body)
  if value == nil then return shorten(response.body) end
  return shorten(from_json(value)), value
end

--- The error id of a failed answer.
-- @param value its JSON value, or nil
function M.code(response, value)
  local detail = type(value) == "table" and value.detail or value
  if type(detail) == "table" then detail = detail.error end
  if type(detail) == "string" and detail:find("insufficient_miner_stake", 1, true) then
    return "stake"
  end
  if CODES[response.status] then return CODES[response.status] end
  return response.status >= 500 and "server_error" or "rejected"
end

--- A redirect that was not followed.
-- @param name of the request
-- @return nil, message, code, response
function M.elsewhere(name, response)
  return nil, ("%s: %d, sent elsewhere: %s"):format(name, response.status,
    shorten(response.headers.location or "nowhere")), "invalid_response", response
end

--- The value of a good answer; no body and null are null, as the reference client has it.
-- @param name of the request
-- @return value, or nil, message, code
function M.value(name, response)
  if response.status >= 300 then return M.elsewhere(name, response) end
  if not response.body:find("%S") then return json.null end
  local value
  if not is_html(response) then value = json.decode(response.body) end
  if value == nil then
    return nil, ("%s: %d, but not JSON: %s"):format(name, response.status,
      (M.words(response))), "invalid_response"
  end
  return value
end

return M
