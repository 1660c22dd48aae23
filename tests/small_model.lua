-- Small models made on the spot, for specs of compression and artifacts.
local buffer = require "core.buffer"
local fs = require "core.fs"
local quant = require "core.quant"

local json = require "bittern.json"
local safetensors = require "bittern.model.safetensors"
local support = require "tests.support"

local M = {}

-- The same "random" numbers on every run.
local function generator(seed)
  return function()
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return seed / 0x3FFFFFFF - 1
  end
end

--- An f32 buffer of `count` numbers in -1..1, or what `value(i)` gives.
function M.numbers(count, seed, value)
  local out, random = buffer.new("f32", count), generator(seed or 1)
  for i = 0, count - 1 do out:set(i, value and value(i) or random()) end
  return out
end

local function bytes_of(tensor, seed)
  local count = 1
  for _, size in ipairs(tensor.shape) do count = count * size end
  if tensor.text then return tensor.text end
  local values = M.numbers(count, seed, tensor.value)
  return quant.narrow((tensor.dtype or "BF16"):lower(), values):text()
end

--- Writes a model directory.
-- @param tensors array of {name, shape, dtype = "BF16", value = function(i) or nil, text = bytes}
-- @param options {config = {...}, metadata = {...}, files = {name = text}, dir = folder}
-- @return its path
function M.write(tensors, options)
  options = options or {}
  local dir, entries, by_name = options.dir or support.folder(), {}, {}
  for i, tensor in ipairs(tensors) do
    entries[i] = { name = tensor.name, dtype = tensor.dtype or "BF16", shape = tensor.shape }
    by_name[tensor.name] = bytes_of(tensor, i)
  end
  local header, order = safetensors.header(entries, options.metadata)
  local parts = { header }
  for _, tensor in ipairs(order) do parts[#parts + 1] = by_name[tensor.name] end
  assert(fs.write(dir .. "/model.safetensors", table.concat(parts)))
  local config = options.config or { model_type = "example", architectures = json.array { "X" } }
  assert(fs.write(dir .. "/config.json", assert(json.encode(config))))
  for name, text in pairs(options.files or {}) do assert(fs.write(dir .. "/" .. name, text)) end
  return dir
end

--- A model directory whose tensors are holes: zeros in BF16 that take no room on the disk.
-- @param count of them: one is called `w`, more are `w1`, `w2`, ...
-- @return its path
function M.hollow(rows, cols, count)
  local dir = M.write { { name = "w", shape = { 1, 1 } } }
  local entries = {}
  for i = 1, count or 1 do
    entries[i] = { name = count and "w" .. i or "w", dtype = "BF16", shape = { rows, cols } }
  end
  local header, _, data = safetensors.header(entries, {})
  assert(fs.write(dir .. "/model.safetensors", header))
  local done = support.run { "truncate", "-s", ("%d"):format(#header + data),
    dir .. "/model.safetensors" }
  assert(done.status == 0, done.stderr)
  return dir
end

--- A recipe file with this body of its tensor function, or this whole text.
-- @return its path
function M.recipe(body, whole)
  local path = support.folder() .. "/mine.lua"
  assert(fs.write(path, whole or "return { api = 1, about = 'test',\n"
    .. "args = { base = { 'b1', 'codec' } },\ntensor = function(ctx, t)\n" .. body .. "\nend }"))
  return path
end

--- A model that a GGUF file can hold, and a recipe of blocks for it.
-- @return {model = path, recipe = path}
function M.gguf()
  local model = M.write({
    { name = "model.embed_tokens.weight", shape = { 64, 128 } },
    { name = "model.norm.weight", shape = { 128 } },
    { name = "model.layers.0.mlp.up_proj.weight", shape = { 256, 128 } },
    { name = "model.layers.0.mlp.down_proj.weight", shape = { 128, 256 } },
  }, { config = { model_type = "qwen3", hidden_size = 128, num_hidden_layers = 1,
    num_attention_heads = 2, num_key_value_heads = 1, head_dim = 64, intermediate_size = 256,
    vocab_size = 64, rms_norm_eps = 1e-6, rope_theta = 10000, tie_word_embeddings = true,
    max_position_embeddings = 128 } })
  return { model = model, recipe = M.recipe [[
    if t.rank ~= 2 then return ctx.keep() end
    if ctx.match(t.name, "embed") then return ctx.block { codec = "q4_0" } end
    return ctx.block { codec = "q1_0", fit = "least_squares" }]] }
end

return M
