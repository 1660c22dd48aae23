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

-- What may have been meant: the nearest name, or all there are (of commands, `--help` tells those).
local function hint(kind, name)
  local names = {}
  for _, entry in ipairs(M.list(kind)) do
    if not entry.shadowed then names[#names + 1] = entry.name end
  end
  local near = check.hint(name, names)
  if near ~= "" or kind == "cmd" or #names == 0 then return near end
  return "; there are " .. table.concat(names, ", ")
end

local function unknown(kind, name)
  return nil, ("no %s named '%s'%s"):format(M.word(kind), name, hint(kind, name)), "not_found"
end

local function named(kind, name)
  return not name:find("[^%w_-]") and search.locate(kind, name, M.override)
end

-- What holds the user's power must be his own, of the `--root` that he named, or trusted.
local function guard_of(kind, path)
  local root = M.override and M.override .. "/"
  local is_his = trust.is_own(path) or root and path:sub(1, #root) == root
  if kinds.of(kind).sandbox or is_his then return nil end
  return function(text) return trust.require(path, text, M.word(kind)) end
end

--- The script of a name, or of a path when it contains a slash (modes: of a name only).
-- @param kind "recipe"|"mode"|"publish"|"workflow"|"cmd"
-- @param name string
-- @return the script's table and its path; or nil, message, code
function M.find(kind, name)
  local is_path = name:find("/", 1, true) and not kinds.of(kind).named_only
  local path
  if is_path then path = fs.realpath(name) else path = named(kind, name) end
  if not path then return unknown(kind, name) end
  local value, message, code = M.load(path, kind, guard_of(kind, path))
  if not value then return nil, message, code end
  return value, path
end

return M
