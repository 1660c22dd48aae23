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
  local file = json.decode(request.body).files[1]
  hub.sample = file.sample
  return answer(200, { files = json.array { { path = file.path, shouldIgnore = false,
    uploadMode = file.size > hub.regular and "lfs" or "regular" } } })
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
      for number = 1, (object.size + hub.chunk - 1) // hub.chunk do
        header[("%05d"):format(number)] = ("%s/part/%s/%d?X-Sig=1"):format(hub.store_url,
          object.oid, number)
      end
      href = hub.store_url .. "/complete/" .. object.oid
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

--- The store behind it, which must never see the token.
function M.store(hub, request)
  if request.headers.authorization then hub.leaked = true end
  local kind, oid, number = request.path:match("^/(%l+)/(%x+)/?(%d*)$")
  if kind == "whole" then
    hub.stored[oid] = request.body
    return { status = 200 }
  elseif kind == "part" then
    hub.parts[tonumber(number)] = request.body
    return { status = 200, headers = { ETag = '"p' .. number .. '"' } }
  elseif kind == "complete" then
    local body = json.decode(request.body)
    local pieces = {}
    for i, part in ipairs(body.parts) do
      assert(part.partNumber == i and part.etag == '"p' .. i .. '"')
      pieces[i] = hub.parts[i]
    end
    local bytes = table.concat(pieces)
    if sha256.hex(bytes) ~= oid then return { status = 400 } end
    hub.stored[oid] = bytes
    return answer(200, {})
  end
  return { status = 200, body = hub.stored[oid] }
end

--- @return the hub's state: {token, url and store_url to be set, repos, stored, commits, log}
function M.new(options)
  local hub = { token = "hf_canary", repos = {}, stored = {}, parts = {}, commits = 0, log = {},
    regular = 1000, chunk = 1 << 20 }
  for key, value in pairs(options or {}) do hub[key] = value end
  return hub
end

return M
