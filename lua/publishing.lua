-- Putting an artifact at a URL, and proving that the URL gives those very bytes back.
local sha256 = require "core.sha256"

local http = require "bittern.http"
local replay = require "bittern.publishing.replay"
local script = require "bittern.script"

local M = {}

-- A body longer than promised is not read to its end; some slack, so that a server's error page
-- is reported by its status and not by its length.
local SLACK <const> = 1 << 20

local REDIRECTED <const> = "submission artifact redirects are not allowed"

-- What a miner must know who publishes behind a redirect all the same.
M.REFUSED = "the bytes are there, but a validator of the public replay engine would say '"
  .. REDIRECTED .. "'"

local redirecting = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- What the answer's head already says is wrong, or nil.
local function objection(url, response)
  if redirecting[response.status] then
    local to = response.headers.location or "nowhere"
    return ("%s answers %d, a redirect to %s"):format(url, response.status, to), "redirect"
  end
  if response.status == 404 or response.status == 410 then
    return ("%s answers %d"):format(url, response.status), "not_found"
  end
  if response.status ~= 200 then
    return ("%s answers %d, not 200"):format(url, response.status), "http_status"
  end
  return nil
end

-- What is wrong with an answer, or nil.
local function difference(url, artifact, seen)
  if seen.encoding then
    return ("%s sends the file encoded (%s)"):format(url, seen.encoding), "encoded"
  end
  if seen.size ~= artifact.size then
    return ("%s gives %d bytes, not %d"):format(url, seen.size, artifact.size), "integrity"
  end
  if seen.sha256 == artifact.sha256 then return nil end
  return ("%s gives other bytes: SHA-256 %s, not %s"):format(url, seen.sha256, artifact.sha256),
    "integrity"
end

-- One GET over a connection of its own, hashed as it comes.
local function get(url, artifact, on_progress, redirects)
  local hash, size = sha256.new(), 0
  local response, message, code = http.get(url, {
    http2 = false, fresh = true, redirects = redirects, timeout = 0, on_progress = on_progress,
    sink = function(chunk)
      size = size + #chunk
      if size > artifact.size + SLACK then return nil, "longer than published", "integrity" end
      hash:update(chunk)
      return true
    end,
  })
  if not response then return nil, message, code end
  local encoding = response.headers["content-encoding"]
  if encoding and encoding:lower() == "identity" then encoding = nil end
  return response, { status = response.status, length = response.headers["content-length"],
    encoding = encoding, size = size, sha256 = hash:hex() }
end

--- Downloads a URL as a validator does (a new connection, HTTP/1.1, no redirects, every byte) and
-- compares.
-- @param url string
-- @param artifact {size=, sha256=}
-- @param on_progress function(done, total) or nil
-- @param redirects how many are followed, which validators do not
-- @return true, what the public replay engine would say or nil where it would take the bytes; or
--   nil, message, code ("redirect", "integrity", ...)
function M.prove(url, artifact, on_progress, redirects)
  local response, seen, problem = get(url, artifact, on_progress, redirects or 0)
  if not response then return nil, ("%s: %s"):format(url, seen), problem end
  local words = replay.says(url, artifact, seen)
  local message, code = objection(url, response)
  if not message then message, code = difference(url, artifact, seen) end
  if not message then return true, words end
  -- On this machine, in a rehearsal, https is not what is wrong.
  if words and not url:find("^http:") then
    message = ("%s; validators would say '%s'"):format(message, words)
  end
  return nil, message, code
end

--- The environment's name of a publisher's argument: BITTERN_S3_BUCKET is `bucket` of `s3`.
-- @param publisher its name or path
-- @param argument its name
-- @return string
function M.variable(publisher, argument)
  local name = (publisher:match("([^/]*)%.lua$") or publisher):gsub("%W", "_")
  return ("BITTERN_%s_%s"):format(name, argument):upper()
end

-- What the environment says of a publisher's arguments.
local function with_environment(env, name, publisher, set)
  local all = {}
  for argument in pairs(publisher.args or {}) do
    all[argument] = env(M.variable(name, argument))
  end
  for argument, value in pairs(set or {}) do all[argument] = value end
  return all
end

--- A publisher with its arguments.
-- @param ctx {env = function(name) -> value}
-- @param name of the publisher, or a path
-- @param set {argument = text} of the command line
-- @return publisher, its arguments, its path; or nil, message, code
function M.find(ctx, name, set)
  local publisher, path, code = script.find("publish", name)
  if not publisher then return nil, path, code end
  local args, message, id = script.arguments(publisher,
    with_environment(ctx.env, name, publisher, set))
  if not args then return nil, ("publisher %s: %s"):format(name, message), id end
  return publisher, args, path
end

-- What a publisher sees: the command's ctx and its own arguments.
local function seen_by(ctx, args)
  return setmetatable({ args = args }, { __index = ctx })
end

--- Publishes a file and proves that it arrived.
-- @param ctx what publishers see: {base= the coordinator's URL, sign= function(request) -> headers,
--   report=, env=, on_progress=, on_check= function(done, total) of the proof}; they see
--   `args` beside
-- @param name of the publisher
-- @param artifact {path=, size=, sha256=}
-- @param set {argument = text} for the publisher
-- @return url, what the public replay engine would say or nil where it would take the bytes; or
--   nil, message, code
function M.publish(ctx, name, artifact, set)
  local publisher, args, code = M.find(ctx, name, set)
  if not publisher then return nil, args, code end
  local url, how, id = publisher.publish(seen_by(ctx, args), artifact)
  if type(url) ~= "string" then
    return nil, ("publish with %s: %s"):format(name, how or "it named no URL"), id or "script"
  end
  local follows = type(how) == "table" and how.redirects
  local proven, message, kind = M.prove(url, artifact, ctx.on_check or ctx.on_progress,
    follows and 5 or 0)
  if not proven then return nil, message, kind end
  if not follows then return url, message end
  ctx.report.warn(M.REFUSED)
  return url, REDIRECTED
end

return M
