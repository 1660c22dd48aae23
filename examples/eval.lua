-- What a text costs a model, byte by byte: build/bittern run examples/eval.lua [MODEL]
local buffer = require "core.buffer"
local forward = require "core.forward"

local huggingface = require "bittern.model.huggingface"
local model = require "bittern.model"
local packed = require "bittern.artifact.packed"
local paths = require "bittern.paths"

local path = ... or paths.root() .. "/examples/models/tiny-qwen3"
local opened <close> = assert(model.open(path))
local config = assert(huggingface.qwen3(opened.config, path))
local runnable = assert(forward.new(config, assert(packed.weights(opened))))

local text <const> = "def main():\n    return 0\n"
local nll = assert(runnable:score(buffer.from_bytes(text, 1)))
for i = 0, #nll - 1 do
  local byte = text:sub(i + 2, i + 2):gsub("\n", "\\n")
  print(("%-2s %6.3f nats"):format(byte, nll:get(i)))
end
print(("mean %.3f nats a byte"):format(nll:sum() / #nll))
