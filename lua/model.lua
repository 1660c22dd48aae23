-- One face for models on disk: a Hugging Face directory, or a zip archive of one.
local fs = require "core.fs"
local map = require "core.map"
local quant = require "core.quant"

local check = require "bittern.check"
local huggingface = require "bittern.model.huggingface"
local safetensors = require "bittern.model.safetensors"
local zip = require "bittern.model.zip"

local M = {}

local LARGEST_TEXT <const> = 64 << 20
local CONFIG <const> = "config.json"
local WEIGHTS <const> = "model.safetensors"
local INDEX <const> = "model.safetensors.index.json"

-- Where a model's files lie: has(name), text(name), source(name) and close().

local function folder_of(path)
  local folder, maps = {}, {}

  function folder.has(name)
    local info = fs.stat(path .. "/" .. name)
    return info ~= nil and info.type == "file"
  end

  function folder.text(name)
    return fs.read(path .. "/" .. name, LARGEST_TEXT)
  end

  function folder.source(name)
    local opened, message, code = map.open(path .. "/" .. name)
    maps[#maps + 1] = opened
    return opened, message, code
  end

  function folder.close()
    for _, opened in ipairs(maps) do opened:close() end
  end

  return folder
end

local function archive_of(path)
  local archive, message, code = zip.open(path)
  if not archive then return nil, message, code end
  local inside, why, id = archive:folder()
  if not inside then
    archive:close()
    return nil, why, id
  end
  local folder = {}

  function folder.has(name)
    return archive.by_name[inside .. name] ~= nil
  end

  function folder.source(name)
    return archive:slice(inside .. name)
  end

  function folder.text(name)
    local slice, reason, kind = folder.source(name)
    if not slice then return nil, reason, kind end
    if slice:size() > LARGEST_TEXT then
      return nil, ("%s: %s is larger than %d bytes"):format(path, name, LARGEST_TEXT), "too_large"
    end
    return slice:read(0, slice:size())
  end

  function folder.close()
    archive:close()
  end

  return folder
end

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
  return true
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

--- Opens a model; only headers are read.
-- @param path string, a directory or a zip archive
-- @return model with kind = "directory"|"archive", path, config, names = sorted array of tensor
--   names, metadata; or nil, message, code
-- @usage local m <close> = assert(model.open("examples/models/tiny-qwen3"))
function M.open(path)
  local info, message, code = fs.stat(path)
  if not info then return nil, message, code end
  local kind = info.type == "directory" and "directory" or "archive"
  local folder, reason, cause = (kind == "directory" and folder_of or archive_of)(path)
  if not folder then return nil, reason, cause end
  local self = setmetatable({ kind = kind, path = path, folder = folder, weights = {} }, Model)
  local ok, why, id = read_model(self)
  if not ok then
    folder.close()
    return nil, why, id
  end
  self.names = check.sorted_keys(self.weights)
  return self
end

--- One tensor.
-- @return {name, dtype, shape, size, slice}, or nil, message, "not_found"
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

--- A tensor of floating point numbers as f32.
-- @return f32 buffer, shape; or nil, message, code
function Model:floats(name)
  local tensor, message, code = self:tensor(name)
  if not tensor then return nil, message, code end
  local dtype = floats[tensor.dtype]
  if not dtype then
    return nil, ("%s: tensor '%s' is %s, not F32, F16 or BF16"):format(self.path, name,
      tensor.dtype), "unsupported"
  end
  return quant.widen(dtype, tensor.slice), tensor.shape
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
