-- What a fuzzer, and the spec of its corpus, do with the bytes of a file: read it, then touch all
-- that was understood. A reader gives a value, or nil, a message and an id of bittern.errors; it
-- raises nothing.
local archive = require "core.archive"
local map = require "core.map"

local archives = require "bittern.model.archive"
local check = require "bittern.check"
local errors = require "bittern.errors"
local gguf = require "bittern.model.gguf"
local packed = require "bittern.artifact.packed"
local safetensors = require "bittern.model.safetensors"
local zip = require "bittern.model.zip"

local M = {}

local LONGEST_MESSAGE <const> = 4096
local MOST_VALUES <const> = 1 << 20

local known = {}
for _, id in ipairs(errors.list()) do known[id] = true end

-- The world failed, and says so properly.
local function check_refusal(message, code)
  assert(type(message) == "string" and #message <= LONGEST_MESSAGE, "no message")
  assert(known[code], "not an error id: " .. tostring(code))
  return code
end

-- Every tensor lies inside of the file, and its bytes can be had.
local function touch(file, size)
  for _, tensor in ipairs(file.tensors) do
    local slice = assert(file:slice(tensor.name))
    assert(slice:size() == tensor.size and tensor.size <= size, "a tensor of another size")
    assert(archive.crc32(slice))
  end
  return "read"
end

-- A file of tensors with the face of a model.
local function model_of(file)
  return { path = "x", config = {}, metadata = file.metadata,
    names = check.sorted_keys(file.by_name),
    tensor = function(_, name)
      local t = file.by_name[name]
      if not t then return nil, "no tensor", "not_found" end
      return { name = name, dtype = t.dtype, shape = t.shape, size = t.size,
        slice = assert(file:slice(name)) }
    end }
end

-- What is packed decodes, or is refused; little of it, since a few codes may stand for much.
local function unpack_matrices(model)
  local found, message, code = packed.describe(model)
  if not found then return check_refusal(message, code) end
  for name, m in pairs(found.matrices) do
    if m.shape[1] * m.shape[2] <= MOST_VALUES then
      local ok, why, id = packed.try(model, name, m)
      if not ok then return check_refusal(why, id) end
    end
  end
  return next(found.matrices) and "unpacked" or "read"
end

function M.safetensors(bytes)
  local source <close> = map.of(bytes)
  local file, message, code = safetensors.open(source, "x")
  if not file then return check_refusal(message, code) end
  touch(file, #bytes)
  return unpack_matrices(model_of(file))
end

function M.gguf(bytes)
  local source <close> = map.of(bytes)
  local file, message, code = gguf.open(source, "x")
  if not file then return check_refusal(message, code) end
  return touch(file, #bytes)
end

local function count_into(counts)
  return function(_, size)
    counts.total = counts.total + size
    return true
  end
end

function M.zip(bytes)
  local source <close> = map.of(bytes)
  local opened, message, code = zip.read(source, "x")
  if not opened then return check_refusal(message, code) end
  local counts = { total = 0 }
  for _, entry in ipairs(opened.entries) do
    if entry.method == 0 then assert(opened:slice(entry.name):size() == entry.size) end
    local ok, why, id = opened:read(entry.name, count_into(counts))
    if not ok then return check_refusal(why, id) end
  end
  assert(counts.total == opened.size, "other sizes than the directory says")
  return "read"
end

function M.archive(bytes)
  local source <close> = map.of(bytes)
  local counts, open = { total = 0 }, false
  local entries, message, code = archives.read(source, "x", {
    open = function(name)
      assert(not open and name:sub(1, 1) ~= "/" and not ("/" .. name):find("/%.%./"))
      open = true
      return true
    end,
    piece = count_into(counts),
    close = function()
      open = false
      return true
    end,
  })
  if not entries then return check_refusal(message, code) end
  for _, entry in ipairs(entries) do counts.total = counts.total - entry.size end
  assert(counts.total == 0 and not open, "other sizes than the entries say")
  return "read"
end

return M
