-- GGUF models in several files: name-00001-of-00003.gguf and its siblings, each a GGUF file of its
-- own that says which one it is.
local map = require "core.map"

local gguf = require "bittern.model.gguf"

local M = {}

local function bad(path, format, ...)
  return nil, path .. ": " .. format:format(...), "model_shards"
end

local function open_one(path, keep)
  local source, message, code = map.open(path)
  if not source then return nil, message, code end
  keep(source)
  return gguf.open(source, path)
end

-- Whether a file is the shard that its place in the row says.
local function check_shard(file, index, count)
  local number, of = file.metadata["split.no"], file.metadata["split.count"]
  if number ~= index - 1 or of ~= count then
    return bad(file.name, "says to be shard %s of %s, its name says %d of %d", tostring(number),
      tostring(of), index, count)
  end
  return true
end

-- All shards' tensors are different, and as many as they say.
local function check_tensors(files)
  local seen, total = {}, 0
  for _, file in ipairs(files) do
    for _, tensor in ipairs(file.tensors) do
      if seen[tensor.name] then
        return bad(file.name, "tensor '%s' is in %s too", tensor.name, seen[tensor.name])
      end
      seen[tensor.name], total = file.name, total + 1
    end
  end
  local says = files[1].metadata["split.tensors.count"]
  if says ~= nil and says ~= total then
    return bad(files[1].name, "%s tensors in all, its shards hold %d", tostring(says), total)
  end
  return files
end

local function open_siblings(file, path, keep)
  local count = file.metadata["split.count"]
  local stem, _, of = path:match("^(.*)%-(%d%d%d%d%d)%-of%-(%d%d%d%d%d)%.gguf$")
  if not stem or math.tointeger(of) ~= count then
    return bad(path, "is one of %s shards, but its name does not end in -00001-of-%05d.gguf",
      tostring(count), math.tointeger(count) or 0)
  end
  local files = {}
  for i = 1, count do
    local sibling = ("%s-%05d-of-%s.gguf"):format(stem, i, of)
    local opened, message, code = file, nil, nil
    if sibling ~= path then opened, message, code = open_one(sibling, keep) end
    if not opened and code == "not_found" then return bad(path, "no %s beside it", sibling) end
    if not opened then return nil, message, code end
    local ok, why, id = check_shard(opened, i, count)
    if not ok then return nil, why, id end
    files[i] = opened
  end
  return check_tensors(files)
end

--- Opens a GGUF file and, when it is one shard of a model, the others beside it.
-- @param path string, any shard
-- @param keep function(map) that takes each map that is opened, to close it later
-- @return array of gguf files, the first shard first; or nil, message, code
function M.open(path, keep)
  local file, message, code = open_one(path, keep)
  if not file then return nil, message, code end
  local count = file.metadata["split.count"]
  if count == nil or count == 0 or count == 1 then return { file } end
  if math.type(count) ~= "integer" then return bad(path, "split.count is no whole number") end
  return open_siblings(file, path, keep)
end

return M
