-- A server that tells what it was asked: `bittern run examples/httpd.lua SECONDS`, then
-- `curl -d hello http://127.0.0.1:PORT/some/path?x=1`.
local httpd = require "core.httpd"

local server <close> = assert(httpd.listen {})
io.stderr:write(("listening on http://127.0.0.1:%d\n"):format(server:port()))
return server:step(function(request)
  return {
    headers = { ["Content-Type"] = "text/plain" },
    body = ("%s %s with query '%s' and %d bytes\n"):format(
      request.method, request.path, request.query, request.size),
  }
end, tonumber((...)) or 5)
