-- A model of random bf16 numbers, made on the spot for the benchmark of compression.
local buffer = require "core.buffer"
local fs = require "core.fs"
local quant = require "core.quant"

local json = require "bittern.json"
local safetensors = require "bittern.model.safetensors"

local M = {}

local HIDDEN <const>, INNER <const> = 5120, 17408
local POOL_ROWS <const> = 4096

local layer = {
  ["mlp.down_proj.weight"] = { HIDDEN, INNER }, ["mlp.gate_proj.weight"] = { INNER, HIDDEN },
  ["mlp.up_proj.weight"] = { INNER, HIDDEN }, ["self_attn.o_proj.weight"] = { HIDDEN, HIDDEN },
  ["self_attn.q_proj.weight"] = { HIDDEN, HIDDEN }, ["input_layernorm.weight"] = { HIDDEN },
}

-- Numbers near a normal distribution: sums of four uniform ones, by a generator of our own.
local function numbers(count)
  local out, seed = buffer.new("f32", count), 12345
  for i = 0, count - 1 do
    local sum = -2.0
    for _ = 1, 4 do
      seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
      sum = sum + seed / 0x7FFFFFFF
    end
    out:set(i, sum * 0.03)
  end
  return quant.narrow("bf16", out)
end

local function tensors(layers)
  local list = { { name = "model.embed_tokens.weight", dtype = "BF16", shape = { 1024, HIDDEN } } }
  for i = 0, layers - 1 do
    for name, shape in pairs(layer) do
      list[#list + 1] = { name = ("model.layers.%d.%s"):format(i, name), dtype = "BF16",
        shape = shape }
    end
  end
  return list
end

-- Fills a file with rows of a pool of numbers, each time in another order.
local function fill(file, at, bytes)
  local row, done, turn = 8192, 0, 0
  local pool = numbers(1 << 20)
  local order = buffer.new("i32", POOL_ROWS // 16)
  while done < bytes do
    for i = 0, #order - 1 do order:set(i, (i * 37 + turn * 101) % (2 * (1 << 20) // row)) end
    turn = turn + 1
    local block = assert(quant.gather(pool, row, order))
    local size = math.min(block:bytes_size(), bytes - done)
    assert(file:write_at(at + done, size < block:bytes_size() and block:view(0, size) or block))
    done = done + size
  end
end

--- Writes a model directory of about so many bytes.
-- @return bytes of its weights file
function M.write(dir, bytes)
  local one = 0
  for _, shape in pairs(layer) do one = one + 2 * shape[1] * (shape[2] or 1) end
  local header, _, data = safetensors.header(tensors(math.max(1, bytes // one)), { format = "pt" })
  local path = dir .. "/model.safetensors"
  local file <close> = assert(fs.create(path))
  assert(file:write_at(0, header))
  fill(file, #header, data)
  assert(file:commit())
  assert(fs.write(dir .. "/config.json", assert(json.encode {
    model_type = "qwen3", architectures = json.array { "Qwen3ForCausalLM" },
  })))
  return #header + data
end

return M
