-- `bittern eval` of whole models of random weights, made on the spot: seconds, tokens a second and
-- how much memory the program takes beside the weights it maps.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local json = require "bittern.json"
local random_model = require "tests.bench.random_model"
local report = require "bittern.report"
local support = require "tests.support"

local M = {}

local kinds = {}
for i = 1, 64 do kinds[i] = i % 4 == 0 and "full_attention" or "linear_attention" end

--- Shapes by name: {config, rescue = share of rows at q4, documents of `tokens`}.
M.shapes = {
  ["1.7b"] = { documents = 16, tokens = 512, rescue = 0, config = {
    model_type = "qwen3", hidden_size = 2048, intermediate_size = 6144, num_hidden_layers = 28,
    num_attention_heads = 16, num_key_value_heads = 8, head_dim = 128, vocab_size = 151936,
    tie_word_embeddings = true,
  } },
  ["27b"] = { documents = 1, tokens = 64, rescue = 3 / 32, config = {
    model_type = "qwen3_5_text", hidden_size = 5120, intermediate_size = 17408,
    num_hidden_layers = 64, layer_types = json.array(kinds), num_attention_heads = 24,
    num_key_value_heads = 4, head_dim = 256, linear_num_key_heads = 16, linear_key_head_dim = 128,
    linear_num_value_heads = 48, linear_value_head_dim = 128, linear_conv_kernel_dim = 4,
    vocab_size = 248320, tie_word_embeddings = false, rope_parameters = { rope_theta = 1e7,
      rope_type = "default", partial_rotary_factor = 0.25 },
  } },
}

local function letters(count)
  local out, state = {}, 1
  for i = 1, count do
    state = state * 1103515245 + 12345 & 0x7FFFFFFF
    out[i] = string.char(97 + (state >> 16) % 26)
  end
  return table.concat(out)
end

-- Seconds of all processors that the shell's children had, the last line of its `times`.
local function processor_seconds(text)
  local user, system = text:match "(%d+m[%d.]+)s (%d+m[%d.]+)s%s*$"
  local function seconds(time)
    local minutes, rest = time:match "(%d+)m([%d.]+)"
    return minutes * 60 + rest
  end
  return seconds(user) + seconds(system)
end

--- Runs `bittern eval` on a model of that shape.
-- @param shape {config, rescue, documents, tokens}
-- @param folder where the model is written
-- @return {bytes = of the weights, seconds, processor = seconds of all cores together, tokens,
--   peak = bytes of memory}
function M.score(shape, folder)
  local bytes = random_model.write(folder, shape.config, "t2", shape.rescue)
  local tokens = shape.documents * shape.tokens
  assert(fs.write(folder .. "/text", letters(tokens)))
  local started = sys.clock()
  local done = assert(process.run { timeout = 3600, env = support.environment(folder), argv = {
    "sh", "-c", '"$@"; status=$?; times >&2; exit $status', "sh",
    support.bin, "--json", "eval", folder, "--text", folder .. "/text", "--tokenizer", "bytes",
    "--max-tokens", ("%d"):format(shape.tokens), "--no-cache" } })
  local seconds = sys.clock() - started
  assert(done.status == 0, done.stderr)
  assert(json.decode(done.stdout).scored_docs == shape.documents)
  return { bytes = bytes, tokens = tokens, seconds = seconds, peak = done.peak_memory,
    processor = processor_seconds(done.stderr) }
end

--- Runs one and prints it; the model is gone with the program.
function M.print(name)
  local shape = M.shapes[name]
  local found = M.score(shape, support.folder())
  report.out(("%-5s %5.2f GB %7.1f s, %7.1f of all cores; %7.1f tokens/s; peak memory %5.2f GB")
    :format(name, found.bytes / 1e9, found.seconds, found.processor, found.tokens / found.seconds,
    found.peak / 1e9))
end

return M
