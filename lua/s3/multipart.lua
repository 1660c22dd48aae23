-- An object that goes up in parts. A run that was stopped is gone on with: the store says which
-- parts it has.
local map = require "core.map"
local sha256 = require "core.sha256"

local parts = require "bittern.publishing.parts"
local s3 = require "bittern.s3"
local state = require "bittern.publishing.state"

local M = {}

local MOST_PARTS <const> = 10000
local SMALLEST_PART <const> = 5 << 20 -- but for the last one
local PIECE <const> = 1 << 20         -- bytes hashed at once

-- Bytes of a part: as asked for, and enough that all parts are few enough.
local function part_size(wanted, size)
  return math.max(wanted, SMALLEST_PART, (size + MOST_PARTS - 1) // MOST_PARTS)
end

-- Parts that the store has: {number = {etag, size}}; nil where the upload is gone.
local function list_parts(object, upload)
  local list, marker = {}, nil
  repeat
    local response, message, code = s3.send(object, { method = "GET",
      query = { uploadId = upload, ["part-number-marker"] = marker } })
    if not response then return nil, message, code end
    for xml in response.body:gmatch("<Part>(.-)</Part>") do
      local number = math.tointeger(tonumber(s3.element(xml, "PartNumber")))
      if number then
        list[number] = { etag = s3.element(xml, "ETag"), size = tonumber(s3.element(xml, "Size")) }
      end
    end
    local more = s3.element(response.body, "IsTruncated") == "true"
    marker = more and s3.element(response.body, "NextPartNumberMarker") or nil
  until not marker
  return list
end

-- The upload that an earlier run began, with the size of its parts; nil where there is none.
local function resume(object, notes)
  local noted = notes:read() or {}
  local size = math.tointeger(noted.part)
  if not size or size < 1 or type(noted.upload) ~= "string" then return nil end
  local list, message, code = list_parts(object, noted.upload)
  if list then return { id = noted.upload, part = size, parts = list } end
  if code == "not_found" then return nil end
  return nil, message, code
end

local function begin(object, notes, size)
  local response, message, code = s3.send(object, { method = "POST", query = { uploads = "" },
    headers = { ["content-type"] = "application/zip" } })
  if not response then return nil, message, code end
  local upload = s3.element(response.body, "UploadId")
  if not upload then return nil, "the store names no upload", "invalid_response" end
  local ok
  ok, message, code = notes:write { upload = upload, part = size }
  if not ok then return nil, message, code end
  return { id = upload, part = size, parts = {} }
end

-- SHA-256 of a part, whose pages do not stay in memory.
local function hash_of(bytes, part)
  local hash = sha256.new()
  for first = part.first, part.first + part.size - 1, PIECE do
    local piece = bytes:slice(first, math.min(PIECE, part.first + part.size - first))
    hash:update(piece)
    piece:release()
  end
  return hash:hex()
end

-- The signed request of a part.
local function request_of(object, upload, bytes, part)
  local request = { method = "PUT", query = { partNumber = ("%d"):format(part.number),
    uploadId = upload.id } }
  part.sha256 = part.sha256 or hash_of(bytes, part)
  request.sha256 = part.sha256
  return { url = s3.url(object, request), headers = s3.headers(object, request) }
end

local function send_parts(object, upload, artifact, options)
  local bytes <close>, message, code = map.open(artifact.path)
  if not bytes then return nil, message, code end
  return parts.send {
    path = artifact.path, size = artifact.size, part = upload.part, parallel = options.parallel,
    on_progress = options.on_progress,
    has = function(part)
      local have = upload.parts[part.number]
      return have and have.etag and have.size == part.size
    end,
    request = function(part) return request_of(object, upload, bytes, part) end,
    refused = function(_, event) return s3.refusal(object, "PUT", event.status, event.note) end,
    sent = function(part, event)
      if not event.headers.etag then
        return nil, "the store gives a part no ETag", "invalid_response"
      end
      upload.parts[part.number] = { etag = event.headers.etag, size = part.size }
      return true
    end,
  }
end

local function complete(object, upload, count)
  local lines = { "<CompleteMultipartUpload>" }
  for number = 1, count do
    lines[#lines + 1] = ("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>"):format(number,
      (upload.parts[number].etag:gsub("[&<>]", "")))
  end
  lines[#lines + 1] = "</CompleteMultipartUpload>"
  local body = table.concat(lines)
  local response, message, code = s3.send(object, { method = "POST",
    query = { uploadId = upload.id }, body = body, sha256 = sha256.hex(body) })
  -- An answer that was lost: the object is there by now, or the proof will tell.
  if code == "not_found" then return true end
  if not response then return nil, message, code end
  -- A store may answer 200 and tell of a failure in the body.
  local failure = response.body:find("<Error>", 1, true) and s3.element(response.body, "Code")
  if failure then return nil, "the store cannot join the parts: " .. failure, "server_error" end
  return true
end

--- Uploads a file.
-- @param object as for bittern.s3
-- @param artifact {path, size, sha256}
-- @param options {part = bytes, parallel, on_progress = function(done, total)}
-- @return true, or nil, message, code
function M.upload(object, artifact, options)
  local notes = state.of(object.origin .. object.path, artifact)
  local upload, message, code = resume(object, notes)
  if not upload and message then return nil, message, code end
  if not upload then
    upload, message, code = begin(object, notes, part_size(options.part, artifact.size))
  end
  if not upload then return nil, message, code end
  local ok
  ok, message, code = send_parts(object, upload, artifact, options)
  if ok then
    ok, message, code = complete(object, upload, (artifact.size + upload.part - 1) // upload.part)
  end
  if not ok then return nil, message, code end
  notes:remove()
  return true
end

return M
