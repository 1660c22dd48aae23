-- Publisher `huggingface`: a file in a repository of the hub, by its LFS protocol.
--
--   preupload      which way the file goes: in the commit itself, or to LFS
--   objects/batch  where LFS wants the bytes: nowhere (it has them), one URL, or one for each part
--   PUT            the bytes; parts that an earlier run sent do not go again
--   commit         the pointer, on top of the very commit that was seen before
--
-- Large files answer `resolve` with a redirect, which the public replay engine refuses: this is
-- said before anything is sent.
local fs = require "core.fs"
local map = require "core.map"

local base64 = require "bittern.base64"
local http = require "bittern.http"
local huggingface = require "bittern.huggingface"
local json = require "bittern.json"
local lfs = require "bittern.huggingface.lfs"
local parts = require "bittern.publishing.parts"

local SAMPLE <const> = 512      -- bytes of the file that the hub looks at
local MOST_REGULAR <const> = 10 << 20

local function hub_of(ctx)
  local repo = ctx.args.repo
  if not repo:find("^[%w._-]+/[%w._-]+$") then
    return nil, "give --set repo=OWNER/NAME", "usage"
  end
  if huggingface.is_offline(ctx.env) then
    return nil, "nothing is published, because of HF_HUB_OFFLINE", "offline"
  end
  if not huggingface.token(ctx.env) then
    return nil, "no token: set HF_TOKEN, or log in with the hub's own client", "access"
  end
  local revision = huggingface.escape(ctx.args.revision):gsub("/", "%%2F")
  return { endpoint = huggingface.endpoint(ctx.env), headers = huggingface.headers(ctx.env),
    repo = repo, revision = revision }
end

-- Makes the repository where it is not there yet.
local function ensure_repository(ctx, hub)
  local found, message, code = lfs.call(hub, "GET", "/api/models/" .. hub.repo, nil,
    { retry = true })
  if found or code ~= "not_found" and code ~= "access" then return found, message, code end
  if not ctx.args.create then return nil, message, code end
  local owner, name = hub.repo:match("^(.-)/(.+)$")
  local made, why, id = lfs.call(hub, "POST", "/api/repos/create", json.encode {
    name = name, organization = owner, type = "model", private = false })
  if made or id == "conflict" then return true end
  return nil, why, id
end

-- The commit that ours goes on top of.
local function head_of(hub)
  local found, message, code = lfs.call(hub, "GET", ("/api/models/%s/revision/%s"):format(hub.repo,
    hub.revision), nil, { retry = true })
  if not found then return nil, message, code end
  return type(found.sha) == "string" and found.sha or nil, "the hub names no commit",
    "invalid_response"
end

-- "lfs" or "regular".
local function way_of(hub, path, bytes)
  local sample = bytes:size() > 0 and bytes:read(0, math.min(SAMPLE, bytes:size())) or ""
  local answer, message, code = lfs.call(hub, "POST",
    ("/api/models/%s/preupload/%s"):format(hub.repo, hub.revision),
    json.encode { files = json.array { { path = path, size = bytes:size(),
      sample = base64.encode(sample) } } }, { retry = true })
  if not answer then return nil, message, code end
  local file = type(answer.files) == "table" and answer.files[1] or {}
  if file.shouldIgnore then
    return nil, ("the repository's .gitignore leaves out %s"):format(path), "rejected"
  end
  return file.uploadMode == "regular" and "regular" or "lfs"
end

-- The commit; sent once, since a second one would be another commit.
local function commit(ctx, hub, parent, operation)
  local lines = {
    json.encode { key = "header", value = { summary = ctx.args.message, description = "",
      parentCommit = parent } },
    json.encode(operation),
  }
  local answer, message, code = lfs.call(hub, "POST",
    ("/api/models/%s/commit/%s"):format(hub.repo, hub.revision), table.concat(lines, "\n") .. "\n",
    { kind = "application/x-ndjson" })
  if answer and type(answer.commitOid) == "string" then return answer.commitOid end
  if answer then return nil, "the hub names no commit", "invalid_response" end
  return nil, message, code
end

local function operation_of(way, path, artifact)
  if way == "regular" then
    local content, message, code = fs.read(artifact.path, MOST_REGULAR)
    if not content then return nil, message, code end
    return { key = "file", value = { path = path, encoding = "base64",
      content = base64.encode(content) } }
  end
  return { key = "lfsFile", value = { path = path, algo = "sha256", oid = artifact.sha256,
    size = artifact.size } }
end

-- Whether the file is there at that revision already, as an earlier run committed it.
local function is_there(hub, revision, path, artifact)
  local response = http.request { method = "HEAD", headers = hub.headers,
    url = ("%s/%s/resolve/%s/%s"):format(hub.endpoint, hub.repo, revision,
      huggingface.escape(path)) }
  local etag = response and (response.headers["x-linked-etag"] or "")
  return etag and etag:gsub('"', "") == artifact.sha256
end

local REDIRECT <const> = "the hub answers for files of this kind with a redirect, which the "
  .. "public replay engine refuses ('submission artifact redirects are not allowed'); s3, put and "
  .. "directory do not have this problem; --set redirect=accept uploads all the same"

local function upload(ctx, hub, artifact, path)
  local bytes <close>, message, code = map.open(artifact.path)
  if not bytes then return nil, message, code end
  local parent, why, id = head_of(hub)
  if not parent then return nil, why, id end
  if is_there(hub, parent, path, artifact) then return parent end
  local way
  way, message, code = way_of(hub, path, bytes)
  if not way then return nil, message, code end
  if way == "lfs" and ctx.args.redirect ~= "accept" then return nil, REDIRECT, "redirect" end
  if way == "lfs" then
    local ok
    ok, message, code = lfs.send(hub, artifact, bytes, { on_progress = ctx.on_progress,
      parallel = select(2, parts.limits(ctx.args)) })
    if not ok then return nil, message, code end
  end
  local operation
  operation, message, code = operation_of(way, path, artifact)
  if not operation then return nil, message, code end
  return commit(ctx, hub, parent, operation)
end

return {
  api = 1,
  about = "a repository of the Hugging Face hub",
  args = {
    repo = { "", "OWNER/NAME of the repository" },
    revision = { "main", "branch" },
    name = { "{sha256}.zip", "name of the file there" },
    message = { "Add an artifact", "summary of the commit" },
    parallel = { 4, "parts under way at once" },
    create = { true, "make the repository where it is not there" },
    redirect = { "refuse", "accept: upload although large files answer with a redirect" },
  },
  publish = function(ctx, artifact)
    local part, wrong, usage = parts.limits(ctx.args)
    if not part then return nil, wrong, usage end
    local hub, message, code = hub_of(ctx)
    if not hub then return nil, message, code end
    local ok
    ok, message, code = ensure_repository(ctx, hub)
    if not ok then return nil, message, code end
    local path = ctx.args.name:gsub("{sha256}", artifact.sha256)
    local oid
    oid, message, code = upload(ctx, hub, artifact, path)
    if not oid then return nil, message, code end
    return ("%s/%s/resolve/%s/%s"):format(hub.endpoint, hub.repo, oid, huggingface.escape(path)),
      { redirects = ctx.args.redirect == "accept" }
  end,
}
