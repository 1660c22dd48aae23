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

-- First and last byte of a Range header: nil when it is none that can be answered in part, false
-- when the file has no such bytes.
local function range_of(text, size)
  local first, last = text:match("^bytes=(%d*)%-(%d*)$")
  first, last = math.tointeger(tonumber(first)), math.tointeger(tonumber(last))
  if not first and not last then return nil end
  if not first then first, last = math.max(0, size - last), size - 1 end
  last = math.min(last or size - 1, size - 1)
  if first > last then return false end
  return first, last
end

-- Names are written once, so a name is all that an ETag has to say.
local function whole(name, path)
  return { status = 200, file = path, headers = {
    ["Content-Type"] = "application/octet-stream", ["Accept-Ranges"] = "bytes",
    ETag = '"' .. name .. '"',
  } }
end

local function part(response, wanted, size)
  local first, last = range_of(wanted, size)
  if first == nil then return response end
  if first == false then
    local refusal = answer.detail(416, "Requested Range Not Satisfiable")
    refusal.headers["Content-Range"] = ("bytes */%d"):format(size)
    return refusal
  end
  response.status, response.offset, response.size = 206, first, last - first + 1
  response.headers["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, size)
  return response
end

local function get(context, call)
  local path, headers = path_of(context, call.id), call.request.headers
  local info = good_name(call.id) and fs.stat(path)
  if not info then return answer.detail(404, "Not Found") end
  local response = whole(call.id, path)
  local fresh = headers["if-range"] == nil or headers["if-range"] == response.headers.ETag
  if not headers.range or not fresh then return response end
  return part(response, headers.range, info.size)
end

return {
  { "PUT", "/files/{name}", put, about = "store a file, once", auth = "hotkey", raw = true,
    answer = "object", status = 201 },
  { "GET", "/files/{name}", get, about = "a stored file", answer = "file" },
  { "HEAD", "/files/{name}", get, about = "its size" },
}
