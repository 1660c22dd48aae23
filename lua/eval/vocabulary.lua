-- Which tokenizer a model is scored with: its own, or bytes for the validators' small models.
local fs = require "core.fs"

local tokenizers = require "bittern.tokenizer"

local M = {}

local FILE <const>, GGUF_KEY <const> = "tokenizer.json", "tokenizer.huggingface.json"
local MOST_BYTES <const> = 256 << 20
-- The largest vocabulary that is taken for bytes when nothing says what its tokens are.
local BYTES_VOCABULARY <const> = 512

local function bad(model, format, ...)
  return nil, model.path .. ": " .. format:format(...), "unsupported"
end

local function read(path)
  local text, message, code = fs.read(path, MOST_BYTES)
  if not text then return nil, message, code end
  local tokenizer, why, id = tokenizers.from_json(text)
  if not tokenizer then return nil, path .. ": " .. why, id end
  return tokenizer
end

local function own(model)
  local text, message, code = model:file(FILE)
  if not text then return nil, message, code end
  local tokenizer, why, id = tokenizers.from_json(text)
  if not tokenizer then return nil, model.path .. ": " .. why, id end
  return tokenizer
end

-- How many tokens its config says that a model knows, or nil.
local function size_of(model)
  local part = model.config.text_config
  return math.tointeger(model.config.vocab_size or type(part) == "table" and part.vocab_size or nil)
end

-- The tokenizer.json that a GGUF file may carry, or its vocabulary in llama.cpp's form; nil of one
-- that has neither.
local function of_gguf(model)
  local text = model.metadata[GGUF_KEY]
  local tokenizer, message, code
  if type(text) == "string" then
    tokenizer, message, code = tokenizers.from_json(text)
  elseif model.metadata["tokenizer.ggml.model"] ~= nil then
    tokenizer, message, code = tokenizers.from_gguf(model.metadata)
  end
  if not message then return tokenizer end
  return nil, ("%s: %s; name a tokenizer.json with --tokenizer FILE"):format(model.path, message),
    code
end

local function found(model)
  if model:has(FILE) then return own(model) end
  if model.kind == "gguf" then
    local tokenizer, message, code = of_gguf(model)
    if tokenizer or message then return tokenizer, message, code end
  end
  local size = size_of(model)
  if not size or size <= BYTES_VOCABULARY then return tokenizers.bytes() end
  return bad(model, "has %d tokens and no tokenizer.json; name one with --tokenizer FILE, or "
    .. "--tokenizer bytes", size)
end

--- The tokenizer to score a model with.
-- @param model an open model
-- @param wanted "auto" (the model's tokenizer.json or GGUF vocabulary, else bytes for small
--   vocabularies), "bytes", or the path of a tokenizer.json
-- @return tokenizer as bittern.tokenizer gives it, or nil, message, code
function M.choose(model, wanted)
  if wanted == "bytes" then return tokenizers.bytes() end
  if wanted == "auto" then return found(model) end
  return read(wanted)
end

return M
