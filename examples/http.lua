-- One HTTP request: `bittern run examples/http.lua URL`. Any status is a result.
local http = require "core.http"

local url = ... or "https://example.org/"
local size = 0
local response, message, code = http.request {
  url = url,
  sink = function(piece)
    size = size + #piece
    return size < 1 << 20 or nil, "that is enough", "stopped"
  end,
}
if not response then return nil, message, code end
print(response.status, response.headers["content-type"], size .. " bytes")
