-- Where scripts are found: the folders of a kind in their order, what hides what, and which scripts
-- of a project the user trusts.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local kinds = require "bittern.script.kinds"
local paths = require "bittern.paths"

local M = {}

-- SHA-256 of what the user agreed to run, by path.
local function trusted()
  local text = fs.read(paths.state() .. "/trusted.json", 1 << 20)
  return text and json.decode(text) or {}
end

--- Remembers that the user trusts these very bytes of a project script.
-- @param path string
-- @return true, or nil, message, code
function M.trust(path)
  local absolute, message, code = fs.realpath(path)
  if not absolute then return nil, message, code end
  local list = trusted()
  list[absolute], message, code = sha256.file(absolute)
  if not list[absolute] then return nil, message, code end
  local made, why, id = fs.mkdir(paths.state())
  if not made then return nil, why, id end
  return fs.write(paths.state() .. "/trusted.json", json.encode(list), { mode = 0x180 })
end

local function is_trusted(path)
  local absolute = fs.realpath(path)
  return absolute ~= nil and trusted()[absolute] == (sha256.file(absolute))
end

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

--- Every script of a kind, in search order.
-- @param kind see kinds.of
-- @param override folder of `--root`, or nil
-- @return array of {name, path, from = "root"|"project"|"user"|"installed",
--   shadowed = boolean, untrusted = boolean}
function M.list(kind, override)
  local entries, seen = {}, {}
  for _, place in ipairs(places(kind, override)) do
    for _, name in ipairs(names_in(place.dir)) do
      local path = place.dir .. "/" .. name .. ".lua"
      local untrusted = place.from == "project" and not is_trusted(path)
      entries[#entries + 1] = {
        name = name, path = path, from = place.from, untrusted = untrusted,
        shadowed = seen[name] or false,
      }
      if not untrusted then seen[name] = true end
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
    if readable(path) and (place.from ~= "project" or is_trusted(path)) then return path end
  end
  return nil
end

return M
