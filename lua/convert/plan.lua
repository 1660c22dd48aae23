-- What becomes of each tensor in another format: its name, its type, and the order of its rows.
local quant = require "core.quant"

local content = require "bittern.inspect.content"
local naming = require "bittern.model.naming"
local types = require "bittern.model.gguf.types"

local M = {}

local plain = { f32 = "F32", f16 = "F16", bf16 = "BF16" }

local function complain(model, code, format, ...)
  return nil, model.path .. ": " .. format:format(...), code
end

--- Whether names and rows take GGUF's form, Hugging Face's, or stay.
-- @param from kind of the model
-- @param to "gguf"|"directory"|"archive"|"safetensors"
-- @return "gguf", "huggingface" or nil
function M.direction(from, to)
  local folder = from == "directory" or from == "archive"
  if folder and to == "gguf" then return "gguf" end
  if from == "gguf" and (to == "directory" or to == "archive") then return "huggingface" end
  return nil
end

local function name_of(model, item, direction)
  if direction == nil then return item.name end
  local name = direction == "gguf" and naming.to_gguf(item.name)
    or direction == "huggingface" and naming.to_huggingface(item.name)
  if name then return name end
  local hint = item.name == "rope_freqs.weight" and "; scaled rotary positions are not supported"
    or ""
  return complain(model, "unsupported", "tensor '%s' has no name in %s form for qwen3 or llama%s",
    item.name, direction == "gguf" and "GGUF" or "Hugging Face", hint)
end

local function matches(name, patterns)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern, 1, true) then return true end
  end
  return false
end

-- The type that a tensor has now, spelt for the target; nil of what the target cannot hold.
local function own_type(item, target)
  if item.matrix then return nil end
  local kind = types.of_dtype(item.dtype)
  if target == "gguf" then return kind and item.dtype end
  return (kind == nil or kind.block == 1) and item.dtype or nil
end

-- The type that a codec gives a tensor, or nil when the tensor is to keep its own.
local function wanted_type(item, options, target)
  local each = options.each and options.each[item.name]
  local to = each and each.to or options.to
  if not to or item.parameters == 0 or not content.is_decoded(item)
    or matches(item.name, options.keep) then
    return nil
  end
  if plain[to] then return plain[to] end
  local values = target == "gguf" and quant.block(to)
  if not values or #item.shape < 2 or item.cols % values ~= 0 then return nil end
  return to
end

-- llama.cpp computes with vectors of F32 only; every F16 and BF16 is one.
local function is_vector_for_llama(item, direction)
  return direction == "gguf" and #item.shape < 2 and plain[item.codec] ~= nil
end

local function type_of(model, item, options, target, direction)
  if is_vector_for_llama(item, direction) then return "F32" end
  local dtype = wanted_type(item, options, target) or own_type(item, target)
  if dtype then return dtype end
  if options.to and content.is_decoded(item) then return "F32" end
  if content.is_decoded(item) then
    return complain(model, "usage", "tensor '%s' is %s, which %s does not have: say --to f32, f16 "
      .. "or bf16", item.name, item.codec, target == "gguf" and "GGUF" or "safetensors")
  end
  return complain(model, "unsupported", "tensor '%s' is %s, which %s does not have", item.name,
    item.codec, target == "gguf" and "GGUF" or "safetensors")
end

-- Heads whose rows change their order.
local function reorder(model, item, name, direction)
  if direction == nil then return nil end
  local heads = naming.reordered_heads(model.config, direction == "gguf" and name or item.name)
  if heads == nil then return nil end
  local rows = item.shape[1] or 0
  if math.type(heads) ~= "integer" or heads < 1 or rows % (2 * heads) ~= 0 then
    return complain(model, "invalid_model", "tensor '%s' has %d rows, which %s heads do not share",
      item.name, rows, tostring(heads))
  end
  return heads
end

local function plan_one(model, item, options, target, direction)
  local name, message, code = name_of(model, item, direction)
  if not name then return nil, message, code end
  local dtype, why, id = type_of(model, item, options, target, direction)
  if not dtype then return nil, why, id end
  local heads, reason, kind = reorder(model, item, name, direction)
  if reason then return nil, reason, kind end
  local each = options.each and options.each[item.name]
  return { item = item, name = name, dtype = dtype, shape = item.shape, heads = heads,
    direction = direction, fit = each and each.fit }
end

-- A tied head is the embedding under a second name; rotary angles are computed anew.
local function is_left_out(model, item, direction)
  if direction == nil then return false end
  if item.name == "lm_head.weight" then return model.config.tie_word_embeddings == true end
  return item.name:find("rotary_emb%.inv_freq$") ~= nil
end

-- Vectors that were widened for llama.cpp go back to the matrices' type where that loses nothing.
local function narrow_vectors(model, list)
  local common
  for _, entry in ipairs(list) do
    if #entry.shape >= 2 then
      if common and common ~= entry.dtype then return true end
      common = entry.dtype
    end
  end
  if common ~= "F16" and common ~= "BF16" then return true end
  for _, entry in ipairs(list) do
    if #entry.shape < 2 and entry.dtype == "F32" then
      local values, message, code = content.floats(model, entry.item)
      if not values then return nil, message, code end
      local back = quant.widen(common:lower(), quant.narrow(common:lower(), values))
      if back:text() == values:text() then entry.dtype = common end
    end
  end
  return true
end

--- Plans a conversion.
-- @param model an open model
-- @param held its content
-- @param target "gguf"|"directory"|"archive"|"safetensors"
-- @param options {to = codec or nil, keep = array of parts of names, each = {tensor's name = {to =
--   codec, fit}} or nil}
-- @return array of {item, name, dtype, shape, heads, direction, fit}, or nil, message, code
function M.make(model, held, target, options)
  local direction, list, seen = M.direction(model.kind, target), {}, {}
  for _, item in ipairs(held.items) do
    if not is_left_out(model, item, direction) then
      local entry, message, code = plan_one(model, item, options, target, direction)
      if not entry then return nil, message, code end
      if seen[entry.name] then
        return complain(model, "model_tensor", "two tensors would be '%s'", entry.name)
      end
      seen[entry.name], list[#list + 1] = true, entry
    end
  end
  if direction == "huggingface" and not options.to then
    local ok, message, code = narrow_vectors(model, list)
    if not ok then return nil, message, code end
  end
  return list
end

return M
