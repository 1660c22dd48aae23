-- What `bittern inspect` tells: everything that headers say of a model, and what is wrong with it.
local fs = require "core.fs"

local content = require "bittern.inspect.content"
local directory = require "bittern.inspect.directory"
local gguf = require "bittern.model.gguf"
local json = require "bittern.json"
local layout = require "bittern.artifact.layout"
local models = require "bittern.model"
local naming = require "bittern.model.naming"

local M = {}

local FIRST <const> = 8 -- elements of an array that are shown

-- Bytes that are no UTF-8 become U+FFFD: JSON has no place for them.
local function readable(text)
  if utf8.len(text) then return text end
  local parts, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    parts[#parts + 1] = text:sub(at, (bad or #text + 1) - 1)
    if not bad then break end
    parts[#parts + 1] = "\u{FFFD}"
    at = bad + 1
  end
  return table.concat(parts)
end

local function plain(value)
  if type(value) == "string" then return readable(value) end
  if type(value) == "number" and (value ~= value or math.abs(value) == math.huge) then
    return tostring(value)
  end
  return value
end

-- Metadata that JSON can hold; of long arrays only how they begin.
local function metadata_of(model)
  local result, floats = {}, {}
  for _, entry in ipairs(model.entries or {}) do floats[entry.key] = entry.type == "f32" end
  for key, value in pairs(model.metadata or {}) do
    if floats[key] then value = naming.shortest(value) end
    if gguf.is_array(value) then
      local first = json.array(value:values(FIRST))
      for i, element in ipairs(first) do first[i] = plain(element) end
      result[key] = { element = value.element, count = value.count, first = first }
    else
      result[key] = plain(value)
    end
  end
  return result
end

local function bits(bytes, count)
  return count > 0 and bytes * 8 / count or json.null
end

local function tensor_of(item)
  local tensor = {
    name = item.name, codec = item.codec, bytes = item.bytes, parameters = item.parameters,
    values = item.count, bits = bits(item.bytes, item.count), rescued = item.rescued,
    shape = json.array(table.move(item.shape, 1, #item.shape, 1, {})),
  }
  local m = item.matrix
  if not m then return tensor end
  tensor.group, tensor.bases = m.group, m.bases or 1
  tensor.offsets, tensor.columns = m.offsets or false, m.columns or false
  return tensor
end

-- Totals of each codec, the largest first.
local function totals(items)
  local by_codec, list = {}, {}
  for _, item in ipairs(items) do
    local total = by_codec[item.codec]
    if not total then
      total = { codec = item.codec, tensors = 0, parameters = 0, values = 0, bytes = 0 }
      by_codec[item.codec], list[#list + 1] = total, total
    end
    total.tensors, total.bytes = total.tensors + 1, total.bytes + item.bytes
    total.parameters = total.parameters + item.parameters
    total.values = total.values + item.count
  end
  for _, total in ipairs(list) do total.bits = bits(total.bytes, total.values) end
  table.sort(list, function(a, b)
    if a.bytes ~= b.bytes then return a.bytes > b.bytes end
    return a.codec < b.codec
  end)
  return json.array(list)
end

local function architecture_of(config)
  local names = config.architectures
  return type(names) == "table" and type(names[1]) == "string" and readable(names[1])
    or type(config.model_type) == "string" and readable(config.model_type) or nil
end

local function describe(model, held)
  local tensors = json.array {}
  for i, item in ipairs(held.items) do tensors[i] = tensor_of(item) end
  return {
    path = model.path, kind = model.kind, architecture = architecture_of(model.config),
    packed = (model.metadata or {}).format == layout.FORMAT, files = json.array(model:files()),
    parameters = held.parameters, bytes = held.bytes,
    bits_per_parameter = bits(held.bytes, held.parameters), codecs = totals(held.items),
    tensors = tensors, metadata = metadata_of(model), problems = json.array {},
  }
end

-- What the folder of a broken model still tells.
local function salvage(path, message, code)
  local files, problems = directory.salvage(path)
  if #files == 0 then return nil, message, code end
  local items, bytes, said = {}, 0, false
  for _, file in ipairs(files) do
    for _, tensor in ipairs(file.tensors) do
      items[#items + 1] = { name = tensor.name, shape = tensor.shape, codec = tensor.dtype:lower(),
        bytes = tensor.size, count = 1, parameters = 0 }
      for _, size in ipairs(tensor.shape) do items[#items].count = items[#items].count * size end
      bytes = bytes + tensor.size
    end
    file.tensors = #file.tensors
  end
  local tensors = json.array {}
  for i, item in ipairs(items) do tensors[i] = tensor_of(item) end
  for _, found in ipairs(problems) do said = said or found.message == message end
  if not said then table.insert(problems, 1, { id = code, message = message }) end
  return { path = path, kind = "directory", packed = false, files = json.array(files),
    bytes = bytes, codecs = totals(items), tensors = tensors, metadata = {},
    problems = json.array(problems) }
end

--- Surveys a model.
-- @param path string
-- @return table as `bittern inspect --json` prints it; its `problems` say what is wrong. Or nil,
--   message, code when nothing can be told.
function M.run(path)
  local model <close>, message, code = models.open(path)
  if not model then
    local info = fs.stat(path)
    if info and info.type == "directory" then return salvage(path, message, code) end
    return nil, message, code
  end
  local held, why, id = content.of(model)
  if not held then return nil, why, id end
  local result = describe(model, held)
  if model.kind == "directory" then result.problems = json.array(directory.oddities(model)) end
  return result
end

return M
