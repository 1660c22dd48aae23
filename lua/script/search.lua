-- Where scripts are found: the folders of a kind in their order, and what hides what.
local fs = require "core.fs"

local kinds = require "bittern.script.kinds"
local paths = require "bittern.paths"
local trust = require "bittern.trust"

local M = {}

-- Folders of a kind, first wins.
local function places(kind, override)
  local known = kinds.of(kind)
  local list = {
    { dir = paths.config() .. "/" .. known.folder, from = "user" },
    { dir = paths.root() .. "/" .. known.installed, from = "installed" },
  }
  local project = fs.realpath(".bittern/" .. known.folder)
  if project then table.insert(list, 1, { dir = project, from = "project" }) end
  local first = override and fs.realpath(override .. "/" .. known.folder)
  if first then table.insert(list, 1, { dir = first, from = "root" }) end
  return list
end

local function names_in(dir)
  local lfs = require "lfs"
  local names = {}
  if lfs.attributes(dir, "mode") ~= "directory" then return names end
  for entry in lfs.dir(dir) do
    local name = entry:match("^([%w_-]+)%.lua$")
    if name then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function is_sandboxed(kind, path)
  return kinds.of(kind).sandbox == true and not trust.is_own(path) and not trust.knows(path)
end

--- Every script of a kind, in search order.
-- @param kind see kinds.of
-- @param override folder of `--root`, or nil
-- @return array of {name, path, from = "root"|"project"|"user"|"installed",
--   shadowed = boolean, untrusted = boolean, sandboxed = boolean}
function M.list(kind, override)
  local entries, seen = {}, {}
  for _, place in ipairs(places(kind, override)) do
    for _, name in ipairs(names_in(place.dir)) do
      local path = place.dir .. "/" .. name .. ".lua"
      local trusted = place.from ~= "project" or trust.knows(path)
      entries[#entries + 1] = {
        name = name, path = path, from = place.from, untrusted = not trusted,
        shadowed = seen[name] or false, sandboxed = is_sandboxed(kind, path),
      }
      if trusted then seen[name] = true end
    end
  end
  return entries
end

local function readable(path)
  local file <close> = io.open(path)
  return file ~= nil
end

--- The first place that has a script of this name; only the project folder asks for trust.
-- @param kind see kinds.of
-- @param name string
-- @param override folder of `--root`, or nil
-- @return path, or nil
function M.locate(kind, name, override)
  for _, place in ipairs(places(kind, override)) do
    local path = place.dir .. "/" .. name .. ".lua"
    if readable(path) and (place.from ~= "project" or trust.knows(path)) then return path end
  end
  return nil
end

return M
