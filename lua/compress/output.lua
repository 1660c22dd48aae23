-- Where a compressed model goes: a folder whose weights file comes last, or one archive. Either way
-- the bytes gather in a part that stays when the work is stopped, and get their name when all are
-- there.
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"

local place = require "bittern.compress.place"
local plan = require "bittern.compress.plan"
local filled = require "bittern.model.zip.filled"
local slots = require "bittern.compress.slot"
local writer = require "bittern.model.zip.writer"

local M = {}

local Output = {}
Output.__index = Output
Output.__name = "output"

--- Takes the place: one process at a time writes there.
-- @param out folder, or file that ends in .zip
-- @param files array of {name, text} beside the weights
-- @return output with path = of the file that is filled; or nil, message, code
function M.open(out, files)
  local lock, message, code = place.take(out, files)
  if not lock then return nil, message, code end
  local zipped = place.is_archive(out)
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
  self.tensors, self.order, self.final = {}, {}, 1
  for i, tensor in ipairs(order) do
    self.order[i] = slots.new(self.base + #header + tensor.offset, tensor.size)
    self.tensors[tensor.name] = self.order[i]
  end
end

-- Hashes the file beside the work. An archive has the checksum of its weights before them: there
-- nothing is final until all is.
local function follow(self)
  if self.zipped then return true end
  local message, code
  self.follower, message, code = sha256.follow(self.part:temporary())
  if not self.follower then return nil, message, code end
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
  local ok, why, id = slots.prepare(part, { path = self.path, size = self.size, base = self.base,
    header = self.header, fresh = fresh })
  if not ok then return nil, why, id end
  return follow(self)
end

-- Tells the hash how far the file has its final bytes by now.
local function advance(self)
  local tensor = self.order[self.final]
  while tensor and slots.is_full(tensor) do
    self.final = self.final + 1
    tensor = self.order[self.final]
  end
  if self.follower then self.follower:advance(tensor and tensor.next or self.size) end
end

--- Appends bytes to a tensor.
-- @param source string, slice or buffer
-- @param size of it in bytes
-- @return true, or nil, message, code
function Output:put(name, source, size)
  if size == 0 then return true end
  local ok, message, code = slots.put(self.part, self.tensors[name], source, size)
  if not ok then return nil, message, code end
  advance(self)
  return true
end

--- Whether tensors that an earlier run wrote are still there.
-- @param checksums array of {name, crc32}
function Output:holds(checksums)
  local source <close> = map.open(self.path .. ".part")
  if not source then return false end
  for _, one in ipairs(checksums) do
    local tensor = self.tensors[one.name]
    if not tensor or not slots.holds(tensor, source, one.crc32) then return false end
  end
  for _, one in ipairs(checksums) do slots.fill(self.tensors[one.name], one.crc32) end
  advance(self)
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

local function hash_and_sync(self)
  if not self.follower then return filled.hash_and_sync(self.part, self.size) end
  local ok, message, code = self.part:sync()
  if not ok then return nil, message, code end
  return self.follower:hex()
end

--- Completes the file and gives it its name.
-- @return {size, sha256} of the file that was filled, or nil, message, code
function Output:finish()
  local ok, message, code = (self.zipped and write_archive or write_files)(self)
  if not ok then return nil, message, code end
  local hash, why, id = hash_and_sync(self)
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
  if self.follower then self.follower:close() end
  if self.part then self.part:close() end
  self.lock:close()
end

Output.__close = Output.close

return M
