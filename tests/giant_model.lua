-- A model of 27 billion parameters as far as headers tell: every name and shape of Qwen3.6-27B, and
-- holes where its 55 GB of numbers would be.
local fs = require "core.fs"

local json = require "bittern.json"
local safetensors = require "bittern.model.safetensors"
local support = require "tests.support"

local M = {}

M.PARAMETERS, M.BYTES, M.TENSORS = 27781427952, 55562855904, 1199

local HIDDEN <const>, INNER <const>, VISION <const> = 5120, 17408, 1152

local function add(list, prefix, shapes)
  for name, shape in pairs(shapes) do
    list[#list + 1] = { name = prefix .. name, dtype = "BF16", shape = shape }
  end
end

local mlp = {
  ["input_layernorm.weight"] = { HIDDEN }, ["post_attention_layernorm.weight"] = { HIDDEN },
  ["mlp.gate_proj.weight"] = { INNER, HIDDEN }, ["mlp.up_proj.weight"] = { INNER, HIDDEN },
  ["mlp.down_proj.weight"] = { HIDDEN, INNER },
}
local attention = {
  ["self_attn.q_proj.weight"] = { 12288, HIDDEN }, ["self_attn.k_proj.weight"] = { 1024, HIDDEN },
  ["self_attn.v_proj.weight"] = { 1024, HIDDEN }, ["self_attn.o_proj.weight"] = { HIDDEN, 6144 },
  ["self_attn.q_norm.weight"] = { 256 }, ["self_attn.k_norm.weight"] = { 256 },
}
local delta = {
  ["linear_attn.in_proj_qkv.weight"] = { 10240, HIDDEN },
  ["linear_attn.in_proj_z.weight"] = { 6144, HIDDEN },
  ["linear_attn.in_proj_a.weight"] = { 48, HIDDEN },
  ["linear_attn.in_proj_b.weight"] = { 48, HIDDEN },
  ["linear_attn.conv1d.weight"] = { 10240, 1, 4 }, ["linear_attn.A_log"] = { 48 },
  ["linear_attn.dt_bias"] = { 48 }, ["linear_attn.norm.weight"] = { 128 },
  ["linear_attn.out_proj.weight"] = { HIDDEN, 6144 },
}
local vision = {
  ["norm1.weight"] = { VISION }, ["norm1.bias"] = { VISION }, ["norm2.weight"] = { VISION },
  ["norm2.bias"] = { VISION }, ["attn.qkv.weight"] = { 3 * VISION, VISION },
  ["attn.qkv.bias"] = { 3 * VISION }, ["attn.proj.weight"] = { VISION, VISION },
  ["attn.proj.bias"] = { VISION }, ["mlp.linear_fc1.weight"] = { 4304, VISION },
  ["mlp.linear_fc1.bias"] = { 4304 }, ["mlp.linear_fc2.weight"] = { VISION, 4304 },
  ["mlp.linear_fc2.bias"] = { VISION },
}

--- Every tensor, sorted by name.
-- @param layers that will do, and no head then; nil for all 64
-- @return array of {name, dtype, shape}
function M.tensors(layers)
  local list = {}
  if not layers then add(list, "", { ["lm_head.weight"] = { 248320, HIDDEN } }) end
  add(list, "", {
    ["mtp.fc.weight"] = { HIDDEN, 2 * HIDDEN },
    ["mtp.norm.weight"] = { HIDDEN }, ["mtp.pre_fc_norm_embedding.weight"] = { HIDDEN },
    ["mtp.pre_fc_norm_hidden.weight"] = { HIDDEN },
    ["model.language_model.embed_tokens.weight"] = { 248320, HIDDEN },
    ["model.language_model.norm.weight"] = { HIDDEN },
  })
  for layer = 0, (layers or 64) - 1 do
    local prefix = ("model.language_model.layers.%d."):format(layer)
    add(list, prefix, mlp)
    add(list, prefix, layer % 4 == 3 and attention or delta)
  end
  add(list, "mtp.layers.0.", mlp)
  add(list, "mtp.layers.0.", attention)
  for block = 0, 26 do add(list, ("model.visual.blocks.%d."):format(block), vision) end
  add(list, "model.visual.", {
    ["patch_embed.proj.weight"] = { VISION, 3, 2, 16, 16 }, ["patch_embed.proj.bias"] = { VISION },
    ["pos_embed.weight"] = { 2304, VISION }, ["merger.norm.weight"] = { VISION },
    ["merger.norm.bias"] = { VISION }, ["merger.linear_fc1.weight"] = { 4608, 4608 },
    ["merger.linear_fc1.bias"] = { 4608 }, ["merger.linear_fc2.weight"] = { HIDDEN, 4608 },
    ["merger.linear_fc2.bias"] = { HIDDEN },
  })
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Writes a header with a hole behind it.
function M.hollow(path, header, data)
  assert(fs.write(path, header))
  local done = support.run { "truncate", "-s", ("%d"):format(#header + data), path }
  assert(done.status == 0, done.stderr)
end

local function config(dir)
  assert(fs.write(dir .. "/config.json", assert(json.encode {
    model_type = "qwen3_5", architectures = json.array { "Qwen3_5ForConditionalGeneration" },
  })))
end

--- The model as one safetensors file in a directory.
-- @param layers that will do, and no head then; nil for all 64
-- @return path, bytes of numbers
function M.single(layers)
  local dir = support.folder()
  local header, _, data = safetensors.header(M.tensors(layers), { format = "pt" })
  M.hollow(dir .. "/model.safetensors", header, data)
  config(dir)
  return dir, data
end

--- The model in shards, as it is published.
-- @param count of shards
-- @return path
function M.sharded(count)
  local dir, tensors, map = support.folder(), M.tensors(), {}
  for shard = 1, count do
    local name = ("model-%05d-of-%05d.safetensors"):format(shard, count)
    local part = {}
    for i = shard, #tensors, count do
      part[#part + 1], map[tensors[i].name] = tensors[i], name
    end
    local header, _, data = safetensors.header(part, { format = "pt" })
    M.hollow(dir .. "/" .. name, header, data)
  end
  local index = { metadata = { total_size = M.BYTES + 0.0 }, weight_map = map }
  assert(fs.write(dir .. "/model.safetensors.index.json", assert(json.encode(index))))
  config(dir)
  return dir
end

--- The model as one GGUF file; its one tensor of five sizes becomes a matrix.
-- @return path
function M.gguf()
  local path, tensors = support.folder() .. "/model.gguf", M.tensors()
  for _, t in ipairs(tensors) do
    if #t.shape > 4 then t.shape = { t.shape[1], 3 * 2 * 16 * 16 } end
  end
  local header, _, data = require("bittern.model.gguf.writer").header({
    { key = "general.architecture", type = "string", value = "qwen3_5" } }, tensors)
  M.hollow(path, header, data)
  return path
end

return M
