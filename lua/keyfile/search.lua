-- The one mnemonic in a text of any kind, found as the reference client finds it (contract.md 2.6):
-- at the first level that has any, it must be the only one. In prose, where one window of words in
-- sixteen has the checksum of a mnemonic by chance, this search is the stricter one.
local sr25519 = require "core.sr25519"

local fields = require "bittern.keyfile.fields"

local M = {}

local LABEL_MAX <const> = 40 -- bytes: no mnemonic is so short
local SIZES <const> = { 24, 21, 18, 15, 12 }

local HOTKEY <const> = {
  ["hotkey mnemonic"] = true, ["hotkey seed"] = true, ["hotkey phrase"] = true,
}
local GENERIC <const> = {
  mnemonic = true, secretphrase = true, ["secret phrase"] = true, ["seed phrase"] = true,
}
-- As a key of JSON the reference does not know `secret_phrase`.
local GENERIC_KEY <const> = { mnemonic = true, secretphrase = true, ["seed phrase"] = true }

-- `hotkey_mnemonic` -> "hotkey mnemonic"
local function label_of(text)
  return (text:lower():gsub("[^a-z]+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- Adds the words' key to the found ones, by address; whether they are a mnemonic.
local function add(found, words)
  if not sr25519.check_mnemonic(words) then return false end
  local key = assert(sr25519.from_mnemonic(words))
  local address = key:address()
  if not found[address] then
    found[address], found.count, found.key = true, found.count + 1, key
  end
  return true
end

local function add_words_of(found, secret)
  local words <close> = secret:words()
  if words then add(found, words) end
end

local function in_fields(found, value, labels, named)
  if fields.is_text(value) then
    local plain <close> = named and value:unescape()
    if plain then add_words_of(found, plain) end
  elseif type(value) == "table" then
    for key, member in pairs(value) do
      local is_label = type(key) == "string" and labels[label_of(key)] or false
      in_fields(found, member, labels, is_label or type(key) == "number" and named)
    end
  end
end

local function each_line(secret, call)
  local from = 1
  while from <= #secret do
    local to = secret:find("\n", from) or #secret + 1
    call(secret:slice(from, to - 1))
    from = to + 1
  end
end

-- The place of the sign that ends a line's label.
local function separator(line)
  local colon, equals = line:find(":"), line:find("=")
  return colon and equals and math.min(colon, equals) or colon or equals
end

local function in_lines(found, secret, labels)
  each_line(secret, function(line)
    local at = separator(line)
    if at and at <= LABEL_MAX and labels[label_of(line:text(1, at - 1))] then
      add_words_of(found, line:slice(at + 1))
    end
  end)
end

-- First and last byte of every word, and whether mnemonics may have it.
local function list_words(words)
  local list, from = {}, 1
  while from <= #words do
    local to = (words:find(" ", from) or #words + 1) - 1
    list[#list + 1] = { from = from, to = to, known = sr25519.is_word(words:slice(from, to)) }
    from = to + 2
  end
  return list
end

-- Calls with the first and the last number of every run of known words.
local function each_run(list, call)
  local first
  for i = 1, #list + 1 do
    local known = list[i] and list[i].known
    if known and not first then first = i end
    if not known and first then
      call(first, i - 1)
      first = nil
    end
  end
end

-- A run that is a mnemonic of the longest kind hides the windows inside it; a shorter one could be
-- twelve words and some of the prose around them, once in 32 times.
local function in_run(found, words, list, first, last)
  local function try(from, to) return add(found, words:slice(list[from].from, list[to].to)) end
  if last - first + 1 == SIZES[1] and try(first, last) then return end
  for _, size in ipairs(SIZES) do
    for from = first, last - size + 1 do try(from, from + size - 1) end
  end
end

local function in_words(found, secret)
  local words <close> = secret:words()
  if not words then return end
  local list = list_words(words)
  each_run(list, function(first, last) in_run(found, words, list, first, last) end)
end

-- The levels in their order; each adds what it finds.
local function levels(secret, tree)
  return {
    function(found) add_words_of(found, secret) end,
    function(found) in_fields(found, tree, HOTKEY) end,
    function(found) in_fields(found, tree, GENERIC_KEY) end,
    function(found) in_lines(found, secret, HOTKEY) end,
    function(found) in_lines(found, secret, GENERIC) end,
    function(found) each_line(secret, function(line) add_words_of(found, line) end) end,
    function(found) in_words(found, secret) end,
  }
end

local function several(count)
  local text = "holds several mnemonics (%d); leave one, or label one 'hotkey mnemonic:'"
  return nil, text:format(count), "key"
end

--- Whether no more than one line of a text is a mnemonic: two could read as one of twice as many
-- words, one time in 256.
-- @return true, or nil, message, "key"
function M.is_single(secret)
  local found = { count = 0 }
  each_line(secret, function(line) add_words_of(found, line) end)
  if found.count > 1 then return several(found.count) end
  return true
end

--- The key of the one mnemonic in a text.
-- @param secret the text
-- @param tree its value when it is JSON (bittern.keyfile.fields), or nil
-- @return key; or nil, message, "key" when there are several; or nil when there is none
function M.find(secret, tree)
  local single, message, code = M.is_single(secret)
  if not single then return nil, message, code end
  for _, level in ipairs(levels(secret, tree)) do
    local found = { count = 0 }
    level(found)
    if found.count == 1 then return found.key end
    if found.count > 1 then return several(found.count) end
  end
  return nil
end

return M
