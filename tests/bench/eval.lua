-- The forward pass at size, on random weights: make bench-eval [BENCH_ARGS="CODEC ... 1.7b 27b"].
--
-- Codecs: four layers of Qwen3-1.7B's shape, on 512 tokens, 8 and 1; products of all matrices per
-- core, attention and norms included in the time. Beside them the ceiling of the same run: for many
-- tokens the kernel in cache, for few the dot products of core.quant from memory. One thread is
-- timed by the processor time it had, all by the clock.
local buffer = require "core.buffer"
local forward = require "core.forward"
local fs = require "core.fs"
local process = require "core.process"
local quant = require "core.quant"
local sys = require "core.sys"

local random_model = require "tests.bench.random_model"
local report = require "bittern.report"
local whole_model = require "tests.bench.whole_model"

local config <const> = {
  model_type = "qwen3", hidden_size = 2048, intermediate_size = 6144, num_hidden_layers = 4,
  num_attention_heads = 16, num_key_value_heads = 8, head_dim = 128, vocab_size = 256,
  tie_word_embeddings = true,
}
local RUNS <const> = { [1] = 30, [8] = 10, [512] = 3 }

-- Least seconds of several runs.
local function best(runs, threads, work)
  local least, clock = math.huge, threads == 1 and os.clock or sys.clock
  for _ = 1, runs do
    local started = clock()
    work()
    least = math.min(least, clock() - started)
  end
  return least
end

-- Products per second and core, in 1e9, of one vector with a matrix that no cache holds.
local function dot_rate(codec, threads)
  local rows, cols = 98304, config.hidden_size
  local x = buffer.new("f32", cols)
  for i = 0, cols - 1 do x:set(i, i % 17 - 8) end
  local matrix = random_model.matrix(codec, rows, cols)
  local seconds = best(10, threads, function()
    assert(quant.matmul(codec, matrix, rows, cols, x, { activations = "int8", threads = threads }))
  end)
  return rows * cols / seconds / threads / 1e9
end

local function tokens_of(count)
  local tokens = buffer.new("i32", count)
  for i = 0, count - 1 do tokens:set(i, i * 7 % 256) end
  return tokens
end

local function line(codec, path, count, threads, rate, ceiling)
  report.out(("%-6s %-6s %7d %8d %11.1f %8s %6s"):format(codec, path, count, threads, rate,
    ceiling and ("%.1f"):format(ceiling) or "", ceiling and ("%.0f %%"):format(100 * rate / ceiling)
    or ""))
end

local function measure(codec, ceiling)
  local weights, description, products = random_model.weights(config, codec)
  local fast = assert(forward.new(description, weights, { exact = false }))
  for _, count in ipairs { 512, 8, 1 } do
    local tokens = tokens_of(count)
    for threads = 1, sys.cores(), math.max(1, sys.cores() - 1) do
      local seconds = best(RUNS[count], threads, function() fast:logits(tokens, threads) end)
      line(codec, "int8", count, threads, products * count / seconds / threads / 1e9,
        count > 16 and ceiling or dot_rate(codec, threads))
    end
  end
  local exact = assert(forward.new(description, weights, { exact = true }))
  local tokens = tokens_of(512)
  local seconds = best(1, 1, function() exact:logits(tokens, 1) end)
  line(codec, "exact", 512, 1, products * 512 / seconds / 1e9)
end

local function print_codecs(codecs, program)
  local done = assert(process.run { argv = { assert(fs.realpath(program)) } })
  assert(done.status == 0, done.stderr)
  local band, read, chunks, steps = done.stdout:match "(%S+) (%S+) (%S+) (%S+)"
  report.out(("ceilings of a core: %s Gmac/s in cache, %s GB/s read"):format(band, read))
  report.out(("a head of Gated DeltaNet: %s tokens/s in chunks, %s one by one"):format(chunks,
    steps))
  report.out(("%-6s %-6s %7s %8s %11s %8s %6s"):format("codec", "path", "tokens", "threads",
    "Gmac/s/core", "ceiling", "ratio"))
  for _, codec in ipairs(codecs) do measure(codec, tonumber(band)) end
end

local arguments, codecs = { ... }, {}
local program = table.remove(arguments, 1)
for _, argument in ipairs(arguments) do
  if whole_model.shapes[argument] then
    whole_model.print(argument)
  else
    codecs[#codecs + 1] = argument
  end
end
if #arguments == 0 then codecs = { "t2", "b1", "t5", "q4" } end
if #codecs > 0 then print_codecs(codecs, program) end
return true
