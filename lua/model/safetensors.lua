-- The safetensors format: every check of the reference reader, and duplicate names refused too.
--
--   bytes 0..7        N, little-endian: length of the header
--   bytes 8..8+N-1    JSON: name -> {dtype, shape, data_offsets = [begin, end)}, __metadata__
--   bytes 8+N..       the tensors one after the other, no holes; offsets count from here
local canonical = require "bittern.canonical"
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

local LARGEST_HEADER <const> = 100000000
local LARGEST_COUNT <const> = 1 << 53
local ALIGNMENT <const> = 64

-- Bits of an element.
local bits = {
  BOOL = 8, F4 = 4, F6_E2M3 = 6, F6_E3M2 = 6, U8 = 8, I8 = 8, F8_E5M2 = 8, F8_E4M3 = 8,
  F8_E8M0 = 8, F8_E4M3FNUZ = 8, F8_E5M2FNUZ = 8, I16 = 16, U16 = 16, F16 = 16, BF16 = 16,
  I32 = 32, U32 = 32, F32 = 32, C64 = 64, F64 = 64, I64 = 64, U64 = 64,
}

--- Bits of an element.
-- @param dtype string as in a header
-- @return integer, or nil for a type that is not known
function M.bits(dtype)
  return bits[dtype]
end

-- Complaints carry the file's name; inside, they are raised as tables and caught in M.open.
local function bad(code, format, ...)
  error({ format:format(...), code }, 0)
end

-- Names come from the file: they are shown short and without control characters.
local function shown(name)
  return (name:sub(1, 200):gsub("%c", "?"))
end

local function bad_tensor(code, name, format, ...)
  bad(code, "tensor '%s': %s", shown(name), format:format(...))
end

local function is_list(value)
  return type(value) == "table" and canonical.is_array(value)
end

local function is_count(value)
  return math.type(value) == "integer" and value >= 0
end

-- Number of elements; the product is tested before it is made, since a wrapped one could be 0.
local function elements(name, shape)
  local count = 1
  for _, size in ipairs(shape) do
    if not is_count(size) then
      bad_tensor("model_shape", name, "shape must be whole numbers from 0 on")
    end
    if size > 0 and count > LARGEST_COUNT // size then
      bad_tensor("model_shape", name, "shape overflows")
    end
    count = count * size
  end
  return count
end

-- Bytes of a tensor of this type and shape.
local function byte_size(name, dtype, shape)
  local count, width = elements(name, shape), bits[dtype]
  if count > LARGEST_COUNT // width then bad_tensor("model_shape", name, "shape overflows") end
  if count * width % 8 ~= 0 then bad_tensor("model_shape", name, "ends inside a byte") end
  return count * width // 8
end

local function check_types(name, entry)
  if type(entry) ~= "table" or is_list(entry) then
    bad_tensor("model_tensor", name, "must be an object")
  end
  if type(entry.dtype) ~= "string" then bad_tensor("model_tensor", name, "has no dtype") end
  if not bits[entry.dtype] then
    bad_tensor("model_dtype", name, "unknown dtype '%s'", shown(entry.dtype))
  end
  if not is_list(entry.shape) then bad_tensor("model_tensor", name, "has no shape") end
  local offsets = entry.data_offsets
  if not is_list(offsets) or #offsets ~= 2
    or not (is_count(offsets[1]) and is_count(offsets[2])) then
    bad_tensor("model_tensor", name, "data_offsets must be two whole numbers")
  end
end

local function read_entry(name, entry)
  check_types(name, entry)
  local first, last = entry.data_offsets[1], entry.data_offsets[2]
  if last < first then bad_tensor("model_tensor", name, "ends before it begins") end
  local size = byte_size(name, entry.dtype, entry.shape)
  if last - first ~= size then
    bad_tensor("model_shape", name, "has %d bytes, its shape and dtype need %d", last - first, size)
  end
  return { name = name, dtype = entry.dtype, shape = entry.shape, offset = first, size = size }
end

local function check_metadata(metadata)
  if type(metadata) ~= "table" or canonical.is_array(metadata) then
    bad("model_metadata", "__metadata__ must be an object")
  end
  for _, key in ipairs(check.sorted_keys(metadata)) do
    if type(metadata[key]) ~= "string" then
      bad("model_metadata", "__metadata__: '%s' must be a string", shown(key))
    end
  end
  return metadata
end

-- Tensors in the order of their bytes, each beginning where the one before ends.
local function place(tensors, data_size)
  table.sort(tensors, function(a, b)
    if a.offset ~= b.offset then return a.offset < b.offset end
    if a.size ~= b.size then return a.size < b.size end
    return a.name < b.name
  end)
  local at = 0
  for _, tensor in ipairs(tensors) do
    if tensor.offset < at then
      bad_tensor("model_overlap", tensor.name, "overlaps the tensor before it")
    end
    if tensor.offset > at then
      bad_tensor("model_overlap", tensor.name, "a hole of %d bytes before it", tensor.offset - at)
    end
    at = tensor.offset + tensor.size
  end
  if at > data_size then
    bad("model_truncated", "truncated: tensors need %d bytes, %d are there", at, data_size)
  end
  if at < data_size then bad("model_trailing", "%d bytes after the last tensor", data_size - at) end
