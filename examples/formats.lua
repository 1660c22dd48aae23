-- One model in three formats: build/bittern run examples/formats.lua FOLDER
local fs = require "core.fs"
local map = require "core.map"

local convert = require "bittern.convert"
local huggingface = require "bittern.model.huggingface"
local paths = require "bittern.paths"
local safetensors = require "bittern.model.safetensors"

local folder = assert(..., "which folder to write to? bittern run examples/formats.lua FOLDER")
local model <const> = paths.root() .. "/examples/models/tiny-qwen3"

local config = assert(huggingface.config(assert(fs.read(model .. "/config.json")), "config.json"))
print(config.model_type, config.num_hidden_layers .. " layers")

-- The header says where each tensor lies; its bytes are lent from the map.
local source <close> = assert(map.open(model .. "/model.safetensors"))
local file = assert(safetensors.open(source, "model.safetensors"))
local first = file.tensors[1]
print(("%d tensors, the first: %s %s of %d bytes at %d"):format(#file.tensors, first.dtype,
  first.name, first.size, first.offset))

for _, wanted in ipairs { { "model.gguf", "q8_0" }, { "half.safetensors", "f16" } } do
  local done = assert(convert.run { input = model, out = folder .. "/" .. wanted[1],
    to = wanted[2] })
  print(("%-18s %-12s %9d bytes of weights, %d matrices keep their type"):format(wanted[1],
    done.format, done.bytes, done.kept))
end
