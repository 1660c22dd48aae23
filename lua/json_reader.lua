-- JSON read exactly: nothing rounded, nothing merged, nothing dropped. bittern.canonical is the
-- front of it; bittern.json uses it where lua-cjson would lose something.
local M = {}

--- JSON's null.
M.null = require("cjson").null

--- Metatable of an array, so that an empty one is not an empty object.
M.array_mark = { __name = "json.array" }

--- How many arrays and objects may lie in each other.
M.DEPTH = 64

local MAX_BYTES <const> = 100000000 -- what a safetensors header may have

-- Every function takes the state {text=, lenient=} and a place in the text, and returns
-- a value and the place after it; what is wrong is raised as {message, place}.

local function refuse(message, at)
  error({ message, at }, 0)
end

-- Where the next thing that is no white space begins.
local function skip(state, at)
  return (state.text:find("[^ \t\n\r]", at)) or #state.text + 1
end

local function unexpected(state, at, wanted)
  local letter = state.text:match("^[^%c\128-\255]", at)
  local found = letter and "'" .. letter .. "'" or at > #state.text and "the end" or "a byte"
  refuse(("expected %s, found %s"):format(wanted, found), at)
end

local escapes = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

-- The code unit of the \u escape whose backslash is at `at`.
local function code_unit(state, at)
  local digits = state.text:match("^\\u(%x%x%x%x)", at)
  return digits and tonumber(digits, 16)
end

local function read_escape(state, at)
  local simple = escapes[state.text:sub(at + 1, at + 1)]
  if simple then return simple, at + 2 end
  local unit = code_unit(state, at)
  if not unit then refuse("unknown escape in a string", at) end
  if unit < 0xD800 or unit > 0xDFFF then return utf8.char(unit), at + 6 end
  local low = unit < 0xDC00 and code_unit(state, at + 6)
  if not low or low < 0xDC00 or low > 0xDFFF then refuse("half of a surrogate pair", at) end
  return utf8.char(0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)), at + 12
end

-- A string whose opening quote is at `at`.
local function read_string(state, at)
  local opening, parts = at, {}
  at = at + 1
  while true do
    local _, last, plain = state.text:find('^([^\0-\31"\\]*)', at)
    parts[#parts + 1] = plain
    at = last + 1
    local byte = state.text:byte(at)
    if byte == 34 then return table.concat(parts), at + 1 end
    if not byte then refuse("a string does not end", opening) end
    if byte ~= 92 then refuse("a control character in a string", at) end
    parts[#parts + 1], at = read_escape(state, at)
  end
end

local function read_integer(state, digits, at)
  local value = tonumber(digits)
  local fits = math.type(value) == "integer" or state.lenient and math.abs(value) < math.huge
  if fits then return value end
  refuse("an integer of more than 64 bits", at)
end

local function read_number(state, at)
  local text = state.text
  if state.python and text:find("^%-Infinity", at) then return -math.huge, at + 9 end
  local _, last = text:find("^-?%d+", at)
  if not last then unexpected(state, at, "a value") end
  local whole = last
  if text:find("^-?0%d", at) then refuse("a number with a leading zero", at) end
  if text:find("^%.", whole + 1) then
    _, last = text:find("^%.%d+", whole + 1)
    if not last then refuse("a number without digits after its point", at) end
  end
  if text:find("^[eE]", last + 1) then
    _, last = text:find("^[eE][+-]?%d+", last + 1)
    if not last then refuse("a number without digits in its exponent", at) end
  end
  if last == whole then return read_integer(state, text:sub(at, last), at), last + 1 end
  local value = tonumber(text:sub(at, last))
  if math.abs(value) == math.huge and not state.python then
    refuse("a number too large for a double", at)
  end
  return value, last + 1
end

local read

local function deeper(depth, at)
  if depth > M.DEPTH then refuse("nested deeper than " .. M.DEPTH, at) end
  return depth + 1
end

local function read_array(state, at, depth)
  local list = setmetatable({}, M.array_mark)
  depth = deeper(depth, at)
  at = skip(state, at + 1)
  if state.text:find("^%]", at) then return list, at + 1 end
  while true do
    list[#list + 1], at = read(state, at, depth)
    local mark = state.text:match("^[,%]]", at)
    if not mark then unexpected(state, at, "',' or ']'") end
    if mark == "]" then return list, at + 1 end
    at = skip(state, at + 1)
  end
end

-- One member into `object`.
local function read_member(state, object, at, depth)
  if not state.text:find('^"', at) then unexpected(state, at, "a key") end
  local key, after = read_string(state, at)
  if object[key] ~= nil and not state.lenient then refuse("a key that is already there", at) end
  after = skip(state, after)
  if not state.text:find("^:", after) then unexpected(state, after, "':'") end
  object[key], after = read(state, skip(state, after + 1), depth)
  return after
end

local function read_object(state, at, depth)
  local object = {}
  depth = deeper(depth, at)
  at = skip(state, at + 1)
  if state.text:find("^}", at) then return object, at + 1 end
  while true do
    at = read_member(state, object, at, depth)
    local mark = state.text:match("^[,}]", at)
    if not mark then unexpected(state, at, "',' or '}'") end
    if mark == "}" then return object, at + 1 end
    at = skip(state, at + 1)
  end
end

local words = { ["true"] = true, ["false"] = false, null = M.null }

-- What Python reads (and writes) beside JSON.
local python_words = { NaN = 0 / 0, Infinity = math.huge }

local function read_word(state, at)
  local word = state.text:match("^%a+", at)
  if state.python and python_words[word] then return python_words[word], at + #word end
  if words[word] == nil then refuse(("'%s' is not JSON"):format(word), at) end
  return words[word], at + #word
end

local readers = { ['"'] = read_string, ["{"] = read_object, ["["] = read_array }

-- A value that begins at `at`, and where the next thing after it begins.
function read(state, at, depth)
  local first = state.text:sub(at, at)
  local reader = readers[first] or first:find("%a") and read_word or read_number
  local value, after = reader(state, at, depth)
  return value, skip(state, after)
end

local function read_all(state)
  local _, bad = utf8.len(state.text)
  if bad then refuse("not valid UTF-8", bad) end
  local value, at = read(state, skip(state, 1), 0)
  if at <= #state.text then unexpected(state, at, "the end") end
  return value
end

-- "line:column" of a byte.
local function place(text, at)
  local line, start = 1, 1
  for feed in text:gmatch("()\n") do
    if feed >= at then break end
    line, start = line + 1, feed + 1
  end
  return ("%d:%d"):format(line, at - start + 1)
end

--- The value of a JSON text.
-- @param text string
-- @param options {lenient = true: of equal keys the last one wins, and an integer of more than 64
--   bits becomes a float; python = true: that, and NaN and Infinity as Python reads them}
-- @return value, or nil, message that begins with line:column, "invalid_json" or "too_large"
function M.decode(text, options)
  if #text > MAX_BYTES then
    return nil, ("JSON of %d bytes, more than %d"):format(#text, MAX_BYTES), "too_large"
  end
  local python = options ~= nil and options.python == true
  local lenient = python or options ~= nil and options.lenient == true
  local ok, value = pcall(read_all, { text = text, lenient = lenient, python = python })
  if ok then return value end
  if type(value) ~= "table" then error(value, 0) end
  return nil, ("%s: %s"):format(place(text, value[2]), value[1]), "invalid_json"
end

return M
