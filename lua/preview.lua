-- What `--dry-run` shows: the request that would be sent, to the byte, its signature left out.
local auth = require "bittern.auth"
local canonical = require "bittern.canonical"

local M = {}

--- A signed request as it would be sent.
-- @param client a coordinator client with a key
-- @param request {method=, path=, body= text or nil, body_sha256= of a file, content_type=}
-- @return {method=, url=, headers={...}, body=}, or nil, message, code
function M.request(client, request)
  local headers, message, code = auth.headers(client.key, {
    method = request.method, path = request.path, body = request.body,
    body_sha256 = request.body_sha256, content_type = request.content_type, now = client.now(),
  })
  if not headers then return nil, message, code end
  for i, header in ipairs(headers) do
    headers[i] = header:gsub("^(X%-Signature: ).*", "%1(redacted)")
  end
  return {
    method = request.method, url = client.base .. request.path, headers = canonical.array(headers),
    body = request.body,
  }
end

--- The request that claims a task.
-- @param task task record
-- @param fields table, the body
function M.claim(client, task, fields)
  local body, message, code = canonical.encode(fields)
  if not body then return nil, message, code end
  return M.request(client, {
    method = "POST", path = ("/api/v1/tasks/%s/claim"):format(task.id), body = body,
  })
end

--- The request that claims a work item.
-- @param item its record
-- @param fields table, the body
function M.claim_work_item(client, item, fields)
  local body, message, code = canonical.encode(fields)
  if not body then return nil, message, code end
  return M.request(client, {
    method = "POST", path = ("/api/v1/work-items/%s/claim"):format(item.id), body = body,
  })
end

--- The request that submits.
-- @param body table, as bittern.submit makes it
function M.submission(client, body)
  local text, message, code = canonical.encode(body)
  if not text then return nil, message, code end
  return M.request(client, { method = "POST", path = "/api/v1/submissions", body = text })
end

--- Lines of a request for people.
-- @return array of strings
function M.lines(request)
  local lines = { ("%s %s"):format(request.method, request.url) }
  for _, header in ipairs(request.headers) do lines[#lines + 1] = header end
  if request.body then
    lines[#lines + 1] = ""
    lines[#lines + 1] = request.body
  end
  return lines
end

--- Shows one request as the result of a command: lines, or one object with --json.
-- @param ctx a command's context
-- @return true
function M.show(ctx, request)
  if ctx.json then
    ctx.report.data { dry_run = true, request = request }
  else
    for _, line in ipairs(M.lines(request)) do ctx.report.out(line) end
  end
  return true
end

--- Shows several requests, or none, as M.show shows one.
-- @param requests array
function M.show_all(ctx, requests)
  if ctx.json then
    ctx.report.data { dry_run = true, requests = canonical.array(requests) }
    return true
  end
  for i, request in ipairs(requests) do
    if i > 1 then ctx.report.out("") end
    for _, line in ipairs(M.lines(request)) do ctx.report.out(line) end
  end
  if #requests == 0 then ctx.report.say("nothing would be sent") end
  return true
end

return M
