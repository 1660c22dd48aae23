-- Importance matrices in llama.cpp's GGUF form: for each weight matrix, how strongly a text excites
-- its inputs, as sums of squared activations and how many went into them.
local buffer = require "core.buffer"
local map = require "core.map"

local check = require "bittern.check"
local gguf = require "bittern.model.gguf"
local naming = require "bittern.model.naming"

local M = {}

local SUMS <const>, COUNTS <const> = ".in_sum2", ".counts"

local function bad(file, format, ...)
  return nil, file.name .. ": " .. format:format(...), "model_tensor"
end

local function floats(file, tensor)
  if tensor.dtype ~= "F32" then
    return bad(file, "tensor '%s' is %s, not F32", tensor.name, tensor.dtype)
  end
  local slice, message, code = file:slice(tensor.name)
  return slice and buffer.from("f32", slice), message, code
end

-- Sums [matrices, columns] and counts [matrices] of one weight.
local function read_one(file, name)
  local sums, counts = file.by_name[name .. SUMS], file.by_name[name .. COUNTS]
  if not sums or not counts then
    return bad(file, "'%s' lacks its %s", name, sums and "counts" or "sums")
  end
  local cols = sums.shape[#sums.shape] or 1
  if cols == 0 or counts.count == 0 or sums.count ~= counts.count * cols then
    return bad(file, "'%s': %d sums in rows of %d do not go with %d counts", name, sums.count,
      cols, counts.count)
  end
  local squares, message, code = floats(file, sums)
  if not squares then return nil, message, code end
  local number, why, id = floats(file, counts)
  if not number then return nil, why, id end
  return { sums = squares, counts = number, columns = cols, matrices = counts.count }
end

local function names_of(file)
  local names = {}
  for _, tensor in ipairs(file.tensors) do
    local name = tensor.name:match("^(.+)%.in_sum2$") or tensor.name:match("^(.+)%.counts$")
    if not name then return bad(file, "tensor '%s' is neither sums nor counts", tensor.name) end
    names[name] = true
  end
  return check.sorted_keys(names)
end

local Imatrix = {}
Imatrix.__index = Imatrix
Imatrix.__name = "importance matrix"

local function read(file)
  local kind = file.metadata["general.type"]
  if kind ~= "imatrix" then
    return nil, ("%s: not an importance matrix: general.type is %s"):format(file.name,
      type(kind) == "string" and "'" .. kind .. "'" or "missing"), "unsupported"
  end
  local names, message, code = names_of(file)
  if not names then return nil, message, code end
  local self = { names = names, weights = {}, chunk_count = file.metadata["imatrix.chunk_count"],
    chunk_size = file.metadata["imatrix.chunk_size"], datasets = {} }
  local datasets = file.metadata["imatrix.datasets"]
  if gguf.is_array(datasets) then self.datasets = datasets:values() end
  for _, name in ipairs(names) do
    local one, why, id = read_one(file, name)
    if not one then return nil, why, id end
    self.weights[name] = one
  end
  return setmetatable(self, Imatrix)
end

--- Reads an importance matrix.
-- @param path string
-- @return {names = sorted array, weights = {name = {sums = f32 buffer [matrices, columns], counts =
--   f32 buffer [matrices], columns, matrices}}, datasets, chunk_count, chunk_size}; or nil,
--   message, code
-- @usage local importance = assert(imatrix.read("imatrix.gguf"))
function M.read(path)
  local source <close>, message, code = map.open(path)
  if not source then return nil, message, code end
  local file, why, id = gguf.open(source, path)
  if not file then return nil, why, id end
  return read(file)
end

--- What is known of a weight.
-- @param name as GGUF or Hugging Face has it
-- @return {sums, counts, columns, matrices}, or nil
function Imatrix:of(name)
  return self.weights[name] or self.weights[naming.to_gguf(name) or ""]
end

return M
