-- What kind of archive a file is, told by its bytes and never by its name, in the order of the
-- validators: zip, then tar (contract.md 6.1).
local zip = require "bittern.model.zip"

local M = {}

local BLOCK <const> = 512
local VALIDATORS <const> = "validators say: submission artifact must be a Hugging Face model "
  .. "directory, .zip, or tar archive"

local filters = { { "\x1F\x8B", "gzip" }, { "BZh", "bzip2" }, { "\xFD7zXZ\0", "xz" } }

-- What people have taken for an archive, in words.
local others = {
  { "GGUF", "a GGUF file" }, { "7z\xBC\xAF\x27\x1C", "a 7z archive" }, { "Rar!", "a RAR archive" },
  { "\x28\xB5\x2F\xFD", "a zstd stream" }, { "\x04\x22\x4D\x18", "an lz4 stream" },
  { "\x80\x02", "a pickle" }, { "{", "JSON" }, { "<", "a web page" },
}

local function begins(head, magic)
  return head:sub(1, #magic) == magic
end

-- A header block, 512 bytes:
--   0 100 name   100 24 mode, user, group   124 12 size   136 12 time   148 8 checksum, octal: the
--   sum of all bytes, its own field taken as spaces   156 1 type   ...   257 5 "ustar"
local function is_header(block)
  if #block < BLOCK then return false end
  local said = tonumber(block:sub(149, 156):match("^ *([0-7]+)") or "", 8)
  local sum = 8 * 32
  for _, part in ipairs { block:sub(1, 148), block:sub(157) } do
    for i = 1, #part do sum = sum + part:byte(i) end
  end
  return said == sum
end

local function in_words(head, size)
  for _, other in ipairs(others) do
    if begins(head, other[1]) then return other[2] end
  end
  local is_safetensors = #head >= 9 and string.unpack("<i8", head) < size and head:byte(9) == 0x7B
  return is_safetensors and "a safetensors file" or "no archive"
end

--- The kind of an archive.
-- @param source map of the file
-- @return "zip"; or "tar", its filter ("none", "gzip", "bzip2", "xz"); or nil, message,
--   "archive_format" or "archive_truncated"
function M.of(source)
  local size = source:size()
  local head = source:read(0, math.min(size, BLOCK))
  if zip.find_mark(source) or begins(head, "PK\3\4") then return "zip" end
  for _, filter in ipairs(filters) do
    if begins(head, filter[1]) then return "tar", filter[2] end
  end
  if is_header(head) then return "tar", "none" end
  return nil, ("is %s; %s"):format(in_words(head, size), VALIDATORS), "archive_format"
end

return M
