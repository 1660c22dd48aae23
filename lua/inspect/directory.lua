-- What may be wrong with a model's folder although its model opens, and what can still be read when
-- it does not.
local fs = require "core.fs"
local lfs = require "lfs"
local map = require "core.map"

local json = require "bittern.json"
local safetensors = require "bittern.model.safetensors"

local M = {}

local INDEX <const>, WEIGHTS <const> = "model.safetensors.index.json", "model.safetensors"

-- Weight files of a folder, sorted.
local function weight_files(path)
  local names = {}
  if lfs.attributes(path, "mode") ~= "directory" then return names end
  for name in lfs.dir(path) do
    if name:find("%.safetensors$") and name:sub(1, 1) ~= "." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function problem(path, id, format, ...)
  return { id = id, message = path .. ": " .. format:format(...) }
end

-- What an index says of the size of all tensors together, against what is there.
local function check_total(path, files, add)
  local text = fs.read(path .. "/" .. INDEX)
  local index = text and json.decode(text)
  local total = type(index) == "table" and type(index.metadata) == "table"
    and index.metadata.total_size
  if type(total) ~= "number" then return end
  local bytes = 0
  for _, file in ipairs(files) do bytes = bytes + file.data end
  if total ~= bytes then
    add(problem(path, "model_shards", "%s says %.0f bytes of tensors, its shards hold %d", INDEX,
      total, bytes))
  end
end

--- What is odd about the folder of a model that opened.
-- @param model an open model of kind "directory"
-- @return array of {id, message}
function M.oddities(model)
  local path, list, used = model.path, {}, {}
  local function add(found) list[#list + 1] = found end
  local files = model:files()
  for _, file in ipairs(files) do used[file.name] = true end
  local both = used[WEIGHTS] and fs.stat(path .. "/" .. INDEX) ~= nil
  if both then
    add(problem(path, "model_shards", "%s is read; %s is there too and is not", WEIGHTS, INDEX))
  elseif not used[WEIGHTS] then
    check_total(path, files, add)
  end
  for _, name in ipairs(weight_files(path)) do
    if not used[name] then
      add(problem(path, "model_shards", "%s belongs to no model here", name))
    end
  end
  return list
end

--- Headers that can be read in a folder whose model does not open.
-- @param path string
-- @return array of {name, bytes, tensors = array of {name, dtype, shape, size}}, array of {id,
--   message} for those that cannot
function M.salvage(path)
  local files, problems = {}, {}
  for _, name in ipairs(weight_files(path)) do
    local source <close>, message, code = map.open(path .. "/" .. name)
    local file, why, id
    if source then file, why, id = safetensors.open(source, path .. "/" .. name) end
    if file then
      files[#files + 1] = { name = name, bytes = source:size(), tensors = file.tensors }
    else
      problems[#problems + 1] = { id = id or code, message = why or message }
    end
  end
  return files, problems
end

return M
