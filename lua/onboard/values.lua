-- Values of an onboarding text, typed: what cannot be read for certain is nil, never a guess.
local M = {}

local function trim(text)
  local first = text:find("%S")
  return first and text:match("^(.*%S)", first) or ""
end

-- The text in backticks, when there is exactly one such; else nil.
local function ticked(text)
  local found = text:match("^[^`]*`+([^`]+)`+[^`]*$")
  return found and trim(found)
end

local function unquoted(text)
  text = trim(text):gsub(",$", "")
  return text:match('^"(.*)"$') or text:match("^'(.*)'$") or text
end

-- One thing: in backticks, in quotes, or as it stands without its full stop.
local function single(text)
  local link = text:match("%]%(([^%s()]+)%)") or text:match("<(%a+://[^>]+)>")
  if link then return link end
  local inside = ticked(text)
  if inside then return inside end
  if text:find("`", 1, true) then return nil end
  text = unquoted((trim(text):gsub("%*", "")))
  return text ~= "" and (text:gsub("[.;,]$", "")) or nil
end

local function only_line(entry)
  if not entry.fence then return nil end
  local found
  for _, line in ipairs(entry.fence) do
    local text = trim(line.text):gsub("^%$%s+", "")
    if text ~= "" and text:sub(1, 1) ~= "#" then
      if found then return nil end -- several commands: which one is it?
      found = text
    end
  end
  return found
end

local function text_of(entry)
  local fenced = only_line(entry)
  if fenced then return fenced, true end
  if entry.value ~= "" then return entry.value end
  return #entry.list == 1 and entry.list[1].text or nil
end

--- One word or name, without blanks; of a link its address.
function M.name(entry)
  return M.word(entry, "address")
end

--- One word; of a link its text.
function M.word(entry, of_link)
  local text = text_of(entry)
  if text and not of_link then text = text:gsub("%[([^%[%]]+)%]%([^%s()]+%)", "%1") end
  local one = text and single(text)
  local word = one and one:match("^(%S+)$")
  if word or not one or text:find("`", 1, true) then return word end
  return one:match("^([%w_./:@-]+)%s*[,;(]")
end

--- A shell command, with its blanks evened out.
function M.command(entry)
  local text, is_code = text_of(entry)
  if not text then return nil end
  if not is_code then text = single(text) end
  local lower = text and text:lower()
  if not text or lower == "none" or lower == "null" or lower == "n/a" or lower == "-" then
    return nil
  end
  return trim((text:gsub("%s+", " ")))
end

-- Paths of one line: all in backticks, else what commas, semicolons and "and" part.
local function paths_in(text, list)
  local count = #list
  for path in text:gmatch("`([^`]+)`") do list[#list + 1] = trim(path) end
  if #list > count then return end
  text = text:gsub("^%[", ""):gsub("%]%s*,?$", ""):gsub("%s+and%s+", ","):gsub("%s+or%s+", ",")
  for part in text:gmatch("[^,;]+") do
    local path = unquoted(part):gsub("%.$", "")
    local word = path:match("^%S+$")
    if word and (word:find("[./*]") or word:find("^[%w_-]+$")) then list[#list + 1] = word end
  end
end

--- Paths or globs, as an array.
function M.paths(entry)
  local list = {}
  if entry.value ~= "" then paths_in(entry.value, list) end
  for _, item in ipairs(entry.list) do
    local before = #list
    paths_in(item.text, list)
    -- `train.py` - what it is for: the name counts.
    while #list > before + 1 do list[#list] = nil end
  end
  for _, line in ipairs(entry.fence or {}) do
    paths_in(trim(line.text):gsub("^[-*]%s+", ""), list)
  end
  return #list > 0 and list or nil
end

--- Names of fields in a fence; what prose asks for is read by bittern.onboard.demands.
function M.fields(entry)
  if not (entry.fence or entry.fenced) then return nil end
  local list = {}
  for _, path in ipairs(M.paths(entry) or {}) do
    if path:find("^%l[%l%d_]*$") then list[#list + 1] = path end
  end
  return #list > 0 and list or nil
end

local sizes = { b = 1, byte = 1, bytes = 1, kib = 1 << 10, mib = 1 << 20, gib = 1 << 30,
  kb = 1000, mb = 1000000, gb = 1000000000 }

local function whole(digits)
  return math.tointeger(tonumber((digits:gsub("[,_]", ""))))
end

-- A number and the word behind it, marks of code and emphasis gone.
local function number_and_unit(text)
  text = text:gsub("[`*]", "")
  local digits, rest = text:match("(%d[%d,_]*)(.*)$")
  if not digits or rest:find("^%.%d") then return nil end
  return whole((digits:gsub(",$", ""))), (rest:match("^%s*%-?%s*(%a+)") or ""):lower()
end

--- A size in bytes; a bare number counts as bytes.
function M.bytes(entry)
  local text = text_of(entry)
  local number, unit = number_and_unit(text or "")
  if not number then return nil end
  if unit == "" then return number end
  return sizes[unit] and number * sizes[unit] or entry.key:lower():find("bytes") and number or nil
end

local spans = { s = 1, sec = 1, secs = 1, second = 1, seconds = 1, m = 60, min = 60, mins = 60,
  minute = 60, minutes = 60, h = 3600, hr = 3600, hrs = 3600, hour = 3600, hours = 3600 }

--- A time in seconds; a bare number counts as seconds.
function M.seconds(entry)
  local number, unit = number_and_unit(text_of(entry) or "")
  if not number then return nil end
  if unit == "" then
    local named = entry.key:lower():match("%((%a+)%)")
    return number * (named and spans[named] or 1)
  end
  return spans[unit] and number * spans[unit]
end

--- A whole number.
function M.count(entry)
  return (number_and_unit(text_of(entry) or ""))
end

--- Which way a metric is better: "minimize" or "maximize".
function M.direction(entry)
  local lower = (text_of(entry) or ""):lower()
  local down = lower:find("minimi[sz]") or lower:find("lower is better")
    or lower:find("%f[%a]min%f[%A]")
  local up = lower:find("maximi[sz]") or lower:find("higher is better")
    or lower:find("%f[%a]max%f[%A]")
  if down and not up then return "minimize" end
  return up and not down and "maximize" or nil
end

--- A kind of competition or ranking, in the API's spelling.
function M.mode(entry)
  local text = text_of(entry)
  text = text and (ticked(text) or trim(text)):lower():gsub("[*\"']", "")
  if not text then return nil end
  if text:find("^peer[%s_-]evaluation") then return "peer_evaluation" end
  return text:match("^(%a[%a_]*)")
end

--- yes or no.
function M.boolean(entry)
  local word = (text_of(entry) or ""):lower():match("%a+")
  if word == "yes" or word == "true" or word == "required" then return true end
  return (word == "no" or word == "false") and false or nil
end

return M
