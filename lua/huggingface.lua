-- The Hugging Face hub: its address, the user's token, what a repository holds.
--
-- The environment is that of the hub's own clients: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME,
-- HF_HUB_OFFLINE.
local fs = require "core.fs"

local http = require "bittern.http"
local names = require "bittern.model.zip.names"
local paths = require "bittern.paths"

local M = {}

local ENDPOINT <const> = "https://huggingface.co"
local MOST_TOKEN <const> = 4096
local MOST_PAGES <const> = 1000
local yes <const> = { ["1"] = true, ["on"] = true, ["yes"] = true, ["true"] = true }

--- The hub's address without a slash at its end.
function M.endpoint(env)
  return ((env("HF_ENDPOINT") or ENDPOINT):gsub("/+$", ""))
end

--- The address of its server of datasets.
function M.datasets(env)
  return (M.endpoint(env):gsub("^https://", "https://datasets-server."))
end

--- Whether the user said that the hub is not to be asked.
function M.is_offline(env)
  return yes[(env("HF_HUB_OFFLINE") or ""):lower()] or false
end

-- HF_HOME, or where it is by default.
local function home(env)
  return env("HF_HOME") or (env("XDG_CACHE_HOME") or paths.home(env) .. "/.cache")
    .. "/huggingface"
end

--- The user's token: HF_TOKEN, else the file that the hub's own clients write.
-- @return string, or nil where there is none
function M.token(env)
  local text = env("HF_TOKEN")
    or fs.read(env("HF_TOKEN_PATH") or home(env) .. "/token", MOST_TOKEN)
  text = text and text:match("^%s*(%S+)%s*$")
  return text and text:find("^[%w_.-]+$") and text or nil
end

--- Header lines for the hub's own host.
function M.headers(env)
  local token = M.token(env)
  return token and { "Authorization: Bearer " .. token } or {}
end

--- Percent-encodes a path, leaving its slashes.
function M.escape(path)
  return (path:gsub("[^%w%-_.~/]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- Takes "owner/repo[@revision][:path]" apart.
-- @return {repo, revision = "main", path = or nil}, or nil, message, "usage"
function M.parse(text)
  local repo, rest = text:match("^([%w._-]+/[%w._-]+)(.*)$")
  if repo and ("/" .. repo .. "/"):find("/%.%.?/") then repo = nil end
  local revision, path
  if repo then revision, path = rest:match("^@([^:]+):?(.*)$") end
  if repo and not revision then path = rest == "" and "" or rest:match("^:(.+)$") end
  if not path then
    return nil, ("'hf:%s' is not of the form hf:owner/repo[@revision][:path]"):format(text), "usage"
  end
  return { repo = repo, revision = revision or "main", path = path ~= "" and path or nil }
end

--- URL of a file's bytes.
-- @param place what M.parse gives
function M.url(env, place, path)
  return ("%s/%s/resolve/%s/%s"):format(M.endpoint(env), place.repo,
    M.escape(place.revision):gsub("/", "%%2F"), M.escape(path))
end

local function entry_of(env, place, item)
  local path = item.path
  local ok, message = names.check(path)
  if not ok then return nil, "the hub lists a file whose " .. message, "invalid_response" end
  local lfs = type(item.lfs) == "table" and item.lfs or {}
  local hash = type(lfs.oid) == "string" and lfs.oid:match("^%x+$") and #lfs.oid == 64 and lfs.oid
  return { path = path, size = math.tointeger(lfs.size or item.size), sha256 = hash or nil,
    url = M.url(env, place, path), headers = M.headers(env) }
end

-- Whether an item of a listing is the wanted file, or one below the wanted folder.
local function is_wanted(item, wanted)
  local path = type(item) == "table" and item.type == "file" and item.path
  if type(path) ~= "string" then return false end
  return not wanted or path == wanted or path:sub(1, #wanted + 1) == wanted .. "/"
end

-- The next page of a listing: Link: <URL>; rel="next".
local function next_page(env, response)
  local url = (response.headers.link or ""):match('<([^>]+)>%s*;%s*rel="next"')
  if url and url:sub(1, 1) == "/" then url = M.endpoint(env) .. url end
  local same_host = url and url:sub(1, #M.endpoint(env) + 1) == M.endpoint(env) .. "/"
  return same_host and url or nil
end

--- The commit that a branch or tag is at.
-- @param place as M.parse gives it
-- @return its 40 digits, or nil, message, code
function M.commit(env, place)
  if place.revision:find("^%x+$") and #place.revision == 40 then return place.revision end
  local answer, message, code = http.json("GET", ("%s/api/models/%s/revision/%s"):format(
    M.endpoint(env), place.repo, (M.escape(place.revision):gsub("/", "%%2F"))),
    { headers = M.headers(env), retry = true })
  if not answer then return nil, message, code == "unauthorized" and "access" or code end
  local sha = type(answer) == "table" and answer.sha
  if type(sha) == "string" and sha:find("^%x+$") and #sha == 40 then return sha end
  return nil, ("hf:%s@%s: the hub names no commit"):format(place.repo, place.revision),
    "invalid_response"
end

--- Files of a repository at a revision.
-- @param env function(name) -> value
-- @param place as M.parse gives it; `path` picks one file or one folder
-- @return array of {path, url, size, sha256 or nil, headers}, or nil, message, code
function M.list(env, place)
  local url = ("%s/api/models/%s/tree/%s?recursive=true"):format(M.endpoint(env), place.repo,
    (M.escape(place.revision):gsub("/", "%%2F")))
  local list, pages = {}, 0
  local wanted = place.path and place.path:gsub("/+$", "")
  while url and pages < MOST_PAGES do
    local items, response, code = http.json("GET", url, { headers = M.headers(env), retry = true })
    if not items then return nil, response, code == "unauthorized" and "access" or code end
    for _, item in ipairs(type(items) == "table" and items or {}) do
      if is_wanted(item, wanted) then
        local entry, message, id = entry_of(env, place, item)
        if not entry then return nil, message, id end
        list[#list + 1] = entry
      end
    end
    url, pages = next_page(env, response), pages + 1
  end
  if #list > 0 then return list end
  return nil, ("hf:%s@%s has no %s"):format(place.repo, place.revision, wanted or "files"),
    "not_found"
end

return M
