-- bittern publish FILE --to P: puts a file at a URL and proves that the URL gives it back.
local sha256 = require "core.sha256"

local auth = require "bittern.auth"
local publishing = require "bittern.publishing"
local script = require "bittern.script"
local session = require "bittern.session"
local wallet = require "bittern.wallet"

-- A line of progress that begins with the first bytes.
local function line(ctx, label, size)
  local progress
  return function(done)
    progress = progress or ctx.report.progress { label = label, total = size, unit = "B" }
    progress:update(done)
  end
end

-- The hotkey is opened only when the publisher signs something.
local function publisher(ctx, url, size)
  local client
  return {
    base = url, report = ctx.report, env = ctx.env,
    on_progress = line(ctx, "publish", size), on_check = line(ctx, "check", size),
    sign = function(request)
      if not client then
        local message, code
        client, message, code = session.client(ctx, { signed = true })
        if not client then return nil, message, code end
      end
      request.now = ctx.now()
      return auth.headers(client.key, request)
    end,
  }
end

-- What would go where; how is the publisher's own business.
local function preview(ctx, artifact, set)
  local found, message, path = publishing.find(ctx, ctx.args.to, set)
  if not found then return nil, message, path end
  if ctx.json then
    ctx.report.data { dry_run = true, publisher = path, size = artifact.size,
      sha256 = artifact.sha256 }
  else
    ctx.report.out(("%s: %s bytes, sha256 %s"):format(artifact.path,
      ctx.report.thousands(artifact.size), artifact.sha256))
    ctx.report.out(("by %s: %s; nothing was sent"):format(path, found.about))
  end
  return true
end

local function publish(ctx)
  local set, wrong, usage = script.settings(ctx.args.set)
  if not set then return nil, wrong, usage end
  local digest, size, code = sha256.file(ctx.args.file)
  if not digest then return nil, size, code end
  if ctx.args.dry_run then
    return preview(ctx, { path = ctx.args.file, size = size, sha256 = digest }, set)
  end
  local client, why, kind = session.client(ctx)
  if not client then return nil, why, kind end
  local artifact = { path = ctx.args.file, size = size, sha256 = digest }
  local url, message, id = publishing.publish(publisher(ctx, client.base, size), ctx.args.to,
    artifact, set)
  if not url then return nil, message, id end
  if ctx.json then
    ctx.report.data { url = url, size = size, sha256 = digest,
      replay = message and { accepted = false, says = message } or { accepted = true } }
  else
    ctx.report.out(url)
    ctx.report.say(("%s bytes, sha256 %s: the URL gives the same"):format(
      ctx.report.thousands(size), digest))
    ctx.report.say("the public replay engine would " .. (message and "say '" .. message .. "'"
      or "take it"))
  end
  return true
end

return {
  api = 1,
  about = "put an artifact at a public URL and prove that it is there",
  group = "artifact",
  args = function(parser)
    parser:argument("file", "the artifact")
    parser:option("--to", "publisher; `bittern scripts` lists them"):argname("PUBLISHER"):count(1)
    parser:option("--set", "an argument of the publisher"):argname "NAME=VALUE":count "*"
    parser:flag("--dry-run", "say what would be published by whom; send nothing")
    wallet.arguments(parser)
  end,
  run = publish,
}
