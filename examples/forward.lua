-- A language model run on a text: build/bittern run examples/forward.lua
-- What it costs, what comes next, and how strongly the text excites a matrix.
local buffer = require "core.buffer"
local forward = require "core.forward"

local load = require "bittern.eval.load"
local model = require "bittern.model"
local paths = require "bittern.paths"
local tokenizer = require "bittern.tokenizer"

local opened <close> = assert(model.open(paths.root() .. "/examples/models/tiny-qwen3"))
local read = assert(load.read(opened))
local exact = assert(forward.new(read.description, read.weights, { exact = true }))
local rounded = assert(forward.new(read.description, read.weights))

local tokens = assert(tokenizer.bytes().encode "return len(list)\n")
print("nats a token", exact:score(tokens):sum() / (#tokens - 1), "exact")
print("            ", rounded:score(tokens):sum() / (#tokens - 1), "activations in eight bits")

-- What the model thinks comes next.
local logits = assert(exact:logits(tokens))
local vocab = #logits // #tokens
local best, most = nil, -math.huge
for id = 0, vocab - 1 do
  local value = logits:get((#tokens - 1) * vocab + id)
  if value > most then best, most = id, value end
end
print("likeliest next byte", ("%q"):format(string.char(best - 1)))

-- How strongly the text excites the inputs of a matrix: what an importance matrix is made of.
local name = "model.layers.0.mlp.down_proj.weight"
local squares = buffer.new("f64", opened:tensor(name).shape[2])
assert(exact:collect(tokens, { { weight = name, squares = squares } }))
local sum = 0
for i = 0, #squares - 1 do sum = sum + squares:get(i) end
print("mean square into " .. name, sum / #squares / #tokens)
