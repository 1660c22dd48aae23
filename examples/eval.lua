-- What a text costs a model, byte by byte: build/bittern run examples/eval.lua [MODEL]
local buffer = require "core.buffer"

local load = require "bittern.eval.load"
local model = require "bittern.model"
local paths = require "bittern.paths"

local path = ... or paths.root() .. "/examples/models/tiny-qwen3"
local opened <close> = assert(model.open(path))
local runnable = assert(load.start(assert(load.read(opened)), { exact = true }))

local text <const> = "def main():\n    return 0\n"
local nll = assert(runnable:score(buffer.from_bytes(text, 1)))
for i = 0, #nll - 1 do
  local byte = text:sub(i + 2, i + 2):gsub("\n", "\\n")
  print(("%-2s %6.3f nats"):format(byte, nll:get(i)))
end
print(("mean %.3f nats a byte"):format(nll:sum() / #nll))
