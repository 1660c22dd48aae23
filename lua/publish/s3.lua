-- Publisher `s3`: any S3-compatible store. Large files go up in parts, and a run that was stopped
-- sends only the parts that the store has not got.
--
-- The keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local http = require "bittern.http"
local json = require "bittern.json"
local paths = require "bittern.paths"
local sigv4 = require "bittern.sigv4"

local EMPTY <const> = sha256.hex("")
local MOST_PARTS <const> = 10000
local SMALLEST_PART <const> = 5 << 20 -- but for the last one

local function keys_of(env)
  local id, secret = env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")
  if id and secret then return { id = id, secret = secret, token = env("AWS_SESSION_TOKEN") } end
  return nil, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "access"
end

local function unescape(text)
  local named = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }
  return (text:gsub("&(%w+);", named))
end

-- The text of the first element of that name.
local function element(xml, name)
  local text = xml:match("<" .. name .. ">([^<]*)</" .. name .. ">")
  return text and unescape(text)
end

-- One signed request to the bucket.
local function send(store, request)
  local query = sigv4.query(request.query or {})
  local url = store.origin .. store.path .. (query ~= "" and "?" .. query or "")
  local response, message, code = http.request {
    method = request.method, url = url, body = request.body, timeout = 0,
    on_progress = request.told,
    retry = { idempotent = true }, -- parts and completions may be sent again: the store says so
    headers = function()
      return sigv4.sign({ method = request.method, host = store.host, path = store.path,
        query = request.query, headers = request.headers,
        payload_sha256 = request.sha256 or EMPTY }, store.keys,
        { region = store.region, now = sys.time() // 1 })
    end,
  }
  if not response then return nil, message, code end
  if response.status < 300 then return response end
  local xml = response.body or ""
  local why = element(xml, "Code") or ("status " .. response.status)
  local detail = element(xml, "Message")
  return nil, ("%s %s%s: %s%s"):format(request.method, store.origin, store.path, why,
    detail and " (" .. detail .. ")" or ""), why == "NoSuchUpload" and "not_found"
    or (response.status == 403 or response.status == 401) and "access" or "http_status"
end

-- Bytes of a part: as asked for, and enough that all parts are few enough.
local function part_size(wanted, size)
  return math.max(wanted, SMALLEST_PART, (size + MOST_PARTS - 1) // MOST_PARTS)
end

local function state_path(store, artifact)
  local id = sha256.hex(store.origin .. store.path .. "\n" .. artifact.sha256)
  return paths.state() .. "/uploads/" .. id:sub(1, 32) .. ".json"
end

-- Parts that the store has: {number = {etag, size}}; nil where the upload is gone.
local function list_parts(store, upload)
  local parts, marker = {}, nil
  repeat
    local response, message, code = send(store, { method = "GET",
      query = { uploadId = upload, ["part-number-marker"] = marker } })
    if not response then return nil, message, code end
    for xml in response.body:gmatch("<Part>(.-)</Part>") do
      local number = math.tointeger(tonumber(element(xml, "PartNumber")))
      if number then
        parts[number] = { etag = element(xml, "ETag"), size = tonumber(element(xml, "Size")) }
      end
    end
    local more = element(response.body, "IsTruncated") == "true"
    marker = more and element(response.body, "NextPartNumberMarker") or nil
  until not marker
  return parts
end

-- The upload that an earlier run began, with the size of its parts.
local function resume(store, path)
  local state = json.decode(fs.read(path, 65536) or "")
  local size = type(state) == "table" and math.tointeger(state.part)
  if not size or type(state.upload) ~= "string" then return nil end
  local parts, message, code = list_parts(store, state.upload)
  if parts then return { id = state.upload, part = size, parts = parts } end
  if code == "not_found" then return nil end
  return nil, message, code
end

local function begin(store, path, artifact, wanted)
  local response, message, code = send(store, { method = "POST", query = { uploads = "" },
    headers = { ["content-type"] = "application/zip" } })
  if not response then return nil, message, code end
  local upload = element(response.body, "UploadId")
  if not upload then return nil, "the store names no upload", "invalid_response" end
  local size = part_size(wanted, artifact.size)
  local ok
  ok, message, code = fs.mkdir(path:match("^(.*)/"), 448)
  if ok then
    ok, message, code = fs.write(path, json.encode { upload = upload, part = size }, { mode = 384 })
  end
  if not ok then return nil, message, code end
  return { id = upload, part = size, parts = {} }
end

local function send_part(store, upload, number, piece, told)
  local response, message, code = send(store, { method = "PUT", body = piece, told = told,
    sha256 = sha256.hex(piece), query = { partNumber = ("%d"):format(number),
      uploadId = upload.id } })
  if not response then return nil, message, code end
  return { etag = response.headers.etag, size = piece:size() }
end

local function send_parts(ctx, store, upload, bytes)
  local total, number = bytes:size(), 0
  for first = 0, total - 1, upload.part do
    number = number + 1
    local size = math.min(upload.part, total - first)
    local have = upload.parts[number]
    if not (have and have.etag and have.size == size) then
      local told = ctx.on_progress and function(done) ctx.on_progress(first + done, total) end
      local message, code
      have, message, code = send_part(store, upload, number, bytes:slice(first, size), told)
      if not have then return nil, message, code end
    end
    upload.parts[number] = have
  end
  return number
end

local function complete(store, upload, count)
  local lines = { "<CompleteMultipartUpload>" }
  for number = 1, count do
    lines[#lines + 1] = ("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>"):format(number,
      (upload.parts[number].etag:gsub("[&<>]", "")))
  end
  lines[#lines + 1] = "</CompleteMultipartUpload>"
  local body = table.concat(lines)
  local response, message, code = send(store, { method = "POST", query = { uploadId = upload.id },
    body = body, sha256 = sha256.hex(body) })
  -- An answer that was lost: the object is there by now, or the proof will tell.
  if code == "not_found" then return true end
  if not response then return nil, message, code end
  -- A store may answer 200 and tell of a failure in the body.
  local failure = response.body:find("<Error>", 1, true) and element(response.body, "Code")
  if failure then return nil, "the store cannot join the parts: " .. failure, "server_error" end
  return true
end

local function upload_in_parts(ctx, store, artifact, bytes)
  local path = state_path(store, artifact)
  local upload, message, code = resume(store, path)
  if not upload and message then return nil, message, code end
  if not upload then upload, message, code = begin(store, path, artifact, ctx.args.part << 20) end
  if not upload then return nil, message, code end
  local count
  count, message, code = send_parts(ctx, store, upload, bytes)
  if not count then return nil, message, code end
  local ok
  ok, message, code = complete(store, upload, count)
  if not ok then return nil, message, code end
  fs.remove(path)
  return true
end

local function upload_whole(ctx, store, artifact, bytes)
  return send(store, { method = "PUT", body = bytes, sha256 = artifact.sha256,
    headers = { ["content-type"] = "application/zip" }, told = ctx.on_progress })
end

-- Where the bytes go: path style, which every store knows.
local function store_of(ctx, artifact)
  local args = ctx.args
  if args.bucket == "" then return nil, "give --set bucket=NAME", "usage" end
  local endpoint = args.endpoint ~= "" and args.endpoint
    or ("https://s3.%s.amazonaws.com"):format(args.region)
  local parts, message, code = http.split(endpoint)
  if not parts then return nil, message, code end
  local keys
  keys, message, code = keys_of(ctx.env)
  if not keys then return nil, message, code end
  local usual = parts.scheme == "https" and 443 or 80
  local host = parts.host .. (parts.port ~= usual and ":" .. parts.port or "")
  local key = args.key:gsub("{sha256}", artifact.sha256)
  return { origin = parts.scheme .. "://" .. host, host = host, keys = keys, region = args.region,
    path = "/" .. sigv4.escape(args.bucket) .. "/" .. sigv4.escape(key, "/"), key = key }
end

local function public_url(args, store)
  if args.public == "" then return store.origin .. store.path end
  return (args.public:gsub("{key}", (sigv4.escape(store.key, "/"):gsub("%%", "%%%%"))))
end

return {
  api = 1,
  about = "an S3-compatible store; the bucket must let everybody read",
  args = {
    bucket = { "", "name of the bucket" },
    key = { "{sha256}.zip", "name of the object; {sha256} is filled in" },
    region = { "us-east-1", "the store's region" },
    endpoint = { "", "URL of the store; Amazon's of that region when empty" },
    public = { "", "public URL of an object, with {key}, if it is another one" },
    part = { 64, "MiB of a part; a file no larger goes up in one piece" },
  },
  publish = function(ctx, artifact)
    local store, message, code = store_of(ctx, artifact)
    if not store then return nil, message, code end
    local bytes <close>, why, id = map.open(artifact.path)
    if not bytes then return nil, why, id end
    local send_all = artifact.size > ctx.args.part << 20 and upload_in_parts or upload_whole
    local ok
    ok, message, code = send_all(ctx, store, artifact, bytes)
    if not ok then return nil, message, code end
    return public_url(ctx.args, store)
  end,
}
