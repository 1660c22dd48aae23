-- bittern sign: the headers of one signed request, for curl and for other programs.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local auth = require "bittern.auth"
local canonical = require "bittern.canonical"
local wallet = require "bittern.wallet"

-- The canonical text of a body file: what is hashed, and what should be sent.
local function read_body(path)
  local text, message, code = fs.read(path)
  if not text then return nil, message, code end
  local value, why, id = canonical.decode(text)
  if value == nil then return nil, path .. ": " .. why, id end
  return canonical.encode(value)
end

local function as_json(headers, body)
  local object = { body_sha256 = sha256.hex(body or ""), body = body }
  for _, header in ipairs(headers) do
    local name, value = header:match("^([^:]+): (.*)$")
    object[name] = value
  end
  return object
end

local function request_of(ctx)
  local args = ctx.args
  local request = {
    method = args.method, path = args.path, query = args.query or "",
    timestamp = args.timestamp or math.tointeger(ctx.now() // 1),
  }
  local ok, message, code = auth.check(request)
  if not ok then return nil, message, code end
  if args.body then
    request.body, message, code = read_body(args.body)
    if not request.body then return nil, message, code end
  end
  return request
end

local function headers_of(ctx, request)
  local opened, message, code = wallet.from_args(ctx.args, ctx.env)
  if not opened then return nil, message, code end
  local key <close> = opened.key
  for _, warning in ipairs(opened.warnings) do ctx.report.warn(warning) end
  return auth.headers(key, {
    method = request.method, path = request.path, query = request.query, body = request.body,
    now = request.timestamp,
  })
end

local function whole_seconds(text)
  local seconds = text:find("^%d+$") and math.tointeger(tonumber(text))
  if seconds then return seconds end
  return nil, "--timestamp must be whole seconds"
end

return {
  api = 1,
  about = "sign a request with the hotkey and print its headers",
  group = "self",
  args = function(parser)
    parser:option("--method", "GET, POST, ..."):argname("M"):count(1)
    parser:option("--path", "path without the prefix of the base URL"):argname("P"):count(1)
    parser:option("--query", "query as it goes on the wire, without ?"):argname "Q"
    parser:option("--timestamp", "seconds since 1970 (else now)"):argname "T"
      :convert(whole_seconds)
    parser:option("--body", "a file of JSON; its canonical form is hashed"):argname "FILE"
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local request, message, code = request_of(ctx)
    if not request then return nil, message, code end
    local headers, why, id = headers_of(ctx, request)
    if not headers then return nil, why, id end
    if ctx.json then
      ctx.report.data(as_json(headers, request.body))
    else
      for _, header in ipairs(headers) do ctx.report.out(header) end
    end
    return true
  end,
}
