-- The hub's LFS transfer "multipart": a signed URL for each part, then one call that joins them.
--
-- A part belongs to the answer that gave its URL. So the URLs are noted with the ETags of the parts
-- that are there, and a run that was stopped goes on with them while they are good.
local http = require "bittern.http"
local json = require "bittern.json"
local parts = require "bittern.publishing.parts"
local state = require "bittern.publishing.state"

local M = {}

local KIND <const> = "application/vnd.git-lfs+json"

-- The URLs have expired, or the upload is gone.
local expired <const> = { [400] = true, [401] = true, [403] = true, [404] = true, [410] = true }

-- Signed URLs of the parts, in order.
local function part_urls(header, count)
  local urls = {}
  for key, url in pairs(header) do
    local number = math.tointeger(tonumber(key))
    if number and type(url) == "string" then urls[number] = url end
  end
  if #urls == count then return urls end
  return nil, ("the hub gives %d part URLs for %d parts"):format(#urls, count), "invalid_response"
end

-- What the hub's answer says of an upload.
local function read_action(action, size)
  local chunk = math.tointeger(tonumber(action.header.chunk_size))
  if not chunk or chunk < 1 then
    return nil, "the hub gives a bad chunk_size", "invalid_response"
  end
  local urls, message, code = part_urls(action.header, (size + chunk - 1) // chunk)
  if not urls then return nil, message, code end
  return { href = action.href, chunk = chunk, urls = urls, etags = {} }
end

-- The upload that an earlier run began, if it has parts of the same size; nil where there is none.
local function read_notes(notes, fresh)
  local noted = notes:read() or {}
  local same = type(noted.href) == "string" and noted.chunk == fresh.chunk
    and type(noted.urls) == "table" and #noted.urls == #fresh.urls and type(noted.etags) == "table"
  return same and noted or nil
end

local function send_parts(upload, notes, artifact, options)
  return parts.send {
    path = artifact.path, size = artifact.size, part = upload.chunk, parallel = options.parallel,
    on_progress = options.on_progress,
    has = function(part) return upload.etags[tostring(part.number)] end,
    request = function(part) return { url = upload.urls[part.number] } end, -- no token goes there
    refused = function(part, event)
      return nil, ("part %d: status %d"):format(part.number, event.status),
        expired[event.status] and "access" or "http_status"
    end,
    sent = function(part, event)
      if not event.headers.etag then
        return nil, "the hub's store gives a part no ETag", "invalid_response"
      end
      upload.etags[tostring(part.number)] = event.headers.etag
      return notes:write(upload)
    end,
  }
end

-- The URL is the hub's, but on any host: no token goes with it.
local function join(upload, artifact)
  local list = {}
  for number = 1, #upload.urls do
    list[number] = { partNumber = number, etag = upload.etags[tostring(number)] }
  end
  local answer, response, code, refused = http.json("POST", upload.href, {
    headers = { "Content-Type: " .. KIND, "Accept: " .. KIND }, retry = { idempotent = true },
    body = json.encode { oid = artifact.sha256, parts = json.array(list) } })
  if answer ~= nil then return true end
  return nil, response, refused and expired[refused.status] and "access" or code
end

local function run(upload, notes, artifact, options)
  local ok, message, code = send_parts(upload, notes, artifact, options)
  if ok then ok, message, code = join(upload, artifact) end
  if ok or code == "access" then notes:remove() end
  return ok, message, code
end

--- Sends the parts of a file and has them joined.
-- @param place where the bytes go: a text that names no other place
-- @param action of the hub's answer: {href, header}
-- @param artifact {path, size, sha256}
-- @param options {parallel, on_progress}
-- @return true, or nil, message, code
function M.send(place, action, artifact, options)
  local fresh, message, code = read_action(action, artifact.size)
  if not fresh then return nil, message, code end
  local notes = state.of(place, artifact)
  local noted = read_notes(notes, fresh)
  if noted then
    local ok
    ok, message, code = run(noted, notes, artifact, options)
    if ok or code ~= "access" then return ok, message, code end
  end
  return run(fresh, notes, artifact, options)
end

return M
