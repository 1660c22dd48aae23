-- Publisher `s3`: any S3-compatible store. Large files go up in parts, several at a time, and a run
-- that was stopped sends only the parts that the store has not got.
--
-- The keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
local map = require "core.map"

local http = require "bittern.http"
local multipart = require "bittern.s3.multipart"
local parts = require "bittern.publishing.parts"
local s3 = require "bittern.s3"
local sigv4 = require "bittern.sigv4"

local function keys_of(env)
  local id, secret = env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")
  if id and secret then return { id = id, secret = secret, token = env("AWS_SESSION_TOKEN") } end
  return nil, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", "access"
end

local function upload_in_parts(ctx, object, artifact)
  local part, parallel = parts.limits(ctx.args)
  return multipart.upload(object, artifact, { part = (part << 20) // parallel,
    parallel = parallel, on_progress = ctx.on_progress })
end

local function upload_whole(ctx, object, artifact)
  local bytes <close>, message, code = map.open(artifact.path)
  if not bytes then return nil, message, code end
  return s3.send(object, { method = "PUT", body = bytes, sha256 = artifact.sha256,
    headers = { ["content-type"] = "application/zip" }, told = ctx.on_progress })
end

-- Where the bytes go: path style, which every store knows.
local function object_of(ctx, artifact)
  local args = ctx.args
  if args.bucket == "" then return nil, "give --set bucket=NAME", "usage" end
  local endpoint = args.endpoint ~= "" and args.endpoint
    or ("https://s3.%s.amazonaws.com"):format(args.region)
  local place, message, code = http.split(endpoint)
  if not place then return nil, message, code end
  local keys
  keys, message, code = keys_of(ctx.env)
  if not keys then return nil, message, code end
  local usual = place.scheme == "https" and 443 or 80
  local host = place.host .. (place.port ~= usual and ":" .. place.port or "")
  local key = args.key:gsub("{sha256}", artifact.sha256)
  return { origin = place.scheme .. "://" .. host, host = host, keys = keys, region = args.region,
    path = "/" .. sigv4.escape(args.bucket) .. "/" .. sigv4.escape(key, "/"), key = key }
end

local function public_url(args, object)
  if args.public == "" then return object.origin .. object.path end
  return (args.public:gsub("{key}", (sigv4.escape(object.key, "/"):gsub("%%", "%%%%"))))
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
    part = { 64, "MiB under way at once, all that a stop costs; no larger file goes up in parts" },
    parallel = { 4, "parts under way at once" },
  },
  publish = function(ctx, artifact)
    local part, wrong, usage = parts.limits(ctx.args)
    if not part then return nil, wrong, usage end
    local object, message, code = object_of(ctx, artifact)
    if not object then return nil, message, code end
    local upload = artifact.size > part << 20 and upload_in_parts or upload_whole
    local ok
    ok, message, code = upload(ctx, object, artifact)
    if not ok then return nil, message, code end
    return public_url(ctx.args, object)
  end,
}
