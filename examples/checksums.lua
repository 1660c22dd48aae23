-- Checksums and deflate, whole buffers at a time: build/bittern run examples/checksums.lua
local archive = require "core.archive"
local sha256 = require "core.sha256"

local text <const> = ("the same line, over and over\n"):rep(100)
print(("SHA-256 %s"):format(sha256.hex(text)))

-- The CRC of a stream is that of its pieces, each given the one before.
local half <const> = #text // 2
local first = archive.crc32(text:sub(1, half))
local whole = archive.crc32(text:sub(half + 1), first)
assert(whole == archive.crc32(text))
print(("CRC-32  %08x"):format(whole))

local packed = archive.deflate(text, 9)
local back = assert(archive.inflate(packed, #text))
assert(back:text() == text)
print(("%d bytes deflate to %d"):format(#text, #packed))

-- Damage is a result, not an error: nil, what happened, its id.
print(archive.inflate(packed:sub(1, 20), #text))
