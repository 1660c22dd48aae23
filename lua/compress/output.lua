-- Where a compressed model goes: a folder whose weights file comes last, or one archive. Either way
-- the bytes gather in a part that stays when the work is stopped, and get their name when all are
-- there.
local archive = require "core.archive"
local fs = require "core.fs"
local lfs = require "lfs"
local map = require "core.map"

local pack = require "bittern.artifact.pack"
local plan = require "bittern.compress.plan"
local filled = require "bittern.model.zip.filled"
local writer = require "bittern.model.zip.writer"

local M = {}

local Output = {}
Output.__index = Output
Output.__name = "output"

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

local function folder_of(path)
  local folder = path:match("^(.*)/[^/]*$")
  return folder == "" and "/" or folder or "."
end

local function lock_archive(out)
  local folder = folder_of(out)
  local ok, message, code = fs.mkdir(folder)
  if not ok then return nil, message, code end
  return fs.lock(("%s/.%s.lock"):format(folder, out:match("[^/]*$")))
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

--- Takes the place: one process at a time writes there.
-- @param out folder, or file that ends in .zip
-- @param files array of {name, text} beside the weights
-- @return output with path = of the file that is filled; or nil, message, code
function M.open(out, files)
  local sound, wrong, id = check_name(out)
  if not sound then return nil, wrong, id end
  local zipped = M.is_archive(out)
  local lock, message, code
  if zipped then
    lock, message, code = lock_archive(out)
  else
    lock, message, code = lock_folder(out, files)
  end
  if not lock then return nil, message, code end
  return setmetatable({ out = out, zipped = zipped, lock = lock,
    path = zipped and out or out .. "/" .. plan.WEIGHTS }, Output)
end

-- Where tensors lie in the file, and its size.
local function lay(self, whole)
  local header, order, data = plan.header(whole)
  self.base, self.header, self.weights = 0, header, #header + data
  self.size = self.weights
  if self.zipped then
    self.layout = assert(writer.layout(plan.files(whole)))
    for _, entry in ipairs(self.layout.entries) do
      if entry.name == plan.WEIGHTS then self.base = entry.data end
    end
    self.size = self.layout.size
  end
  self.tensors = {}
  for _, tensor in ipairs(order) do
    self.tensors[tensor.name] = { at = self.base + #header + tensor.offset, size = tensor.size }
  end
end

local function check_room(self)
  local free = fs.disk_free(folder_of(self.path))
  if free and free < self.size - self.part:size() then
    return nil, ("%s: needs %d bytes, %d are free"):format(self.path, self.size, free), "disk_full"
  end
  return true
end

--- Opens the part for a plan that is complete.
-- @param fresh whether nothing in it can be used
-- @return true, or nil, message, code
function Output:begin(whole, fresh)
  lay(self, whole)
  self.files = whole.files
  local part, message, code = fs.part(self.path)
  if not part then return nil, message, code end
  self.part = part
  local ok, why, id = true, nil, nil
  if fresh then ok, why, id = part:truncate(0) end
  if ok then ok, why, id = check_room(self) end
  if ok then ok, why, id = part:truncate(self.size) end
  if ok then ok, why, id = part:write_at(self.base, self.header) end
  if not ok then return nil, why, id end
  for _, tensor in pairs(self.tensors) do tensor.next, tensor.crc32 = tensor.at, 0 end
  return true
end

--- Appends bytes to a tensor.
-- @param source string, slice or buffer
-- @param size of it in bytes
-- @return true, or nil, message, code
function Output:put(name, source, size)
  if size == 0 then return true end
  local tensor = self.tensors[name]
  assert(tensor.next + size <= tensor.at + tensor.size, "a tensor is longer than its plan")
  local ok, message, code = self.part:write_at(tensor.next, source)
  if not ok then return nil, message, code end
  local crc, why, id = archive.crc32(source, tensor.crc32)
  if not crc then return nil, why, id end
  tensor.next, tensor.crc32 = tensor.next + size, crc
  return true
end

--- Whether tensors that an earlier run wrote are still there.
-- @param checksums array of {name, crc32}
function Output:holds(checksums)
  local source <close> = map.open(self.path .. ".part")
  if not source then return false end
  for _, one in ipairs(checksums) do
    local tensor = self.tensors[one.name]
    if not tensor or filled.crc32(source, tensor.at, tensor.size) ~= one.crc32 then return false end
  end
  for _, one in ipairs(checksums) do
    local tensor = self.tensors[one.name]
    tensor.next, tensor.crc32 = tensor.at + tensor.size, one.crc32
  end
  return true
end

local function write_archive(self)
  local texts = {}
  for _, file in ipairs(self.files) do texts[file.name] = file.text end
  return filled.surround(self.part, self.layout, texts)
end

local function write_files(self)
  for _, file in ipairs(self.files) do
    local ok, message, code = fs.write(self.out .. "/" .. file.name, file.text)
    if not ok then return nil, message, code end
  end
  return true
end

--- Completes the file and gives it its name.
-- @return {size, sha256} of the file that was filled, or nil, message, code
function Output:finish()
  local ok, message, code = (self.zipped and write_archive or write_files)(self)
  if not ok then return nil, message, code end
  local hash, why, id = filled.hash_and_sync(self.part, self.size)
  if not hash then return nil, why, id end
  ok, message, code = self.part:commit()
  if not ok then return nil, message, code end
  return { size = self.size, sha256 = hash }
end

--- Removes the part: nothing in it will be wanted.
function Output:discard()
  if self.part then self.part:close() end
  return fs.remove(self.path .. ".part")
end

--- Gives the place free; what is not finished stays as a part.
function Output:close()
  if self.part then self.part:close() end
  self.lock:close()
end

Output.__close = Output.close

return M
