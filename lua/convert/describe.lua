-- What stands beside the tensors: config.json and tokenizer files of a directory, metadata of a
-- GGUF file, and how each becomes the other.
local canonical = require "bittern.canonical"
local companions = require "bittern.artifact.companions"
local gguf = require "bittern.model.gguf"
local json = require "bittern.json"
local naming = require "bittern.model.naming"

local M = {}

local CONFIG <const>, TOKENIZER <const> = "config.json", "tokenizer.json"
local CONFIG_KEY <const>, TOKENIZER_KEY <const> = "bittern.config", "tokenizer.huggingface.json"

-- llama.cpp's number for what most of a file's matrices are.
local file_types = {
  F32 = 0, F16 = 1, q4_0 = 2, q8_0 = 7, BF16 = 32, tq1_0 = 36, tq2_0 = 37, q1_0 = 40, q2_0 = 41,
}
local torch_types = { F32 = "float32", F16 = "float16", BF16 = "bfloat16" }

-- The type that most values of matrices have.
local function main_type(plan)
  local counts, best = {}, nil
  for _, entry in ipairs(plan) do
    if #entry.shape >= 2 then
      counts[entry.dtype] = (counts[entry.dtype] or 0) + entry.item.count
    end
  end
  for dtype, count in pairs(counts) do
    if not best or count > counts[best] or count == counts[best] and dtype < best then
      best = dtype
    end
  end
  return best
end

local function is_quantized(plan)
  for _, entry in ipairs(plan) do
    if entry.dtype == entry.dtype:lower() then return true end
  end
  return false
end

-- The config of a model whose weights are dense: a packed artifact's without its loader.
local function dense_config(model)
  local text, message, code = model:file(CONFIG)
  if not text then return nil, message, code end
  if not model.config.bittern then return text end
  local config, why, id = canonical.decode(text)
  if not config then return nil, ("%s: %s: %s"):format(model.path, CONFIG, why), id end
  config.bittern, config.auto_map = nil, nil
  return canonical.encode(config)
end

-- What a GGUF file says of itself, without what its new form changes.
local changed = {
  ["general.file_type"] = true, ["general.quantization_version"] = true, ["split.no"] = true,
  ["split.count"] = true, ["split.tensors.count"] = true,
}

local function kept_entries(model)
  local list = {}
  for _, entry in ipairs(model.entries) do
    if not changed[entry.key] then
      local copy = { key = entry.key, type = entry.type, value = entry.value }
      if gguf.is_array(entry.value) then
        copy.element, copy.value = entry.value.element, entry.value:values()
      end
      list[#list + 1] = copy
    end
  end
  return list
end

local function from_directory(model)
  local text, message, code = dense_config(model)
  if not text then return nil, message, code end
  local list, why, id = naming.metadata(model.config, text, model.path .. "/" .. CONFIG)
  if not list then return nil, why, id end
  if model:has(TOKENIZER) then
    local words, reason, kind = model:file(TOKENIZER)
    if not words then return nil, reason, kind end
    list[#list + 1] = { key = TOKENIZER_KEY, type = "string", value = words }
  end
  return list
end

local sources = {
  gguf = kept_entries, directory = from_directory, archive = from_directory,
  safetensors = function() return {} end,
}

--- Metadata of the GGUF file that a model becomes.
-- @param model the open model
-- @param plan as bittern.convert.plan makes it
-- @return array of {key, type, value, element}, or nil, message, code
function M.entries(model, plan)
  local list, message, code = sources[model.kind](model)
  if not list then return nil, message, code end
  local number = file_types[main_type(plan) or ""]
  if number then list[#list + 1] = { key = "general.file_type", type = "u32", value = number } end
  if is_quantized(plan) then
    list[#list + 1] = { key = "general.quantization_version", type = "u32", value = 2 }
  end
  return list
end

local function config_from_gguf(model, plan)
  local text = model.metadata[CONFIG_KEY]
  if type(text) == "string" then return text end
  local config = {}
  for key, value in pairs(model.config) do config[key] = value end
  if not config.architectures then
    return nil, ("%s: architecture '%s' has no config.json here; qwen3 and llama have"):format(
      model.path, tostring(config.model_type)), "unsupported"
  end
  for _, entry in ipairs(plan) do
    if entry.item.name == "token_embd.weight" then config.vocab_size = entry.shape[1] end
  end
  config.torch_dtype = torch_types[main_type(plan) or ""]
  return json.encode(config)
end

--- Files beside the weights of the directory that a model becomes.
-- @return array of {name, text}, or nil, message, code
function M.files(model, plan)
  if model.kind == "gguf" then
    local config, message, code = config_from_gguf(model, plan)
    if not config then return nil, message, code end
    local files, words = { { name = CONFIG, text = config } }, model.metadata[TOKENIZER_KEY]
    if type(words) == "string" then files[2] = { name = TOKENIZER, text = words } end
    return files
  end
  local config, message, code = dense_config(model)
  if not config then return nil, message, code end
  return companions.add_side_files(model, { { name = CONFIG, text = config } })
end

--- What is lost on the way, in words for people.
-- @return array of lines
function M.losses(model, target)
  if model.kind == "gguf" and (target == "directory" or target == "archive")
    and model.metadata["tokenizer.ggml.model"] and not model.metadata[TOKENIZER_KEY] then
    return { "its tokenizer is in llama.cpp's form and is not converted" }
  end
  if target == "gguf" and (model.kind == "directory" or model.kind == "archive") then
    return { "llama.cpp also wants a tokenizer in its own form, which is not written" }
  end
  return {}
end

return M