end

local function read_header(source)
  local size = source:size()
  if size < 8 then
    bad("model_truncated", "truncated: %d bytes are too few for a header", size)
  end
  local length = string.unpack("<I8", source:read(0, 8))
  if length < 0 or length > LARGEST_HEADER then
    bad("model_header", "its header is larger than %d bytes", LARGEST_HEADER)
  end
  if length > size - 8 then
    bad("model_truncated", "truncated: a header of %d bytes, %d are there", length, size - 8)
  end
  return source:read(8, length), 8 + length
end

local function parse(source)
  local text, data_offset = read_header(source)
  if not utf8.len(text) then bad("model_header", "its header is not valid UTF-8") end
  local header, message = canonical.decode(text)
  if header == nil then bad("model_header", "its header: %s", message) end
  if type(header) ~= "table" or canonical.is_array(header) then
    bad("model_header", "its header must be an object")
  end
  local file = { tensors = {}, by_name = {}, metadata = {}, data_offset = data_offset }
  for _, name in ipairs(check.sorted_keys(header)) do
    if name == "__metadata__" then
      file.metadata = check_metadata(header[name])
    else
      file.by_name[name] = read_entry(name, header[name])
      table.insert(file.tensors, file.by_name[name])
    end
  end
  place(file.tensors, source:size() - data_offset)
  return file
end

local File = {}
File.__index = File
File.__name = "safetensors file"

--- Reads the header of a safetensors file.
-- @param source map or slice of the whole file; the result is good as long as it is open
-- @param name string, what to call the file in messages
-- @return file with tensors = array in the order of their bytes of {name, dtype, shape, offset,
--   size}, by_name, metadata, data_offset; or nil, message, "model_..."
function M.open(source, name)
  local ok, file = pcall(parse, source)
  if ok then
    file.source, file.name = source, name
    return setmetatable(file, File)
  end
  if type(file) ~= "table" then error(file, 0) end
  return nil, ("%s: %s"):format(name, file[1]), file[2]
end

--- The bytes of a tensor, not a copy.
-- @param name string
-- @return slice, or nil, message, "not_found"
function File:slice(name)
  local tensor = self.by_name[name]
  if not tensor then
    return nil, ("%s: no tensor '%s'"):format(self.name, name), "not_found"
  end
  return self.source:slice(self.data_offset + tensor.offset, tensor.size)
end

-- The reference writer's order: wide elements first, so that each tensor is aligned for its type.
local function sorted(entries)
  local list = table.move(entries, 1, #entries, 1, {})
  table.sort(list, function(a, b)
    if bits[a.dtype] ~= bits[b.dtype] then return bits[a.dtype] > bits[b.dtype] end
    return a.name < b.name
  end)
  return list
end

local function lay(entries)
  local header, placed, at = {}, {}, 0
  for i, entry in ipairs(entries) do
    if not bits[entry.dtype] then
      bad_tensor("model_dtype", entry.name, "unknown dtype '%s'", entry.dtype)
    end
    if header[entry.name] then bad_tensor("model_tensor", entry.name, "is there twice") end
    local size = byte_size(entry.name, entry.dtype, entry.shape)
    header[entry.name] = {
      dtype = entry.dtype, shape = json.array(table.move(entry.shape, 1, #entry.shape, 1, {})),
      data_offsets = json.array { at, at + size },
    }
    placed[i] = { name = entry.name, offset = at, size = size }
    at = at + size
  end
  return header, placed, at
end

--- The header of a file to be written, padded so that the data begins 64-byte aligned.
-- @param entries array of {name, dtype, shape}
-- @param metadata {string = string} or nil
-- @param options {order = "given"} keeps the order of `entries`; else wide elements come first,
--   then names decide
-- @return string, array of {name, offset, size} in the order the data must follow, bytes of data
-- @usage local text, order = safetensors.header({{name = "w", dtype = "F32", shape = {2}}}, {})
function M.header(entries, metadata, options)
  options = check.options(options, { order = { type = "string", optional = true } },
    "safetensors.header")
  local list = options.order == "given" and entries or sorted(entries)
  local ok, header, placed, total = pcall(lay, list)
  if not ok then error(type(header) == "table" and header[1] or header, 2) end
  if metadata and next(metadata) then header.__metadata__ = metadata end
  local text = assert(json.encode(header))
  text = text .. (" "):rep(-(8 + #text) % ALIGNMENT)
  return string.pack("<I8", #text) .. text, placed, total
end

return M
