-- Git LFS as the hub speaks it: asking where bytes go, sending them, having them checked.
--
-- Source: Git LFS batch API; the hub adds a transfer "multipart".
local http = require "bittern.http"
local json = require "bittern.json"
local multipart = require "bittern.huggingface.multipart"

local M = {}

local KIND <const> = "application/vnd.git-lfs+json"

--- A call of the hub's own API, with the user's token.
-- @param hub {endpoint, headers}
-- @param options {kind = Content-Type, retry = whether it may be sent again}
-- @return the answer's value, response; or nil, message, code
function M.call(hub, method, path, body, options)
  options = options or {}
  local headers, kind = { table.unpack(hub.headers) }, options.kind
  headers[#headers + 1] = "Content-Type: " .. (kind or "application/json")
  if kind == KIND then headers[#headers + 1] = "Accept: " .. KIND end
  local value, response, code = http.json(method, hub.endpoint .. path, {
    headers = headers, body = body, retry = options.retry and { idempotent = true } or nil,
  })
  if value ~= nil then return value, response end
  if code == "unauthorized" or code == "forbidden" then code = "access" end
  return nil, response, code
end

local function batch(hub, artifact)
  local answer, message, code = M.call(hub, "POST", ("/%s.git/info/lfs/objects/batch")
    :format(hub.repo), json.encode { operation = "upload", hash_algo = "sha256",
    transfers = json.array { "basic", "multipart" },
    objects = json.array { { oid = artifact.sha256, size = artifact.size } } },
    { kind = KIND, retry = true })
  if not answer then return nil, message, code end
  local object = type(answer.objects) == "table" and answer.objects[1]
  if type(object) ~= "table" then return nil, "the hub answers no object", "invalid_response" end
  if type(object.error) == "table" then
    return nil, ("the hub refuses the file: %s"):format(tostring(object.error.message)), "rejected"
  end
  return type(object.actions) == "table" and object.actions or {}
end

-- One PUT of bytes to a signed URL; no token goes there.
local function put(url, piece, headers, told)
  local response, message, code = http.request { method = "PUT", url = url, body = piece,
    headers = headers, timeout = 0, retry = true, on_progress = told }
  if not response then return nil, message, code end
  if response.status >= 200 and response.status < 300 then return response end
  return nil, ("PUT %s: status %d"):format(url:match("^[^?#]*"), response.status), "http_status"
end

local function header_lines(header)
  local lines = {}
  for name, value in pairs(type(header) == "table" and header or {}) do
    if type(value) == "string" then lines[#lines + 1] = name .. ": " .. value end
  end
  table.sort(lines)
  return lines
end

--- Sends the bytes of a file to LFS, unless it has them.
-- @param hub {endpoint, headers, repo}
-- @param artifact {path, sha256, size}
-- @param bytes map of the file
-- @param options {parallel = parts at once, on_progress = function(done, total) or nil}
-- @return true, or nil, message, code
function M.send(hub, artifact, bytes, options)
  local actions, message, code = batch(hub, artifact)
  if not actions then return nil, message, code end
  local upload = actions.upload
  if not upload then return true end -- the hub has these bytes
  local sent
  if type(upload.header) == "table" and upload.header.chunk_size then
    sent, message, code = multipart.send(hub.endpoint .. "/" .. hub.repo, upload, artifact, options)
  else
    sent, message, code = put(upload.href, bytes, header_lines(upload.header),
      options.on_progress)
  end
  if sent == nil then return nil, message, code end
  if not actions.verify then return true end
  local path = actions.verify.href:match("^" .. hub.endpoint:gsub("%W", "%%%0") .. "(/.*)$")
  if not path then return true end -- not the hub itself: no token for it
  local checked
  checked, message, code = M.call(hub, "POST", path, json.encode { oid = artifact.sha256,
    size = artifact.size }, { kind = KIND, retry = true })
  if checked == nil then return nil, message, code end
  return true
end

return M
