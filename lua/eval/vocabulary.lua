-- Which tokenizer a model is scored with: its own, or bytes for the validators' small models.
local fs = require "core.fs"

local tokenizers = require "bittern.tokenizer"

local M = {}

local FILE <const> = "tokenizer.json"
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

local function found(model)
  if model:has(FILE) then return own(model) end
  local kind = model.kind == "gguf" and model.metadata["tokenizer.ggml.model"]
  if kind then
    return bad(model, "its vocabulary of kind '%s' is not read; name a tokenizer.json with "
      .. "--tokenizer FILE", tostring(kind))
  end
  local size = size_of(model)
  if not size or size <= BYTES_VOCABULARY then return tokenizers.bytes() end
  return bad(model, "has %d tokens and no tokenizer.json; name one with --tokenizer FILE, or "
    .. "--tokenizer bytes", size)
end

--- The tokenizer to score a model with.
-- @param model an open model
-- @param wanted "auto" (the model's tokenizer.json, else bytes for small vocabularies), "bytes", or
--   the path of a tokenizer.json
-- @return tokenizer as bittern.tokenizer gives it, or nil, message, code
function M.choose(model, wanted)
  if wanted == "bytes" then return tokenizers.bytes() end
  if wanted == "auto" then return found(model) end
  return read(wanted)
end

return M
