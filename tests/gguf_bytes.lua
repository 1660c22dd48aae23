-- GGUF files by hand, byte by byte and without the writer: for files that no writer would make.
local M = {}

M.U8, M.I8, M.U16, M.I16, M.U32, M.I32, M.F32, M.BOOL, M.STRING, M.ARRAY, M.U64, M.I64, M.F64 =
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12

--- A string with its length.
function M.text(text)
  return string.pack("<s8", text)
end

--- One metadata entry; the value as raw bytes.
function M.entry(key, id, bytes)
  return string.pack("<s8i4", key, id) .. bytes
end

--- One tensor's description; sizes with the fastest first, as the file has them.
function M.tensor(name, sizes, id, offset, rank)
  local parts = { string.pack("<s8I4", name, rank or #sizes) }
  for _, size in ipairs(sizes) do parts[#parts + 1] = string.pack("<i8", size) end
  parts[#parts + 1] = string.pack("<i4i8", id, offset)
  return table.concat(parts)
end

--- A file.
-- @param parts {entries = array, tensors = array, data = bytes, version = 3, alignment = 32, count
--   of entries and tensors where they shall differ, magic}
function M.file(parts)
  local entries, tensors = parts.entries or {}, parts.tensors or {}
  local head = (parts.magic or "GGUF") .. string.pack("<I4i8i8", parts.version or 3,
    parts.tensor_count or #tensors, parts.entry_count or #entries)
    .. table.concat(entries) .. table.concat(tensors)
  if parts.data then head = head .. ("\0"):rep(-#head % (parts.alignment or 32)) .. parts.data end
  return head
end

return M
