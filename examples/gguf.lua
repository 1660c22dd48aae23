#!/usr/bin/env -S bittern run
-- Writes a GGUF file with one tensor in two codecs, reads it back, and lists what it holds.
-- Run it: bittern run examples/gguf.lua /tmp/example.gguf
local buffer = require "core.buffer"
local map = require "core.map"
local quant = require "core.quant"

local gguf = require "bittern.model.gguf"
local report = require "bittern.report"
local writer = require "bittern.model.gguf.writer"

local path = ...
if not path then return nil, "which file to write? bittern run examples/gguf.lua FILE", "usage" end

local weights = buffer.new("f32", 2 * 64)
for i = 0, #weights - 1 do weights:set(i, math.sin(i)) end
local packed = assert(quant.encode_blocks("q4_0", weights, 64))

local entries = {
  { key = "general.architecture", type = "string", value = "example" },
  { key = "example.words", type = "array", element = "string", value = { "heron", "bittern" } },
}
local tensors = {
  { name = "waves.whole", dtype = "F32", shape = { 2, 64 } },
  { name = "waves.packed", dtype = "q4_0", shape = { 2, 64 } },
}
local out <close> = assert(writer.create(path, entries, tensors))
assert(out:put("waves.packed", packed, packed:bytes_size()))
assert(out:put("waves.whole", weights, weights:bytes_size()))
report.out(("%s: %d bytes"):format(path, assert(out:commit())))

local source <close> = assert(map.open(path))
local file = assert(gguf.open(source, path))
for _, entry in ipairs(file.entries) do
  local value = gguf.is_array(entry.value) and table.concat(entry.value:values(), ", ")
    or entry.value
  report.out(("%s = %s"):format(entry.key, value))
end
for _, tensor in ipairs(file.tensors) do
  report.out(("%-13s %-5s %4d bytes at %d"):format(tensor.name, tensor.dtype, tensor.size,
    file.data_offset + tensor.offset))
end
local values = assert(quant.decode_blocks("q4_0", file:slice("waves.packed"), 128))
report.out(("sin(1) = %.4f, packed %.4f"):format(weights:get(1), values:get(1)))
return true
