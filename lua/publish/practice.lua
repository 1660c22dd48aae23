-- Publisher `practice`: the file store of the practice coordinator. Its files are named by their
-- SHA-256, so publishing the same artifact twice gives the same URL.
local map = require "core.map"

local http = require "bittern.http"

return {
  api = 1,
  about = "the practice coordinator's own file store, for rehearsals",
  publish = function(ctx, artifact)
    local path = "/files/" .. artifact.sha256 .. ".zip"
    local bytes <close>, message, code = map.open(artifact.path)
    if not bytes then return nil, message, code end
    local headers
    headers, message, code = ctx.sign {
      method = "PUT", path = path, body_sha256 = artifact.sha256, content_type = "application/zip",
    }
    if not headers then return nil, message, code end
    local url = ctx.base .. path
    local response
    response, message, code = http.request {
      method = "PUT", url = url, headers = headers, body = bytes, timeout = 0,
      on_progress = ctx.on_progress,
    }
    if not response then return nil, message, code end
    if response.status < 300 then return url end
    return nil, ("PUT %s: status %d: %s"):format(url, response.status,
      ctx.report.clean((response.body or ""):sub(1, 200))), "http_status"
  end,
}
