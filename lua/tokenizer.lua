-- Tokenizers: the byte tokenizer of the validators' small models, and byte-level byte-pair encoding
-- as tokenizer.json describes it.
local buffer = require "core.buffer"

local description = require "bittern.tokenizer.description"
local gguf = require "bittern.tokenizer.gguf"
local json = require "bittern.json"

local M = {}

-- A token is a byte plus one; 0 is padding (contract 6.5).
local FIRST_BYTE_TOKEN <const> = 1
local MOST_BYTES <const> = 256 << 20

--- The byte tokenizer.
-- @return {name, size = tokens, encode(text) -> i32 buffer, text(id) -> string}
function M.bytes()
  return {
    name = "bytes", size = 257,
    encode = function(text) return buffer.from_bytes(text, FIRST_BYTE_TOKEN) end,
    text = function(id)
      local byte = id - FIRST_BYTE_TOKEN
      return byte >= 0 and byte < 256 and string.char(byte) or ""
    end,
  }
end

-- What each token stands for, made when it is first asked for.
local function texts_of(found)
  local texts
  return function(id)
    if not texts then
      texts = {}
      for entry, number in pairs(found.ids) do
        texts[number] = description.bytes_of(entry) or entry
      end
      for _, one in ipairs(found.added) do texts[one.id] = one.text end
    end
    return texts[id] or ""
  end
end

-- Words that are tokens as they are, by their bytes.
local function words_of(found)
  local words = {}
  for entry, id in pairs(found.ids) do
    local bytes = description.bytes_of(entry)
    if bytes then words[bytes] = id end
  end
  return words
end

-- A tokenizer as tokenizer.json describes it; `name` is what it is called.
local function build(value, name)
  local found, message, code = description.read(value)
  if not found then return nil, name .. ": " .. message, code end
  local core, why, id = require("core.tokenizer").new {
    bytes = found.bytes, merges = found.merges, patterns = found.patterns, added = found.added,
    nfc = found.nfc, prefix_space = found.prefix_space,
    words = found.whole_words and words_of(found) or nil,
  }
  if not core then return nil, name .. ": " .. why, id end
  return { name = name, size = found.size, first = found.first,
    encode = function(source) return core:encode(source) end, text = texts_of(found) }
end

--- A tokenizer from the text of its tokenizer.json.
-- @param text string
-- @return {name, size, first = ids that a text begins with, encode(text) -> i32 buffer | nil,
--   message, code, text(id) -> string}, or nil, message, code
function M.from_json(text)
  if #text > MOST_BYTES then return nil, "tokenizer.json: is too large", "too_large" end
  local value, problem = json.decode(text, { coarse = true })
  if value == nil then return nil, "tokenizer.json: " .. tostring(problem), "invalid_model" end
  return build(value, "tokenizer.json")
end

--- A tokenizer from the metadata of a GGUF file.
-- @param metadata {key = value}
-- @return as M.from_json, or nil, message, code
function M.from_gguf(metadata)
  local value, message, code = gguf.describe(metadata)
  if not value then return nil, message, code end
  return build(value, "tokenizer.ggml")
end

return M
