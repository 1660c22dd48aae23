-- Texts as tokens: build/bittern run examples/tokens.lua
local buffer = require "core.buffer"
local core = require "core.tokenizer"

local tokenizer = require "bittern.tokenizer"

local function list(tokens)
  local ids = {}
  for i = 0, #tokens - 1 do ids[#ids + 1] = ("%d"):format(tokens:get(i)) end
  return table.concat(ids, " ")
end

-- The byte tokenizer of small models: a byte and one more.
local bytes = tokenizer.bytes()
print(bytes.size, list(assert(bytes.encode "bit")))

-- Byte pairs by hand: "a" "b" become "ab" (256), then "ab" "ab" become "abab" (257).
local ids, merges = buffer.new("i32", 256), buffer.new("i32", 6)
for i = 0, 255 do ids:set(i, i) end
for i, value in ipairs { 97, 98, 256, 256, 256, 257 } do merges:set(i - 1, value) end
local pairs_of <close> = assert(core.new { bytes = ids, merges = merges, patterns = { "\\w+|\\s+" },
  added = { { text = "<end>", id = 300 } } })
print(list(assert(pairs_of:encode "ababab ab<end>")))

-- One letter, however it was typed.
assert(core.nfc "e\u{301}" == "\u{e9}")
