-- Where things lie: the install tree and the user's folders (XDG base directories).
local sys = require "core.sys"

local M = {}

local install_root

--- Called once by boot.lua.
-- @param root absolute path
function M.set_root(root)
  install_root = root
end

--- The tree that holds lua/, recipes/ and examples/.
-- @return absolute path
function M.root()
  return install_root
end

local function is_absolute(path)
  return path ~= nil and path:sub(1, 1) == "/"
end

--- The user's home: HOME, else what the system's list of users says, as a shell takes it.
-- @return absolute path
function M.home(env)
  local home = (env or os.getenv)("HOME")
  return is_absolute(home) and home or sys.home() or "/"
end

-- XDG says: a relative value is to be ignored.
local function base(variable, fallback, env)
  local value = env(variable)
  return is_absolute(value) and value or M.home(env) .. fallback
end

--- Configuration and the user's own scripts.
function M.config(env)
  return base("XDG_CONFIG_HOME", "/.config", env or os.getenv) .. "/bittern"
end

--- The ledger and the work of runs: what must survive.
function M.state(env)
  return base("XDG_STATE_HOME", "/.local/state", env or os.getenv) .. "/bittern"
end

--- What may be deleted at any time: fetched tasks, onboarding, downloads.
function M.cache(env)
  return base("XDG_CACHE_HOME", "/.cache", env or os.getenv) .. "/bittern"
end

return M
