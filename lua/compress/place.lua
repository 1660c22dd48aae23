-- Takes the place of a compressed model, a folder or an archive: one process at a time, and nothing
-- there that does not belong.
local fs = require "core.fs"
local lfs = require "lfs"

local pack = require "bittern.artifact.pack"
local plan = require "bittern.compress.plan"

local M = {}

--- Whether a path names an archive.
function M.is_archive(path)
  return path:find("%.zip$") ~= nil
end

-- Half files of a run that was killed; the lock says that nobody writes them now.
local function sweep(folder)
  for name in lfs.dir(folder) do
    if name:find("^%..*%.tmp%-%x+$") then
      local ok, message, code = fs.remove(folder .. "/" .. name)
      if not ok then return nil, message, code end
    end
  end
  return true
end

-- Whatever else lies in the folder would be packed with it, and the size would be another.
local function check_folder(out, files)
  local expected = { [plan.WEIGHTS] = true }
  for _, file in ipairs(files) do expected[file.name] = true end
  local there, message, code = pack.list(out)
  if not there then return nil, message, code end
  for _, file in ipairs(there) do
    if not expected[file.name] then
      return nil, ("%s: '%s' would be packed, too; name an empty folder"):format(out, file.name),
        "usage"
    end
  end
  return true
end

local function lock_folder(out, files)
  local ok, message, code = fs.mkdir(out)
  if ok then ok, message, code = check_folder(out, files) end
  if not ok then return nil, message, code end
  local lock, why, id = fs.lock(out .. "/.bittern.lock")
  if not lock then return nil, why, id end
  ok, message, code = sweep(out)
  if ok then return lock end
  lock:close()
  return nil, message, code
end

--- The folder that a path lies in.
function M.folder_of(path)
  local folder = path:match("^(.*)/[^/]*$")
  return folder == "" and "/" or folder or "."
end

local function lock_archive(out)
  local folder = M.folder_of(out)
  local ok, message, code = fs.mkdir(folder)
  if not ok then return nil, message, code end
  return fs.lock(("%s/.%s.lock"):format(folder, out:match("[^/]*$")))
end

--- Whether there is room for what a part still lacks.
-- @param path of the file to be
-- @param size bytes that it will have
-- @param part writer of core.fs
-- @return true, or nil, message, "disk_full"
function M.check_room(path, size, part)
  local free = fs.disk_free(M.folder_of(path))
  if not free or free >= size - part:size() then return true end
  return nil, ("%s: needs %d bytes, %d are free"):format(path, size, free), "disk_full"
end

-- Whether a name says what will be there; a file's name for a folder is a slip.
local function check_name(out)
  if out:find("%.gguf$") then
    return nil, out .. ": this recipe makes no GGUF blocks; name a folder or a file that ends in "
      .. ".zip", "usage"
  elseif out:find("%.safetensors$") then
    return nil, out .. ": an artifact is more than weights; name a folder or a file that ends in "
      .. ".zip", "usage"
  end
  local there = M.is_archive(out) and fs.stat(out)
  if not there or there.type == "file" then return true end
  return nil, out .. ": is a folder, and no place for an archive", "is_directory"
end

--- Takes the place.
-- @param out folder, or file that ends in .zip
-- @param files array of {name, text} that will lie beside the weights
-- @return lock, or nil, message, code
function M.take(out, files)
  local ok, message, code = check_name(out)
  if not ok then return nil, message, code end
  if M.is_archive(out) then return lock_archive(out) end
  return lock_folder(out, files)
end

return M
