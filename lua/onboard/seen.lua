-- The onboarding page of a task as it was seen last, kept in the cache: to tell what changed since,
-- and for --offline.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local paths = require "bittern.paths"

local M = {}

local LARGEST <const> = 16 << 20

local function path_of(coordinator, slug, env)
  local name = sha256.hex(coordinator .. "\n" .. slug):sub(1, 32)
  return ("%s/onboard/%s.json"):format(paths.cache(env), name)
end

--- The page that was kept.
-- @param coordinator its address
-- @param slug of the task
-- @param env function(name) -> value of an environment variable
-- @return {text =, seen = seconds since 1970}, or nil
function M.read(coordinator, slug, env)
  local text = fs.read(path_of(coordinator, slug, env), LARGEST)
  local page = text and json.decode(text)
  local is_page = type(page) == "table" and type(page.text) == "string"
    and math.type(page.seen) == "integer"
  return is_page and page or nil
end

--- Keeps a page.
-- @param coordinator its address
-- @param slug of the task
-- @param text of the page
-- @param now seconds since 1970
-- @param env function(name) -> value of an environment variable
-- @return true, or nil, message, code
function M.write(coordinator, slug, text, now, env)
  local page = json.encode { text = text, seen = math.floor(now) }
  if not page then return nil, "the page is not UTF-8", "invalid_response" end
  local path = path_of(coordinator, slug, env)
  local made, message, code = fs.mkdir(path:match("^(.*)/"))
  if not made then return nil, message, code end
  return fs.write(path, page)
end

return M
