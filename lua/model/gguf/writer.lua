-- Writing GGUF files. The same content gives the same bytes.
local metadata = require "bittern.model.gguf.metadata"
local placed_file = require "bittern.model.placed"
local types = require "bittern.model.gguf.types"
local values = require "bittern.model.gguf.values"

local M = {}

local VERSION <const> = 3
local LARGEST <const> = 1 << 53

local function fault(name, format, ...)
  error(("tensor '%s': %s"):format(name, format:format(...)), 0)
end

-- Refuses what a reader would refuse.
local function place(tensor, seen, at)
  local name, shape = tensor.name, tensor.shape
  if #name == 0 or #name > types.LONGEST_NAME then
    fault(name, "a name has 1 to %d bytes", types.LONGEST_NAME)
  end
  if seen[name] then fault(name, "is there twice") end
  if #shape > types.MOST_DIMENSIONS then
    fault(name, "more than %d dimensions", types.MOST_DIMENSIONS)
  end
  local kind = types.of_dtype(tensor.dtype)
  if not kind then fault(name, "GGUF has no %s", tensor.dtype) end
  local size, message = types.size(kind, shape, LARGEST)
  if not size then fault(name, "%s", message) end
  seen[name] = true
  return { name = name, id = kind.id, size = size, offset = at }
end

-- Sizes go from the fastest to the slowest.
local function describe(tensor, placed)
  local parts = { string.pack("<s8I4", tensor.name, #tensor.shape) }
  for i = #tensor.shape, 1, -1 do parts[#parts + 1] = string.pack("<i8", tensor.shape[i]) end
  parts[#parts + 1] = string.pack("<i4i8", placed.id, placed.offset)
  return table.concat(parts)
end

local function lay(entries, tensors)
  local alignment, placed, infos, seen, at = metadata.alignment(entries), {}, {}, {}, 0
  for i, tensor in ipairs(tensors) do
    placed[i] = place(tensor, seen, at)
    infos[i] = describe(tensor, placed[i])
    at = at + placed[i].size
    at = at + -at % alignment
  end
  local head = string.pack("<c4I4i8i8", "GGUF", VERSION, #tensors, #entries)
    .. values.write(entries) .. table.concat(infos)
  return head .. ("\0"):rep(-#head % alignment), placed, at
end

--- The header of a file, padded up to its data. Raises for what no reader takes.
-- @param entries array of {key, type, value}, and `element` for arrays
-- @param tensors array of {name, dtype, shape}, in the order of their bytes
-- @return string, array of {name, offset, size} behind the header, bytes of data with padding
function M.header(entries, tensors)
  local ok, text, placed, total = pcall(lay, entries, tensors)
  if ok then return text, placed, total end
  error(type(text) == "table" and text.message or text, 2)
end

--- Begins a file.
-- @param path string; nothing is there before commit
-- @param entries, tensors as M.header
-- @return file to put tensors into and to commit (bittern.model.placed), or nil, message, code
-- @usage local w <close> = assert(writer.create("model.gguf", entries, tensors))
function M.create(path, entries, tensors)
  local header, placed, total = M.header(entries, tensors)
  return placed_file.create(path, header, placed, total)
end

return M
