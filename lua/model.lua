-- One face for models on disk: a Hugging Face directory, an archive of one, a GGUF file (or its
-- shards), or a safetensors file alone.
local fs = require "core.fs"
local quant = require "core.quant"

local archives = require "bittern.model.archive"
local check = require "bittern.check"
local formats = require "bittern.model.format"
local gguf_shards = require "bittern.model.gguf.shards"
local huggingface = require "bittern.model.huggingface"
local naming = require "bittern.model.naming"
local places = require "bittern.model.places"
local safetensors = require "bittern.model.safetensors"

local M = {}

local CONFIG <const> = "config.json"
local WEIGHTS <const> = "model.safetensors"
local INDEX <const> = "model.safetensors.index.json"

local Model = {}
Model.__index = Model
Model.__name = "model"

local function bad(self, format, ...)
  return nil, self.path .. ": " .. format:format(...), "invalid_model"
end

-- Reads one safetensors file and notes where its tensors are. With an index, the file must hold
-- exactly the tensors that the index places there.
local function add_weights(self, file, index)
  local source, message, code = self.folder.source(file)
  if not source then return nil, message, code end
  local weights, why, id = safetensors.open(source, self.path .. "/" .. file)
  if not weights then return nil, why, id end
  for _, tensor in ipairs(weights.tensors) do
    if index and index[tensor.name] ~= file then
      return bad(self, "%s holds '%s', which the index does not place there", file, tensor.name)
    end
    self.weights[tensor.name] = weights
  end
  self.metadata = self.metadata or weights.metadata
  return true
end

-- A shard that the index does not name is left over from something: nobody knows which is right.
local function check_extra(self, files)
  local named = {}
  for _, file in ipairs(files) do named[file] = true end
  for _, file in ipairs(self.folder.list()) do
    if file:find("%-%d+%-of%-%d+%.safetensors$") and not named[file] then
      return bad(self, "holds %s, which the index does not name", file)
    end
  end
  return true
end

local function add_shards(self)
  local text, message, code = self.folder.text(INDEX)
  if not text then return nil, message, code end
  local index, files, why = huggingface.shards(text, self.path .. "/" .. INDEX)
  if not index then return nil, files, why end
  for _, file in ipairs(files) do
    if not self.folder.has(file) then return bad(self, "no %s", file) end
    local ok, reason, id = add_weights(self, file, index)
    if not ok then return nil, reason, id end
  end
  for _, name in ipairs(check.sorted_keys(index)) do
    if not self.weights[name] then return bad(self, "%s lacks '%s'", index[name], name) end
  end
  return check_extra(self, files)
end

local function read_model(self)
  if not self.folder.has(CONFIG) then return bad(self, "no %s", CONFIG) end
  local text, message, code = self.folder.text(CONFIG)
  if not text then return nil, message, code end
  self.config, message, code = huggingface.config(text, self.path .. "/" .. CONFIG)
  if not self.config then return nil, message, code end
  if self.folder.has(WEIGHTS) then return add_weights(self, WEIGHTS) end
  if self.folder.has(INDEX) then return add_shards(self) end
  return bad(self, "no %s", WEIGHTS)
end

local function read_gguf(self)
  local files, message, code = gguf_shards.open(self.path, self.folder.keep)
  if not files then return nil, message, code end
  for _, file in ipairs(files) do
    for _, tensor in ipairs(file.tensors) do self.weights[tensor.name] = file end
  end
  self.metadata, self.entries = files[1].metadata, files[1].entries
  self.config = naming.config(self.metadata, self.weights["output.weight"] ~= nil)
  return true
end

local function read_file(self)
  local source, message, code = self.folder.source()
  if not source then return nil, message, code end
  local weights, why, id = safetensors.open(source, self.path)
  if not weights then return nil, why, id end
  for _, tensor in ipairs(weights.tensors) do self.weights[tensor.name] = weights end
  self.metadata, self.config = weights.metadata, {}
  return true
end

-- How each kind of model is found and read.
local kinds = {
  directory = { places.folder, read_model }, archive = { archives.open, read_model },
  gguf = { places.file, read_gguf }, safetensors = { places.file, read_file },
}

local function kind_of(path)
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  if info.type == "directory" then return "directory" end
  return formats.of(path)
end

local function locate(path)
  local kind, message, code = kind_of(path)
  if not kind then return nil, message, code end
  local folder, why, id = kinds[kind][1](path)
  if not folder then return nil, why, id end
  return folder, kind
