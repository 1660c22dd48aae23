-- A small S3: signatures (version 4) and the rules of multipart uploads are checked strictly.
local process = require "core.process"
local sha256 = require "core.sha256"
local hex = require "bittern.hex"
local http = require "bittern.http"
local sigv4 = require "bittern.sigv4"

local M = {}

local SMALLEST_PART <const> = 5 << 20

local MONTHS <const> = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
  "Nov", "Dec" }

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function query_of(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    query[unescape(name)] = unescape(value)
  end
  return query
end

local function failure(status, code)
  return { status = status, headers = { ["Content-Type"] = "application/xml" },
    body = ("<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>told by the test's store"
      .. "</Message></Error>"):format(code) }
end

-- nil when the request is signed as it must be; else the failure.
local function objection(store, request, query)
  local given = request.headers.authorization or ""
  local id, day, region, names = given:match("^AWS4%-HMAC%-SHA256 ?Credential=([^/]+)/(%d+)/([^/]+)"
    .. "/s3/aws4_request, ?SignedHeaders=([%w;-]+), ?Signature=%x+$")
  if id ~= store.keys.id then return failure(403, "InvalidAccessKeyId") end
  local date = request.headers["x-amz-date"]
  local year, month, dom, hour, minute, second =
    (date or ""):match("^(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)(%d%d)Z$")
  if not year or day ~= year .. month .. dom then return failure(403, "AccessDenied") end
  local now = http.date(("Mon, %s %s %s %s:%s:%s GMT"):format(dom, MONTHS[tonumber(month)], year,
    hour, minute, second))
  local payload = request.headers["x-amz-content-sha256"]
  if payload ~= "UNSIGNED-PAYLOAD" and payload ~= sha256.hex(request.body or "") then
    return failure(400, "XAmzContentSHA256Mismatch")
  end
  local signed = {}
  for name in names:gmatch("[^;]+") do signed[name] = request.headers[name] end
  for _, name in ipairs { "host", "x-amz-date", "x-amz-content-sha256" } do
    if not signed[name] then return failure(403, "AccessDenied") end
  end
  signed.host, signed["x-amz-date"], signed["x-amz-content-sha256"] = nil, nil, nil
  local lines = sigv4.sign({ method = request.method, host = request.headers.host,
    path = request.path, query = query, headers = signed, payload_sha256 = payload }, store.keys,
    { region = region, now = now })
  local function signature(line) return line:match("Signature=(%x+)$") end
  if signature(lines[1]) ~= signature(given) then return failure(403, "SignatureDoesNotMatch") end
  return nil
end

-- MD5 of an object or part, which s3cmd compares.
local function etag_of(body)
  local result = assert(process.run { argv = { "md5sum" }, input = body })
  return '"' .. result.stdout:sub(1, 32) .. '"'
end

local function put_part(store, upload, number, body)
  upload.parts[number] = { body = body, etag = etag_of(body) }
  store.received = store.received + #body
  return { status = 200, headers = { ETag = etag_of(body) } }
end

local function list_parts(upload)
  local xml, numbers = {}, {}
  for number in pairs(upload.parts) do numbers[#numbers + 1] = number end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    local part = upload.parts[number]
    xml[#xml + 1] = ("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>")
      :format(number, part.etag:gsub('"', "&quot;"), #part.body)
  end
  return { status = 200, body = "<ListPartsResult><IsTruncated>false</IsTruncated>"
    .. table.concat(xml) .. "</ListPartsResult>" }
end

local function complete(store, upload, path, xml)
  local bodies, last = {}, 0
  for part in xml:gmatch("<Part>(.-)</Part>") do
    local number = tonumber(part:match("<PartNumber>(%d+)<"))
    local etag = part:match("<ETag>(.-)</ETag>"):gsub("&quot;", '"')
    local have = upload.parts[number]
    if number <= last then return failure(400, "InvalidPartOrder") end
    if not have or have.etag:gsub('"', "") ~= etag:gsub('"', "") then
      return failure(400, "InvalidPart")
    end
    last, bodies[#bodies + 1] = number, have.body
  end
  for i = 1, #bodies - 1 do
    if #bodies[i] < SMALLEST_PART then return failure(400, "EntityTooSmall") end
  end
  store.objects[path] = table.concat(bodies)
  store.uploads[upload.id] = nil
  return { status = 200, body = "<CompleteMultipartUploadResult><ETag>x</ETag>"
    .. "</CompleteMultipartUploadResult>" }
end

local function multipart(store, request, query)
  if query.uploads then
    local id = hex.encode(sha256.hex(request.path .. #store.log)):sub(1, 20)
    store.uploads[id] = { id = id, parts = {} }
    return { status = 200, body = "<InitiateMultipartUploadResult><UploadId>" .. id
      .. "</UploadId></InitiateMultipartUploadResult>" }
  end
  local upload = store.uploads[query.uploadId]
  if not upload then return failure(404, "NoSuchUpload") end
  if request.method == "PUT" then
    return put_part(store, upload, tonumber(query.partNumber), request.body)
  end
  if request.method == "GET" then return list_parts(upload) end
  return complete(store, upload, request.path, request.body)
end

local function answer(store, request, query)
  if query.uploads or query.uploadId then return multipart(store, request, query) end
  if query.location then
    return { status = 200, body = "<LocationConstraint></LocationConstraint>" }
  end
  if request.method == "PUT" then
    store.objects[request.path] = request.body
    store.received = store.received + #request.body
    return { status = 200, headers = { ETag = etag_of(request.body) } }
  end
  local object = store.objects[request.path]
  if not object then return failure(404, "NoSuchKey") end
  return { status = 200, body = object, headers = { ETag = etag_of(object),
    ["Last-Modified"] = "Tue, 24 Nov 2026 12:00:00 GMT" } }
end

--- A store.
-- @param keys {id, secret}
-- @return {objects = {path = bytes}, uploads, log, received = bytes that came in}
function M.new(keys)
  return { keys = keys, objects = {}, uploads = {}, log = {}, received = 0 }
end

--- Answers a request; anybody may read objects.
function M.handle(store, request)
  local query = query_of(request.query or "")
  store.log[#store.log + 1] = request.method .. " " .. request.path .. "?" .. (request.query or "")
  local public = request.method == "GET" and not request.headers.authorization
  local wrong = not public and objection(store, request, query)
  return wrong or answer(store, request, query)
end

return M
