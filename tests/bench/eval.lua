-- The forward pass at size, on random weights: make bench-eval [BENCH_ARGS="CODEC ..."]. One layer
-- of Qwen3-1.7B's shape, 512 tokens; products per second of its linear layers, attention included
-- in the time.
local buffer = require "core.buffer"
local forward = require "core.forward"
local quant = require "core.quant"
local sys = require "core.sys"

local architecture = require "bittern.model.architecture"
local report = require "bittern.report"

local TOKENS <const> = 512
local RUNS <const> = 3

local config = {
  model_type = "qwen3", hidden_size = 2048, intermediate_size = 6144, num_hidden_layers = 1,
  num_attention_heads = 16, num_key_value_heads = 8, head_dim = 128, vocab_size = 256,
  tie_word_embeddings = true,
}

-- Bytes that nearly any codec takes for codes, and small scales.
local function noise(count)
  local parts, state = {}, 1
  for i = 1, 4096 do
    state = state * 1103515245 + 12345 & 0x7FFFFFFF
    parts[i] = string.char(state >> 16 & 0xAA)
  end
  local chunk = table.concat(parts)
  return chunk:rep(count // #chunk + 1):sub(1, count)
end

local function vector(count)
  local out = buffer.new("f32", count)
  for i = 0, count - 1 do out:set(i, 1) end
  return out
end

local function packed(linear, codec)
  local rows, cols = linear.outputs, linear.inputs
  local scales = vector(rows)
  for i = 0, rows - 1 do scales:set(i, 0.02) end
  if quant.codecs()[codec].group > 0 then scales = vector(rows * (cols // 128)) end
  return { codec = codec, rows = rows, cols = cols, scales = quant.narrow("f16", scales),
    codes = noise(rows * quant.row_bytes(codec, cols)) }
end

-- Weights of a description; products of a token in its packed matrices.
local function weights_of(description, codec)
  local weights, products = {}, 0
  local function add(part)
    for key, value in pairs(part) do
      if type(value) == "table" and value.inputs and key ~= "head" then
        weights[value.weight] = packed(value, codec)
        products = products + value.inputs * value.outputs
      elseif type(value) == "table" and value.eps then
        weights[value.weight] = vector(key:find("_norm") and 128 or 2048)
      elseif type(value) == "table" and key ~= "rotary" and key ~= "head" then
        add(value)
      end
    end
  end
  add(description)
  weights[description.embedding] = vector(256 * 2048)
  return weights, products
end

local function best(runnable, tokens, threads)
  local least = math.huge
  for _ = 1, RUNS do
    local started = sys.clock()
    assert(runnable:logits(tokens, threads))
    least = math.min(least, sys.clock() - started)
  end
  return least
end

local wanted = select("#", ...) > 0 and { ... } or { "t2", "b1", "t5", "q4" }
report.out(("%-6s %-6s %8s %10s %10s"):format("codec", "path", "threads", "seconds", "Gmac/s"))
for _, codec in ipairs(wanted) do
  local description = assert(architecture.describe(config, "bench"))
  local weights, products = weights_of(description, codec)
  local tokens = buffer.new("i32", TOKENS)
  for i = 0, TOKENS - 1 do tokens:set(i, i * 7 % 256) end
  for _, exact in ipairs { false, true } do
    local runnable = assert(forward.new(description, weights, { exact = exact }))
    for threads = 1, exact and 1 or sys.cores() do
      local seconds = best(runnable, tokens, threads)
      report.out(("%-6s %-6s %8d %10.3f %10.1f"):format(codec, exact and "exact" or "int8",
        threads, seconds, products * TOKENS / seconds / 1e9))
    end
  end
end
return true
