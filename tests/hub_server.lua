-- A small Hugging Face hub: preupload, LFS batches in one piece or in parts, verification, commits
-- on top of the commit that the client saw. It refuses what the real one refuses.
local sha256 = require "core.sha256"
local json = require "bittern.json"

local M = {}

local LFS <const> = "application/vnd.git-lfs+json"

local function answer(status, value)
  return { status = status, body = json.encode(value) }
end

local routes = {}

routes["GET /api/models/([^/]+/[^/]+)"] = function(hub, _, repo)
  if not hub.repos[repo] then return answer(404, { error = "Repository not found" }) end
  return answer(200, { id = repo })
end

routes["POST /api/repos/create"] = function(hub, request)
  local body = json.decode(request.body)
  local repo = body.organization .. "/" .. body.name
  if hub.repos[repo] then return answer(409, { error = "exists" }) end
  hub.repos[repo] = { head = ("0"):rep(40), files = {} }
  return answer(200, { url = hub.url .. "/" .. repo })
end

routes["GET /api/models/([^/]+/[^/]+)/revision/main"] = function(hub, _, repo)
  return answer(200, { sha = hub.repos[repo].head })
end

routes["POST /api/models/([^/]+/[^/]+)/preupload/main"] = function(hub, request)
  local list = {}
  for i, file in ipairs(json.decode(request.body).files) do
    hub.sample = file.sample
    list[i] = { path = file.path, shouldIgnore = false,
      uploadMode = file.size > hub.regular and "lfs" or "regular" }
  end
  return answer(200, { files = json.array(list) })
end

routes["POST /([^/]+/[^/]+)%.git/info/lfs/objects/batch"] = function(hub, request)
  if request.headers["content-type"] ~= LFS or request.headers.accept ~= LFS then
    return answer(415, { error = "not LFS" })
  end
  local object = json.decode(request.body).objects[1]
  local out = { oid = object.oid, size = object.size }
  if not hub.stored[object.oid] then
    local header = {}
    local href = hub.store_url .. "/whole/" .. object.oid .. "?X-Sig=1"
    if object.size > hub.chunk then
      header.chunk_size = ("%d"):format(hub.chunk)
      hub.uploads = hub.uploads + 1
      for number = 1, (object.size + hub.chunk - 1) // hub.chunk do
        header[("%05d"):format(number)] = ("%s/part/%s/%d?X-Sig=%d"):format(
          hub.store_url, object.oid, number, hub.uploads)
      end
      href = ("%s/complete/%s?X-Sig=%d"):format(hub.store_url, object.oid, hub.uploads)
    end
    out.actions = { upload = { href = href, header = header },
      verify = { href = hub.url .. "/verify" } }
  end
  return answer(200, { transfer = "basic", objects = json.array { out } })
end

routes["POST /verify"] = function(hub, request)
  local body = json.decode(request.body)
  local have = hub.stored[body.oid]
  return answer(have and #have == body.size and 200 or 404, {})
end

routes["POST /api/models/([^/]+/[^/]+)/commit/main"] = function(hub, request, repo)
  local lines = {}
  for line in request.body:gmatch("[^\n]+") do lines[#lines + 1] = json.decode(line) end
  local state = hub.repos[repo]
  if lines[1].key ~= "header" or lines[1].value.parentCommit ~= state.head then
    return answer(412, { error = "A commit has happened since" })
  end
  for i = 2, #lines do
    local value = lines[i].value
    if lines[i].key == "lfsFile" then
      if not hub.stored[value.oid] then return answer(400, { error = "no such LFS object" }) end
      state.files[value.path] = { oid = value.oid }
    else
      state.files[value.path] = { content = value.content }
    end
  end
  state.head = sha256.hex(request.body .. state.head):sub(1, 40)
  hub.commits = hub.commits + 1
  return answer(200, { commitOid = state.head, commitUrl = hub.url })
end

routes["%u+ /([^/]+/[^/]+)/resolve/(%x+)/(.+)"] = function(hub, _, repo, _, path)
  local file = hub.repos[repo].files[path]
  if not file then return answer(404, { error = "Entry not found" }) end
  if file.oid then
    return { status = 302, headers = { Location = hub.store_url .. "/file/" .. file.oid,
      ["X-Linked-Etag"] = '"' .. file.oid .. '"',
      ["X-Linked-Size"] = ("%d"):format(#hub.stored[file.oid]) } }
  end
  return { status = 200, body = hub.decode(file.content) }
end

--- The hub itself; every call needs the token.
function M.handle(hub, request)
  hub.log[#hub.log + 1] = request.method .. " " .. request.path
  local public = request.path:find("/resolve/")
  if not public and request.headers.authorization ~= "Bearer " .. hub.token then
    return answer(401, { error = "Invalid credentials" })
  end
  for pattern, route in pairs(routes) do
    local found = { (request.method .. " " .. request.path):match("^" .. pattern .. "$") }
    if found[1] then return route(hub, request, table.unpack(found)) end
  end
  return answer(404, { error = "no route" })
end

-- Parts of an upload: they belong to the answer that gave their URLs, and expire with it.
local function take_part(hub, upload, number, body)
  hub.parts[upload] = hub.parts[upload] or {}
  hub.parts[upload][number] = body
  hub.received = hub.received + #body
  return { status = 200, headers = { ETag = ('"p%d-%s"'):format(number, upload) } }
end

local function join(hub, upload, oid, wanted)
  local pieces = {}
  for i, part in ipairs(wanted) do
    assert(part.partNumber == i and part.etag == ('"p%d-%s"'):format(i, upload))
    pieces[i] = hub.parts[upload][i]
  end
  local bytes = table.concat(pieces)
  if sha256.hex(bytes) ~= oid then return { status = 400 } end
  hub.stored[oid], hub.parts[upload] = bytes, nil
  return answer(200, {})
end

--- The store behind it, which must never see the token.
function M.store(hub, request)
  if request.headers.authorization then hub.leaked = true end
  local kind, oid, number = request.path:match("^/(%l+)/(%x+)/?(%d*)$")
  local upload = (request.query or ""):match("^X%-Sig=(%d+)$")
  if kind == "file" then return { status = 200, body = hub.stored[oid] } end
  if not upload or tonumber(upload) <= hub.expired then return { status = 403 } end
  if kind == "part" then return take_part(hub, upload, tonumber(number), request.body) end
  if kind == "complete" then
    return join(hub, upload, oid, json.decode(request.body).parts)
  end
  hub.stored[oid] = request.body
  return { status = 200 }
end

--- @return the hub's state: {token, url and store_url to be set, repos, stored, commits, log}
function M.new(options)
  local hub = { token = "hf_canary", repos = {}, stored = {}, parts = {}, commits = 0, log = {},
    uploads = 0, expired = 0, received = 0, regular = 1000, chunk = 1 << 20 }
  for key, value in pairs(options or {}) do hub[key] = value end
  return hub
end

return M