end

--- Opens a model; only headers are read, but an archive that cannot be mapped is unpacked into the
-- cache.
-- @param path string, a directory, an archive of one, a GGUF or a safetensors file
-- @param opened what bittern.model.archive gave for the path, where it was asked already; the model
--   closes it
-- @return model with kind = "directory"|"archive"|"gguf"|"safetensors", path, config, names =
--   sorted array of tensor names, metadata, and of GGUF `entries` = array of {key, type, value};
--   or nil, message, code
-- @usage local m <close> = assert(model.open("examples/models/tiny-qwen3"))
function M.open(path, opened)
  local folder, kind, code = opened, "archive", nil
  if not folder then folder, kind, code = locate(path) end
  if not folder then return nil, kind, code end
  local self = setmetatable({ kind = kind, path = path, folder = folder, weights = {} }, Model)
  local ok, why, id = kinds[kind][2](self)
  if not ok then
    folder.close()
    return nil, why, id
  end
  self.names = check.sorted_keys(self.weights)
  return self
end

--- One tensor.
-- @return {name, dtype, shape, size, slice}, or nil, message, "not_found". The dtype is spelt as
--   safetensors does; GGUF's block types are codecs in lower case, such as "q4_0".
function Model:tensor(name)
  local weights = self.weights[name]
  if not weights then
    return nil, ("%s: no tensor '%s'"):format(self.path, name), "not_found"
  end
  local t = weights.by_name[name]
  local slice, message, code = weights:slice(name)
  if not slice then return nil, message, code end
  return { name = name, dtype = t.dtype, shape = t.shape, size = t.size, slice = slice }
end

local floats = { F32 = "f32", F16 = "f16", BF16 = "bf16" }

-- Values of a GGUF block type.
local function decode(self, tensor)
  local count = 1
  for _, size in ipairs(tensor.shape) do count = count * size end
  local values, message, code = quant.decode_blocks(tensor.dtype, tensor.slice, count)
  if values then return values, tensor.shape end
  return nil, ("%s: tensor '%s': %s"):format(self.path, tensor.name, message), code
end

--- A tensor of floating point numbers as f32, whatever its codec.
-- @return f32 buffer, shape; or nil, message, code
function Model:floats(name)
  local tensor, message, code = self:tensor(name)
  if not tensor then return nil, message, code end
  local dtype = floats[tensor.dtype]
  if dtype then return quant.widen(dtype, tensor.slice), tensor.shape end
  if quant.codecs()[tensor.dtype] then return decode(self, tensor) end
  return nil, ("%s: tensor '%s' is %s, not F32, F16, BF16 or a codec that is decoded"):format(
    self.path, name, tensor.dtype), "unsupported"
end

--- The files that hold its weights.
-- @return array of {name, bytes, data = bytes behind the header, tensors = how many}, sorted by
--   name
function Model:files()
  local list, seen = {}, {}
  for _, name in ipairs(self.names) do
    local file = self.weights[name]
    if not seen[file] then
      seen[file] = true
      list[#list + 1] = { name = file.name:match("[^/]+$"), bytes = file.source:size(),
        data = file.source:size() - file.data_offset, tensors = #file.tensors }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- What tells one state of its files from another without reading them.
-- @return text of their paths, sizes and times of change
function Model:stamp()
  local parts = {}
  local function note(path)
    local info = fs.stat(path) or {}
    parts[#parts + 1] = ("%s %s %s.%s"):format(path, info.size, info.mtime, info.mtime_ns)
  end
  note(self.path)
  if self.kind == "directory" then
    for _, file in ipairs(self:files()) do note(self.path .. "/" .. file.name) end
  end
  return table.concat(parts, "\n")
end

--- Whether the model has a file of this name beside its weights.
function Model:has(name)
  return self.folder.has(name)
end

--- A small file of the model, such as config.json.
-- @return string, or nil, message, code
function Model:file(name)
  if name:find("/", 1, true) then error("a file's name has no folder: " .. name, 2) end
  if not self.folder.has(name) then
    return nil, ("%s: no %s"):format(self.path, name), "not_found"
  end
  return self.folder.text(name)
end

--- Gives the maps back; slices of tensors refuse from then on.
function Model:close()
  self.folder.close()
end

Model.__close = Model.close

return M
