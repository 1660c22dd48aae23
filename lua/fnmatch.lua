-- Globs as Python's fnmatch reads them (contract.md 3.3): * and ? match / too, case counts, [...]
-- is a set with Python's quirks, and the whole name must match. Names are compared by characters;
-- bytes that are no UTF-8 count as one character each, as Python's file names have them.
local M = {}

local STAR <const>, ANY <const> = "star", "any"

-- Python's surrogateescape: byte 80..FF that is no UTF-8 becomes U+DC80..U+DCFF.
local ESCAPE <const> = 0xDC00

--- The characters of a text, each as a number.
local function characters(text)
  local list, at = {}, 1
  while at <= #text do
    local ok, bad = utf8.len(text, at)
    local last = ok and #text or bad - 1
    for _, code in utf8.codes(text:sub(at, last)) do list[#list + 1] = code end
    if not ok then list[#list + 1] = ESCAPE + text:byte(bad) end
    at = last + (ok and 1 or 2)
  end
  return list
end

local function code(character)
  return utf8.codepoint(character)
end

local STAR_SIGN <const>, QUESTION <const>, OPEN <const> = code "*", code "?", code "["
local CLOSE <const>, NOT <const>, HYPHEN <const> = code "]", code "!", code "-"

-- Where the set that opens before `at` is closed, or nil. A ] that comes first is a member.
local function close_of(glob, at)
  if glob[at] == NOT then at = at + 1 end
  if glob[at] == CLOSE then at = at + 1 end
  while at <= #glob and glob[at] ~= CLOSE do at = at + 1 end
  return at <= #glob and at or nil
end

local function find(list, wanted, from, to)
  for at = from, to do
    if list[at] == wanted then return at end
  end
  return nil
end

local function slice(list, from, to)
  return table.move(list, from, to, 1, {})
end

-- The content of a set, cut at the hyphens that make ranges: between two chunks there is a range
-- from the last character of the one to the first of the other.
local function chunks_of(glob, from, to)
  local chunks, start = {}, from
  local at = from + (glob[from] == NOT and 2 or 1)
  while true do
    at = find(glob, HYPHEN, at, to)
    if not at then break end
    chunks[#chunks + 1] = slice(glob, start, at - 1)
    start, at = at + 1, at + 3
  end
  if start <= to then
    chunks[#chunks + 1] = slice(glob, start, to)
  else
    table.insert(chunks[#chunks], HYPHEN)
  end
  return chunks
end

-- Ranges that run backwards vanish, their ends with them.
local function drop_backward(chunks)
  for i = #chunks, 2, -1 do
    local before, chunk = chunks[i - 1], chunks[i]
    if before[#before] > chunk[1] then
      table.move(chunk, 2, #chunk, #before, before)
      if #chunk == 1 then before[#before] = nil end
      table.remove(chunks, i)
    end
  end
end

-- Members and ranges of the set between `from` and `to`.
local function set_of(glob, from, to)
  local chunks = chunks_of(glob, from, to)
  drop_backward(chunks)
  local set = { negated = chunks[1][1] == NOT, members = {}, ranges = {} }
  if set.negated then table.remove(chunks[1], 1) end
  for i, chunk in ipairs(chunks) do
    for _, character in ipairs(chunk) do set.members[character] = true end
    local after = chunks[i + 1]
    if after then set.ranges[#set.ranges + 1] = { chunk[#chunk], after[1] } end
  end
  return set
end

--- A glob, made ready for many names.
-- @param glob string
-- @return array for M.match
function M.compile(glob)
  local signs, tokens, at = characters(glob), {}, 1
  while at <= #signs do
    local sign = signs[at]
    local close = sign == OPEN and close_of(signs, at + 1)
    local token = close and set_of(signs, at + 1, close - 1)
      or sign == STAR_SIGN and STAR or sign == QUESTION and ANY or sign
    if token ~= STAR or tokens[#tokens] ~= STAR then tokens[#tokens + 1] = token end
    at = (close or at) + 1
  end
  return tokens
end

local function in_set(set, character)
  local found = set.members[character] or false
  for _, range in ipairs(set.ranges) do
    found = found or character >= range[1] and character <= range[2]
  end
  return found ~= set.negated
end

local function fits(token, character)
  if token == ANY then return true end
  if type(token) == "table" then return in_set(token, character) end
  return token == character
end

--- Whether a name matches a glob.
-- @param name string
-- @param glob string, or what M.compile made of one
function M.match(name, glob)
  local tokens = type(glob) == "table" and glob or M.compile(glob)
  local text, at, token = characters(name), 1, 1
  -- After a star, where it stands and how far it has reached: one step of return is enough.
  local star, reached
  while at <= #text do
    if tokens[token] == STAR then
      star, reached, token = token, at, token + 1
    elseif tokens[token] ~= nil and fits(tokens[token], text[at]) then
      at, token = at + 1, token + 1
    elseif star then
      reached = reached + 1
      at, token = reached, star + 1
    else
      return false
    end
  end
  if tokens[token] == STAR then token = token + 1 end
  return token > #tokens
end

--- Whether a name matches one of some globs.
-- @param globs array of strings
function M.any(name, globs)
  for _, glob in ipairs(globs) do
    if M.match(name, glob) then return true end
  end
  return false
end

return M
