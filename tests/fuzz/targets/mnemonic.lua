-- Mnemonics against a slow reader: words to bits as text, and their checksum by core.sha256.
local fs = require "core.fs"
local keybox = require "core.keybox"
local sha256 = require "core.sha256"
local sr25519 = require "core.sr25519"

local outcome = require "tests.fuzz.outcome"
local paths = require "bittern.paths"

local BITS <const> = 11

local number_of, words_of = {}, {}
for word in assert(fs.read(paths.root() .. "/core/bip39_words.h")):gmatch('"(%l+)"') do
  words_of[#words_of + 1] = word
  number_of[word] = #words_of - 1
end
assert(#words_of == 2048)

local function bits_of(number, count)
  local bits = {}
  for i = count - 1, 0, -1 do bits[#bits + 1] = number >> i & 1 end
  return table.concat(bits)
end

local function is_mnemonic(text)
  local bits, count = "", 0
  for word in text:lower():gmatch("%S+") do
    if not number_of[word] then return false end
    bits, count = bits .. bits_of(number_of[word], BITS), count + 1
    if count > 24 then return false end
  end
  if count < 12 or count % 3 ~= 0 then return false end
  local entropy = bits:sub(1, count * BITS * 32 // 33):gsub(("%d"):rep(8), function(byte)
    return string.char(tonumber(byte, 2))
  end)
  local first = tonumber(sha256.hex(entropy):sub(1, 2), 16)
  return bits:sub(-count // 3) == bits_of(first, 8):sub(1, count // 3)
end

-- Bytes as words, so that inputs become long enough: two bytes choose one.
local function spell(bytes)
  local words = {}
  for high, low in bytes:sub(2):gmatch("(.)(.)") do
    words[#words + 1] = words_of[(high:byte() << 8 | low:byte()) % 2048 + 1]
  end
  return table.concat(words, " ")
end

return function(bytes)
  local text = bytes:sub(1, 1) == "#" and spell(bytes) or bytes
  local ok, message, code = sr25519.check_mnemonic(text)
  assert((ok or false) == is_mnemonic(text), "the slow reader does not agree")
  local secret <close> = keybox.join { text }
  assert(sr25519.check_mnemonic(secret) == ok)
  if not ok then return outcome.refused(message, code) end
  return "read"
end
