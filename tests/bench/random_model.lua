-- Models of random weights, of every shape that a config describes: their matrices in memory, or
-- streamed to a packed model's file.
local buffer = require "core.buffer"
local fs = require "core.fs"
local quant = require "core.quant"
local sys = require "core.sys"

local architecture = require "bittern.model.architecture"
local json = require "bittern.json"
local layout = require "bittern.artifact.layout"
local packed_model = require "tests.packed_model"
local safetensors = require "bittern.model.safetensors"

local M = {}

local CHUNK <const> = 1 << 20
local SCALE <const>, HALF <const> = "\x1f\x25", "\x00\x3f" -- 0.02 in f16, 0.5 in bf16

-- A chunk of random bytes without the pair of bits 3, which is no ternary code.
local function random_codes()
  local parts, code = {}, {}
  for byte = 0, 255 do
    code[string.char(byte)] = string.char(byte & ~(byte >> 1 & byte & 0x55))
  end
  for i = 1, CHUNK // 256 do parts[i] = sys.random(256):gsub(".", code) end
  return table.concat(parts)
end

local linear_keys <const> = { "gate", "up", "down", "query", "key", "value", "output", "qkv", "z",
  "a", "b" }

local function add_part(shapes, part)
  for _, key in ipairs(linear_keys) do
    local linear = part[key]
    if type(linear) == "table" then
      shapes.matrices[linear.weight] = { linear.outputs, linear.inputs }
    end
  end
end

local function add_delta(shapes, delta)
  if not delta then return end
  local vectors, heads = shapes.vectors, delta.value_heads
  add_part(shapes, delta)
  vectors[delta.convolution] = { delta.qkv.outputs, 1, delta.width }
  vectors[delta.decay], vectors[delta.bias] = { heads }, { heads }
  vectors[delta.norm.weight] = { delta.value_dim }
end

local function add_attention(shapes, attention)
  if not attention then return end
  add_part(shapes, attention)
  for _, norm in ipairs { attention.query_norm, attention.key_norm } do
    shapes.vectors[norm.weight] = { attention.head_dim }
  end
end

--- What a config's model consists of.
-- @return {matrices = {name = {rows, columns}}, vectors = {name = shape}}, its description
function M.shapes(config)
  local description = assert(architecture.describe(config, "bench"))
  local hidden = description.hidden
  local shapes = { matrices = { [description.embedding] = { description.vocab, hidden },
    [description.head.weight] = { description.vocab, hidden } },
    vectors = { [description.norm.weight] = { hidden } } }
  for _, layer in ipairs(description.layers) do
    shapes.vectors[layer.before.weight], shapes.vectors[layer.between.weight] = { hidden },
      { hidden }
    add_part(shapes, layer.mlp)
    add_attention(shapes, layer.attention)
    add_delta(shapes, layer.delta)
  end
  return shapes, description
end

local function repeated(text, bytes)
  return text:rep(bytes // #text + 1):sub(1, bytes)
end

local codes

--- A matrix for core.forward and core.quant.
-- @return {codec, rows, cols, codes, scales}
function M.matrix(codec, rows, cols)
  codes = codes or random_codes()
  local scales = rows * layout.groups({ codec = codec, group = 0 }, cols)
  return { codec = codec, rows = rows, cols = cols, scales = repeated(SCALE, 2 * scales),
    codes = repeated(codes, rows * quant.row_bytes(codec, cols)) }
end

--- The weights of a config's model for core.forward, every matrix in one codec.
-- @return weights, description, products of a token
function M.weights(config, codec)
  local shapes, description = M.shapes(config)
  local weights, products = {}, 0
  for name, shape in pairs(shapes.matrices) do
    weights[name] = M.matrix(codec, shape[1], shape[2])
    products = products + shape[1] * shape[2]
  end
  for name, shape in pairs(shapes.vectors) do
    weights[name] = buffer.new("f32", shape[1] * (shape[3] or 1))
    for i = 0, #weights[name] - 1 do weights[name]:set(i, 0.5) end
  end
  return weights, description, products
end

-- Rescued rows, evenly spread.
local function rescued_rows(m)
  local rows = buffer.new("i32", m.rescued)
  for i = 0, m.rescued - 1 do rows:set(i, i * m.shape[1] // m.rescued) end
  return rows:text()
end

local function entries_of(shapes, codec, rescue)
  local entries, plan, rows = {}, {}, {}
  for name, shape in pairs(shapes.matrices) do
    local m = { codec = codec, group = 0, shape = shape, rescued = shape[1] * rescue // 1 | 0 }
    plan[name], rows[name .. ".rescue.rows"] = m, rescued_rows(m)
    table.move(layout.tensors(name, m), 1, 8, #entries + 1, entries)
  end
  for name, shape in pairs(shapes.vectors) do
    entries[#entries + 1] = { name = name, dtype = "BF16", shape = shape }
  end
  return entries, plan, rows
end

-- Fills a tensor's place with what its type stands for here.
local function pour(file, at, size, chunk)
  for done = 0, size - 1, #chunk do
    assert(file:write_at(at + done, chunk:sub(1, math.min(#chunk, size - done))))
  end
end

--- Writes a packed model directory.
-- @param config as config.json
-- @param codec of every matrix
-- @param rescue share of rows at q4
-- @return bytes of its weights
function M.write(dir, config, codec, rescue)
  local shapes = M.shapes(config)
  local entries, plan, rows = entries_of(shapes, codec, rescue)
  local chunks = { U8 = random_codes(), F16 = repeated(SCALE, CHUNK), BF16 = repeated(HALF, CHUNK) }
  local dtype = {}
  for _, entry in ipairs(entries) do dtype[entry.name] = entry.dtype end
  local header, placed, data = safetensors.header(entries, packed_model.metadata(plan))
  local file <close> = assert(fs.create(dir .. "/model.safetensors"))
  assert(file:write_at(0, header))
  for _, one in ipairs(placed) do
    pour(file, #header + one.offset, one.size, rows[one.name] or chunks[dtype[one.name]])
  end
  assert(file:commit())
  assert(fs.write(dir .. "/config.json", assert(json.encode(config))))
  return #header + data
end

return M
