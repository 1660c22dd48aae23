-- What a file is, told by its first bytes. Its name counts only when they say nothing, so that a
-- damaged file is judged by the reader that its owner expects.
local map = require "core.map"

local archives = require "bittern.model.archive.kind"

local M = {}

local LARGEST_HEADER <const> = 100000000

-- A safetensors file begins with the length of its header, and that with an object.
local function is_safetensors(head, size)
  if #head < 9 then return false end
  local length = string.unpack("<i8", head)
  if length < 2 or length > LARGEST_HEADER or length > size - 8 then return false end
  return head:find("^[ \t\r\n]*{", 9) ~= nil
end

--- The format of a file.
-- @param path string
-- @return "gguf", "safetensors" or "archive" (all else); or nil, message, code
function M.of(path)
  local mapped <close>, message, code = map.open(path)
  if not mapped then return nil, message, code end
  local head = mapped:read(0, math.min(64, mapped:size()))
  if head:sub(1, 4) == "GGUF" then return "gguf" end
  if is_safetensors(head, mapped:size()) then return "safetensors" end
  if archives.of(mapped) then return "archive" end
  return path:match("%.(gguf)$") or path:match("%.(safetensors)$") or "archive"
end

return M
