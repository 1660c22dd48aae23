-- Reads the comments above C functions:
--     class:name(argument, argument (type), argument = default [, optional]) -> result | failure.
local types = require "bittern.reference.types"

local M = {}

-- Cuts at commas that no bracket holds. A `[` outside of brackets begins what is optional.
local function cut(text)
  local parts, depth, from, optional = {}, 0, 1, false
  local function add(to)
    local part = text:sub(from, to):gsub("^%s+", ""):gsub("%s+$", "")
    if part ~= "" then parts[#parts + 1] = { text = part, optional = optional } end
    from = to + 2
  end
  for i = 1, #text do
    local c = text:sub(i, i)
    if c:find "[({]" then depth = depth + 1 elseif c:find "[)}]" then depth = depth - 1 end
    if depth == 0 and c == "," then add(i - 1) end
    if depth == 0 and c:find "[%[%]]" then
      add(i - 1)
      optional = optional or c == "["
    end
  end
  add(#text)
  return parts
end

local function of_note(name, note, classes)
  local kind, about = types.by_name(name)
  if note ~= "" then return types.of(note, classes) or kind, note end
  return kind or classes[name], about
end

-- One argument: name, type, what it is, default.
local function argument(part, classes)
  local text = part.text
  if text == "..." then return { name = "...", type = "any", optional = true } end
  if text:find "^{" then
    return { name = "options", type = "table", about = text, optional = part.optional }
  end
  local name, default = text:match("^(%a[%w_]*)%s*=%s*(.+)$")
  if name then
    return { name = name, type = types.of_default(default) or types.by_name(name),
      default = default, optional = true }
  end
  name = text:match("^%a[%w_]*")
  if not name then return { name = text, about = text } end
  local note = text:sub(#name + 1):gsub("^%s+", "")
  note = note:match("^%((.*)%)$") or note
  local kind, about = of_note(name, note, classes)
  return { name = name, type = kind, about = about, optional = part.optional }
end

-- What stands between the brackets at `from`, and where they close.
local function bracketed(text, from)
  local depth = 0
  for i = from, #text do
    local c = text:sub(i, i)
    if c:find "[({%[]" then depth = depth + 1 elseif c:find "[)}%]]" then depth = depth - 1 end
    if depth == 0 then return text:sub(from + 1, i - 1), i end
  end
  return nil
end

-- Types of the first results: "string, integer: ..." are two.
local function results(text, classes)
  local head = text:match("^(.-) | ") or text
  local list = {}
  for word in (head:match("^[^:;.]*") .. ","):gmatch("%s*([^,]*),") do
    local kind = types.of(word, classes)
    if not kind then break end
    list[#list + 1] = kind
  end
  if #list == 0 then list[1] = "any" end
  if text:find("or nil") and head:find("or nil") then list[1] = list[1] .. "?" end
  return list
end

-- The call by names alone; what each is stands below it.
local function call_of(name, list)
  local text, closing = name .. "(", ""
  for i, part in ipairs(list) do
    local comma = i > 1 and ", " or ""
    if part.optional and part.name ~= "..." then
      text = text .. (i > 1 and " [, " or "[") .. part.name
      closing = closing .. "]"
    else
      text = text .. comma .. part.name
    end
  end
  return text .. closing .. ")"
end

local function sentence(text)
  local flat = text:gsub("^[%s:.;]+", "")
  return (flat:gsub("^%l", string.upper))
end

--- Reads a comment.
-- @param comment text on one line, without its marks
-- @param classes {word = type} of the module's own objects
-- @return {class = word or nil, name=, call= how it is called, arguments = array of {name=, type=,
--   about=, default=, optional=}, results = array of types, fails = boolean, about = the rest}; or
--   nil, what is wrong
function M.read(comment, classes)
  local class, name, at = comment:match("^(%l%w*):([%w_]+)()")
  if not class then name, at = comment:match("^([%w_]+)()") end
  local opening = name and comment:sub(at, at)
  if not name or not opening:find "[({]" then return nil, "does not begin with `name(`" end
  local inside, last = bracketed(comment, at)
  if not inside then return nil, "its brackets do not close" end
  local parts = opening == "{" and { { text = "{" .. inside .. "}" } } or cut(inside)
  local list = {}
  for i, part in ipairs(parts) do list[i] = argument(part, classes) end
  local rest = comment:sub(last + 1)
  local returned = rest:match("^%s*%->%s*(.*)$")
  return {
    class = class, name = name, call = (class and class .. ":" or "") .. call_of(name, list),
    arguments = list,
    results = returned and results(returned, classes) or {},
    fails = rest:find("nil, message", 1, true) ~= nil,
    returns = returned, about = not returned and sentence(rest) or nil,
  }
end

return M
