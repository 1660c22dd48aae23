-- Publisher `put`: one PUT of the whole file, as presigned URLs and many stores
-- take it.
local map = require "core.map"

local http = require "bittern.http"
local private = require "bittern.private_headers"

local function fill(template, artifact)
  local name = artifact.path:match("[^/]+$")
  return (template:gsub("{(%l+[%d]*)}", {
    sha256 = artifact.sha256,
    name = name:gsub("[^%w%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end),
  }))
end

return {
  api = 1,
  about = "a plain PUT to a URL: a presigned URL, your own server",
  args = {
    url = { "", "where to PUT; {sha256} and {name} are filled in" },
    public = { "", "the public URL of the same bytes, if it is another one" },
    headers = { "", "file of header lines to send, such as Authorization; mode 600" },
    type = { "application/zip", "Content-Type" },
  },
  publish = function(ctx, artifact)
    local args = ctx.args
    if args.url == "" then return nil, "give --set url=URL", "usage" end
    local url = fill(args.url, artifact)
    local headers, message, code = private.read(args.headers)
    if not headers then return nil, message, code end
    headers[#headers + 1] = "Content-Type: " .. args.type
    local bytes <close>, why, id = map.open(artifact.path)
    if not bytes then return nil, why, id end
    local response
    response, message, code = http.request { method = "PUT", url = url, headers = headers,
      body = bytes, timeout = 0, retry = true, on_progress = ctx.on_progress }
    if not response then return nil, message, code end
    if response.status >= 200 and response.status < 300 then
      -- A presigned URL's query is a key, not a place.
      return args.public ~= "" and fill(args.public, artifact) or url:match("^[^?#]*")
    end
    return nil, ("PUT %s: status %d: %s"):format(url:match("^[^?#]*"), response.status,
      ctx.report.clean((response.body or ""):sub(1, 200))), "http_status"
  end,
}
