-- The practice file store: signed PUT, public GET, every name written once.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local answer = require "bittern.practice.answer"

-- No folders, no hidden files.
local function good_name(name)
  return #name <= 128 and name:find("^[%w][%w._-]*$") ~= nil
end

local function path_of(context, name)
  return context.dir .. "/files/" .. name
end

-- Gives a body its name. A large one was spooled to a file on the same disk.
local function keep(request, path)
  if request.body_path then return fs.rename(request.body_path, path) end
  return fs.write(path, request.body or "")
end

local function put(context, call)
  if not good_name(call.id) then
    return answer.detail(400, "file name must match [A-Za-z0-9][A-Za-z0-9._-]*")
  end
  local request, path, sum = call.request, path_of(context, call.id), call.sha256
  local status = 201
  if fs.stat(path) then
    if assert(sha256.file(path)) ~= sum then
      return answer.detail(409, "a file of this name exists with other bytes")
    end
    status = 200
  else
    local kept, message, code = keep(request, path)
    if not kept then return answer.detail(code == "disk_full" and 507 or 500, message) end
  end
  return answer.json(status, {
    name = call.id, path = "/files/" .. call.id, sha256 = sum, size = assert(fs.stat(path)).size,
  })
end

local function get(context, call)
  local path = path_of(context, call.id)
  if not good_name(call.id) or not fs.stat(path) then return answer.detail(404, "Not Found") end
  return { status = 200, headers = { ["Content-Type"] = "application/octet-stream" }, file = path }
end

return {
  { "PUT", "/files/{name}", put, about = "store a file, once", auth = "hotkey", raw = true,
    answer = "object", status = 201 },
  { "GET", "/files/{name}", get, about = "a stored file", answer = "file" },
  { "HEAD", "/files/{name}", get, about = "its size" },
}
