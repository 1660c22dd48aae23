-- tokenizer.json, as Hugging Face's tokenizers write it: byte-level byte-pair encoding and what
-- comes before it. Kinds that are not known are refused by name: other tokens are another score.
local buffer = require "core.buffer"

local M = {}

-- What GPT-2 splits by, where a ByteLevel pre-tokenizer has no pattern of its own.
local GPT2 <const> = [['(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+]]

-- The characters that stand for bytes in a vocabulary: printable ones for themselves, the others
-- for the code points from 256 on, in order (GPT-2's bytes_to_unicode).
local function byte_characters()
  local byte_of, next_point = {}, 256
  for byte = 0, 255 do
    local printable = byte >= 33 and byte <= 126 or byte >= 161 and byte <= 172 or byte >= 174
    local point = byte
    if not printable then point, next_point = next_point, next_point + 1 end
    byte_of[utf8.char(point)] = string.char(byte)
  end
  return byte_of
end

local byte_of = byte_characters()

--- The bytes that an entry of the vocabulary stands for.
-- @return string, or nil when it has characters that stand for no byte
function M.bytes_of(entry)
  local parts = {}
  for character in entry:gmatch(utf8.charpattern) do
    parts[#parts + 1] = byte_of[character]
    if not parts[#parts] then return nil end
  end
  return table.concat(parts)
end

local function fault(format, ...)
  return nil, format:format(...), "invalid_model"
end

local function unknown(what, kind)
  return nil, ("the %s '%s' is not known"):format(what, tostring(kind)), "unsupported"
end

-- Steps of a Sequence, or the one that is there.
local function steps_of(part, member)
  if type(part) ~= "table" then return {} end
  if part.type ~= "Sequence" then return { part } end
  return type(part[member]) == "table" and part[member] or {}
end

local normal = {}
function normal.NFC(found) found.nfc = true return true end

local function read_normalizer(found, part)
  for _, step in ipairs(steps_of(part, "normalizers")) do
    if not normal[step.type] then return unknown("normalizer", step.type) end
    normal[step.type](found)
  end
  return true
end

local split = {}

function split.Split(found, step)
  local pattern = type(step.pattern) == "table" and step.pattern.Regex
  if type(pattern) ~= "string" then return fault("a Split without a Regex") end
  if step.behavior ~= "Isolated" or step.invert == true then
    return unknown("behavior of a Split", step.behavior)
  end
  found.patterns[#found.patterns + 1] = pattern
  return true
end

function split.ByteLevel(found, step)
  if step.add_prefix_space == true then found.prefix_space = true end
  if step.use_regex ~= false then found.patterns[#found.patterns + 1] = GPT2 end
  return true
end

local function read_pre_tokenizer(found, part)
  local is_bytes = false
  for _, step in ipairs(steps_of(part, "pretokenizers")) do
    if not split[step.type] then return unknown("pre-tokenizer", step.type) end
    local ok, message, code = split[step.type](found, step)
    if not ok then return nil, message, code end
    is_bytes = is_bytes or step.type == "ByteLevel"
  end
  if is_bytes then return true end
  return unknown("pre-tokenizer", type(part) == "table" and part.type or "none")
end

-- The vocabulary both ways, and the token of each byte.
local function read_vocabulary(found, vocab)
  if type(vocab) ~= "table" then return fault("no vocabulary") end
  local bytes = buffer.new("i32", 256)
  for i = 0, 255 do bytes:set(i, -1) end
  for entry, id in pairs(vocab) do
    id = math.tointeger(id)
    if type(entry) ~= "string" or not id or id < 0 or id > 1 << 24 then
      return fault("the vocabulary has a bad entry")
    end
    found.ids[entry] = id
    found.size = math.max(found.size, id + 1)
    local byte = byte_of[entry]
    if byte then bytes:set(byte:byte(), id) end
  end
  found.bytes = bytes
  return true
end

local function pair_of(merge)
  if type(merge) == "table" then return merge[1], merge[2] end
  return tostring(merge):match("^(%S+) (%S+)$")
end

local function read_merges(found, merges)
  if type(merges) ~= "table" then return fault("no merges") end
  local out = buffer.new("i32", 3 * #merges)
  for i, merge in ipairs(merges) do
    local left, right = pair_of(merge)
    local ids = { found.ids[left or ""], found.ids[right or ""],
      left and right and found.ids[left .. right] }
    if not (ids[1] and ids[2] and ids[3]) then
      return fault("merge %d is not of the vocabulary's words", i)
    end
    for j = 1, 3 do out:set(3 * (i - 1) + j - 1, ids[j]) end
  end
  found.merges = out
  return true
end

local function read_added(found, list)
  for _, one in ipairs(type(list) == "table" and list or {}) do
    local id = type(one) == "table" and math.tointeger(one.id)
    if not id or id < 0 or type(one.content) ~= "string" or one.content == "" then
      return fault("a bad added token")
    end
    if one.single_word == true then return unknown("kind of added token", "single_word") end
    found.added[#found.added + 1] = { text = one.content, id = id, lstrip = one.lstrip == true,
      rstrip = one.rstrip == true }
    found.ids[one.content] = found.ids[one.content] or id
    found.size = math.max(found.size, id + 1)
  end
  return true
end

-- Tokens that every text begins with (a template of a model that wants <|begin_of_text|>).
local function read_template(found, part)
  for _, step in ipairs(steps_of(part, "processors")) do
    if step.type == "TemplateProcessing" then
      for _, item in ipairs(type(step.single) == "table" and step.single or {}) do
        local special = type(item) == "table" and item.SpecialToken
        if type(item) == "table" and item.Sequence then break end
        local id = type(special) == "table" and found.ids[special.id or ""]
        if id then found.first[#found.first + 1] = id end
      end
    end
  end
  return true
end

--- Reads a tokenizer's description.
-- @param value of tokenizer.json, decoded
-- @return {bytes, merges, patterns, added, nfc, prefix_space: as core.tokenizer takes them; ids =
--   {entry = id}, size = tokens, first = ids that a text begins with}, or nil, message, code
function M.read(value)
  local model = type(value) == "table" and value.model
  if type(model) ~= "table" then return fault("no model") end
  if model.type ~= "BPE" and model.type ~= nil then return unknown("model", model.type) end
  local found = { patterns = {}, added = {}, ids = {}, size = 0, first = {} }
  for _, step in ipairs {
    function() return read_vocabulary(found, model.vocab) end,
    function() return read_merges(found, model.merges) end,
    function() return read_added(found, value.added_tokens) end,
    function() return read_normalizer(found, value.normalizer) end,
    function() return read_pre_tokenizer(found, value.pre_tokenizer) end,
    function() return read_template(found, value.post_processor) end,
  } do
    local ok, message, code = step()
    if not ok then return nil, message, code end
  end
  found.whole_words = model.ignore_merges == true
  return found
end

return M
