-- The vocabulary of a GGUF file (tokenizer.ggml.*), told as tokenizer.json would: the words, how
-- they merge, which of them are found in a text before it is split, and how it is split.
local json = require "bittern.json"

local M = {}

-- Values of tokenizer.ggml.token_type.
local NORMAL <const>, CONTROL <const>, USER_DEFINED <const>, BYTE <const> = 1, 3, 4, 6

local CONTRACTIONS <const> = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
local SPACES <const> = [[|\s*[\r\n]+|\s+(?!\S)|\s+]]

-- Steps of a pre-tokenizer: a pattern, GPT-2's own one, none.
local function split(pattern)
  return { type = "Split", behavior = "Isolated", pattern = { Regex = pattern } }
end
local GPT2 <const> = { type = "ByteLevel" }
local BYTES <const> = { type = "ByteLevel", use_regex = false }

-- By tokenizer.ggml.pre: steps that split one after the other, whether texts are put into the
-- normal form C (which llama.cpp leaves out, and the models' own tokenizers do not), whether words
-- that are tokens are not split, and whether texts begin with a token of their own.
local kinds = {
  ["gpt-2"] = { steps = { GPT2 } },
  qwen2 = { nfc = true, steps = { split(CONTRACTIONS
    .. [[|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*]] .. SPACES), BYTES } },
  qwen35 = { nfc = true, steps = { split(CONTRACTIONS
    .. [[|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*]] .. SPACES),
    BYTES } },
  ["llama-bpe"] = { whole = true, begins = true, steps = { split(CONTRACTIONS
    .. [[|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*]] .. SPACES), BYTES } },
  default = { steps = { split [==[[\p{P}\$\+<=>\^~\|]+]==], GPT2, split [[\p{N}+]],
    split "[0-9][0-9][0-9]" } },
}
kinds.llama3, kinds["llama-v3"] = kinds["llama-bpe"], kinds["llama-bpe"]

local function fault(format, ...)
  return nil, "tokenizer.ggml" .. format:format(...), "invalid_model"
end

-- An array of the metadata, as long as it should be.
local function list_of(metadata, key, element, count)
  local array = metadata["tokenizer.ggml." .. key]
  if type(array) ~= "table" or array.element ~= element then
    return fault(".%s: is missing, or no array of %s", key, element)
  end
  if count and array.count ~= count then
    return fault(".%s: has %d elements, there are %d tokens", key, array.count, count)
  end
  return array:values()
end

-- The words that merges make, and the tokens that stand for a text of their own.
local function words_of(tokens, types)
  local vocab, added = {}, json.array {}
  for i, word in ipairs(tokens) do
    local kind = types and types[i] or NORMAL
    if kind == CONTROL or kind == USER_DEFINED then
      if word ~= "" then added[#added + 1] = { id = i - 1, content = word } end
    elseif kind == NORMAL or kind == BYTE then
      vocab[word] = i - 1
    end
  end
  return vocab, added
end

-- What every text begins with, as a template of tokenizer.json says it.
local function template(metadata, kind, tokens)
  local begins = metadata["tokenizer.ggml.add_bos_token"]
  if begins == nil then begins = kind.begins end
  if not begins then return nil end
  local id = metadata["tokenizer.ggml.bos_token_id"]
  local word = math.type(id) == "integer" and tokens[id + 1]
  if not word then return fault(".bos_token_id: names no token, and texts begin with it") end
  return { type = "TemplateProcessing", single = { { SpecialToken = { id = word } },
    { Sequence = {} } } }
end

local function kind_of(metadata)
  local model = metadata["tokenizer.ggml.model"]
  if model ~= "gpt2" then
    return nil, ("tokenizer.ggml.model: '%s' is not read, only gpt2, byte-level byte-pair encoding")
      :format(tostring(model)), "unsupported"
  end
  local pre = metadata["tokenizer.ggml.pre"] or "default"
  if kinds[pre] then return kinds[pre] end
  return nil, ("tokenizer.ggml.pre: '%s' is not known"):format(tostring(pre)), "unsupported"
end

--- Describes a vocabulary.
-- @param metadata {key = value} of a GGUF file
-- @return value as of a tokenizer.json, or nil, message, code
function M.describe(metadata)
  local kind, message, code = kind_of(metadata)
  if not kind then return nil, message, code end
  local tokens, merges, types, first
  tokens, message, code = list_of(metadata, "tokens", "string")
  if not tokens then return nil, message, code end
  merges, message, code = list_of(metadata, "merges", "string")
  if not merges then return nil, message, code end
  if metadata["tokenizer.ggml.token_type"] ~= nil then
    types, message, code = list_of(metadata, "token_type", "i32", #tokens)
    if not types then return nil, message, code end
  end
  first, message, code = template(metadata, kind, tokens)
  if message then return nil, message, code end
  local vocab, added = words_of(tokens, types)
  return { model = { type = "BPE", vocab = vocab, merges = merges, ignore_merges = kind.whole },
    normalizer = kind.nfc and { type = "NFC" } or nil, added_tokens = added,
    pre_tokenizer = { type = "Sequence", pretokenizers = kind.steps }, post_processor = first }
end

return M
