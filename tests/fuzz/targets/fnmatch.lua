-- bittern.fnmatch against a slow matcher that follows Python's fnmatch.translate step by step, on
-- texts of ASCII, and tries every length of every star. The input: a glob, a zero byte, a name.
local fnmatch = require "bittern.fnmatch"
local outcome = require "tests.fuzz.outcome"

local LONGEST <const> = 24 -- backtracking takes its time

-- Python's chunks between the hyphens of a set.
local function chunks_of(set)
  local chunks, start = {}, 1
  local from = set:sub(1, 1) == "!" and 3 or 2
  while true do
    local hyphen = set:find("-", from, true)
    if not hyphen then break end
    chunks[#chunks + 1] = set:sub(start, hyphen - 1)
    start, from = hyphen + 1, hyphen + 3
  end
  if start <= #set then
    chunks[#chunks + 1] = set:sub(start)
  else
    chunks[#chunks] = chunks[#chunks] .. "-"
  end
  for i = #chunks, 2, -1 do
    if chunks[i - 1]:sub(-1) > chunks[i]:sub(1, 1) then
      chunks[i - 1] = chunks[i - 1]:sub(1, -2) .. chunks[i]:sub(2)
      table.remove(chunks, i)
    end
  end
  return chunks
end

local function in_chunks(chunks, letter)
  for i, chunk in ipairs(chunks) do
    if chunk:find(letter, 1, true) then return true end
    local after = chunks[i + 1]
    if after and letter >= chunk:sub(-1) and letter <= after:sub(1, 1) then return true end
  end
  return false
end

local function in_set(set, letter)
  local chunks = chunks_of(set)
  local negated = chunks[1]:sub(1, 1) == "!"
  if negated then chunks[1] = chunks[1]:sub(2) end
  return in_chunks(chunks, letter) ~= negated
end

-- The set that opens at `at`, and the place after it; nil when it is not closed.
local function set_at(glob, at)
  local close = glob:match("^%[!?%]?()", at)
  close = glob:find("]", close, true)
  if close then return glob:sub(at + 1, close - 1), close + 1 end
end

local function matches(glob, name)
  if glob == "" then return name == "" end
  local sign = glob:sub(1, 1)
  if sign == "*" then
    for skip = 0, #name do
      if matches(glob:sub(2), name:sub(skip + 1)) then return true end
    end
    return false
  end
  if name == "" then return false end
  local set, after
  if sign == "[" then set, after = set_at(glob, 1) end
  local fits = set and in_set(set, name:sub(1, 1)) or not set and (sign == "?" or
    sign == name:sub(1, 1))
  return fits and matches(glob:sub(after or 2), name:sub(2))
end

-- Neighbouring stars are one, else they would be tried for ever.
local function simple(glob)
  return (glob:sub(1, LONGEST):gsub("[\128-\255]", "?"):gsub("%*+", "*"))
end

return function(bytes)
  local glob, name = outcome.parts(bytes, 2)
  local found = fnmatch.match(name, glob)
  assert(found == fnmatch.match(name, fnmatch.compile(glob)))
  glob, name = simple(glob), name:sub(1, LONGEST):gsub("[\128-\255]", "x")
  assert(fnmatch.match(name, glob) == matches(glob, name), "the slow matcher does not agree")
  return found and "read" or "no match"
end
