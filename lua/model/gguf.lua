-- Reading GGUF files, versions 2 and 3. Nothing in them is believed: counts and lengths are held
-- against the bytes that are left, and a tensor's type against the room that it takes.
--
--   "GGUF", u32 version, i64 tensors, i64 metadata entries
--   entries     key, i32 value type, value
--   tensors     name, u32 rank, i64 sizes (the fastest first), i32 type, u64 offset
--   data        from the next aligned byte on; each tensor padded to the alignment
local cursors = require "bittern.model.gguf.cursor"
local metadata = require "bittern.model.gguf.metadata"
local types = require "bittern.model.gguf.types"

local M = {}

local fail = cursors.fail

local MOST_TENSORS <const> = 1 << 17
local LONGEST_NAME <const> = types.LONGEST_NAME
local MOST_DIMENSIONS <const> = types.MOST_DIMENSIONS
local SMALLEST_TENSOR <const> = 8 + 1 + 4 + 4 + 8
local LARGEST <const> = 1 << 53

local function fail_tensor(code, name, format, ...)
  fail(code, "tensor '%s': %s", name, format:format(...))
end

local function read_version(cursor)
  if cursor:left() < 4 or cursor.source:read(0, 4) ~= "GGUF" then
    fail("model_header", "not a GGUF file")
  end
  cursor:skip(4, "its mark")
  local version = cursor:unpack("<I4", 4, "a version")
  if version ~= 0 and version & 0xFFFF == 0 then
    fail("gguf_endian", "its bytes are in big-endian order, which is not supported")
  end
  if version == 1 then
    fail("gguf_version", "GGUF version 1, which is no longer read; make it anew with llama.cpp")
  end
  if version ~= 2 and version ~= 3 then
    fail("gguf_version", "GGUF version %d; 2 and 3 are read", version)
  end
  return version
end

local function read_name(cursor, by_name)
  local name = cursor:text(LONGEST_NAME, "a tensor's name")
  if name == "" then fail("model_tensor", "a tensor without a name at byte %d", cursor.at) end
  if not cursors.is_plain(name) then
    fail("model_tensor", "a tensor's name at byte %d is no plain text", cursor.at - #name)
  end
  if by_name[name] then fail("model_tensor", "tensor '%s' is there twice", name) end
  return name
end

-- Sizes in PyTorch's order, the slowest first.
local function read_shape(cursor, name)
  local rank = cursor:unpack("<I4", 4, "a rank")
  if rank > MOST_DIMENSIONS then
    fail_tensor("model_shape", name, "%d dimensions, more than %d", rank, MOST_DIMENSIONS)
  end
  local shape = {}
  for i = rank, 1, -1 do
    shape[i] = cursor:unpack("<i8", 8, "a size")
    if shape[i] < 0 then fail_tensor("model_shape", name, "a negative size") end
  end
  return shape
end

local function read_tensor(cursor, by_name)
  local name = read_name(cursor, by_name)
  local shape = read_shape(cursor, name)
  local id = cursor:unpack("<I4", 4, "a type")
  local kind, unknown = types.of_id(id)
  if not kind then fail_tensor("model_dtype", name, "%s", unknown) end
  local size, count = types.size(kind, shape, LARGEST)
  if not size then fail_tensor("model_shape", name, "%s", count) end
  return {
    name = name, dtype = kind.dtype, shape = shape, size = size, count = count,
    offset = cursor:unpack("<i8", 8, "an offset"),
  }
end

local function read_tensors(cursor, count)
  if count < 0 or count > MOST_TENSORS then
    fail("model_limit", "%s tensors, more than %d",
      count < 0 and "2^63 or more" or ("%d"):format(count), MOST_TENSORS)
  end
  if count > cursor:left() // SMALLEST_TENSOR then
    fail("model_truncated", "truncated: %d tensors, %d bytes are left", count, cursor:left())
  end
  local tensors, by_name = {}, {}
  for i = 1, count do
    local tensor = read_tensor(cursor, by_name)
    tensors[i], by_name[tensor.name] = tensor, tensor
  end
  return tensors, by_name
end

local function padded(size, alignment)
  return size + -size % alignment
end

-- Forks number types differently, so a wrong place may mean a wrong type.
local function doubt(tensor)
  return tensor and (" (the one before is %s by its type's id; forks of llama.cpp number types "
    .. "differently)"):format(tensor.dtype) or ""
end

-- Each tensor begins where the padded one before it ends.
local function check_places(tensors, alignment)
  local at = 0
  for i, tensor in ipairs(tensors) do
    if tensor.offset ~= at then
      fail_tensor("model_overlap", tensor.name, "lies at %s, not at %d%s",
        tensor.offset < 0 and "2^63 or more" or ("%d"):format(tensor.offset), at,
        doubt(tensors[i - 1]))
    end
    if tensor.size > LARGEST - alignment - at then
      fail_tensor("model_shape", tensor.name, "all tensors together overflow")
    end
    at = padded(at + tensor.size, alignment)
  end
  return at
end

-- The data ends with the file; the last padding may be missing.
local function check_end(file, cursor)
  local last = file.tensors[#file.tensors]
  local padded_end = check_places(file.tensors, file.alignment)
  file.data_offset = padded(cursor.at, file.alignment)
  local ends = last and file.data_offset + last.offset + last.size or cursor.at
  if ends > cursor.size then
    fail("model_truncated", "truncated: its tensors end at byte %d, it has %d", ends, cursor.size)
  end
  if cursor.size > file.data_offset + padded_end then
    fail("model_trailing", "%d bytes after the last tensor%s",
      cursor.size - file.data_offset - padded_end, doubt(last))
  end
end

local function parse(source)
  local cursor = cursors.new(source)
  local file = { source = source, version = read_version(cursor) }
  local tensors = cursor:unpack("<i8", 8, "a count of tensors")
  local entries = cursor:unpack("<i8", 8, "a count of metadata entries")
  file.entries, file.metadata = metadata.read(cursor, entries)
  file.alignment = metadata.alignment(file.entries)
  file.tensors, file.by_name = read_tensors(cursor, tensors)
  check_end(file, cursor)
  return file
end

local File = {}
File.__index = File
File.__name = "gguf file"

--- Reads the header of a GGUF file.
-- @param source map or slice of the whole file; the result is good as long as it is open
-- @param name string, what to call the file in messages
-- @return file with version, alignment, entries = array of {key, type, value}, metadata = {key =
--   value}, tensors = array in the order of their bytes of {name, dtype, shape, count, size,
--   offset}, by_name, data_offset; or nil, message, code
-- @usage local file = assert(gguf.open(assert(map.open("model.gguf")), "model.gguf"))
function M.open(source, name)
  local ok, file = pcall(parse, source)
  if ok then
    file.name = name
    return setmetatable(file, File)
  end
  if type(file) ~= "table" then error(file, 0) end
  return nil, ("%s: %s"):format(name, file.message), file.code
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

M.is_array = metadata.is_array

return M
