-- User-facing scripts: recipes, modes, publishers, workflows and commands, found and loaded.
local fs = require "core.fs"

local arguments = require "bittern.script.arguments"
local check = require "bittern.check"
local kinds = require "bittern.script.kinds"
local loading = require "bittern.script.load"
local paths = require "bittern.paths"
local search = require "bittern.script.search"
local trust = require "bittern.trust"

local M = {}

M.load, M.glance, M.chunk = loading.script, loading.glance, loading.chunk
M.arguments, M.settings = arguments.values, arguments.settings
M.kinds, M.word = kinds.names, kinds.word
M.kind_of, M.root_of = kinds.kind_of, kinds.root_of

--- The folder that the user's own scripts come from first: `--root`, or the configuration's.
-- @return absolute path
function M.own_folder()
  return M.override or paths.config()
end

--- Every script of a kind, in search order.
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @return array of {name, path, from = "root"|"project"|"user"|"installed",
--   shadowed = boolean, untrusted = boolean, sandboxed = boolean}
function M.list(kind)
  return search.list(kind, M.override)
end

local function unknown(kind, name)
  local names = {}
  for _, entry in ipairs(M.list(kind)) do names[#names + 1] = entry.name end
  local near = check.nearest(name, names)
  local hint = near and ("; did you mean '%s'?"):format(near) or ""
  return nil, ("no %s named '%s'%s"):format(M.word(kind), name, hint), "not_found"
end

-- The file of a path that somebody gave. What holds the user's power must be his own or trusted.
local function given(kind, name)
  local path = fs.realpath(name)
  if not path then return unknown(kind, name) end
  if kinds.of(kind).sandbox then return path end
  local ok, message, code = trust.require(path, M.word(kind))
  if not ok then return nil, message, code end
  return path
end

local function named(kind, name)
  local path = not name:find("[^%w_-]") and search.locate(kind, name, M.override)
  if path then return path end
  return unknown(kind, name)
end

--- The script of a name, or of a path when it contains a slash (modes: of a name only).
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @param name string
-- @return the script's table and its path; or nil, message, code
function M.find(kind, name)
  local is_path = name:find("/", 1, true) and not kinds.of(kind).named_only
  local path, message, code = (is_path and given or named)(kind, name)
  if not path then return nil, message, code end
  local value, why, id = M.load(path, kind)
  if not value then return nil, why, id end
  return value, path
end

return M
