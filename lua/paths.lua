-- Where things lie: the install tree and the user's folders (XDG base directories).
local M = {}

local install_root

--- Called once by boot.lua.
function M.set_root(root)
  install_root = root
end

--- The tree that holds lua/, recipes/ and examples/.
-- @return absolute path
function M.root()
  return install_root
end

-- XDG says: a relative value is to be ignored.
local function base(variable, fallback, env)
  local value = env(variable)
  if value and value:sub(1, 1) == "/" then return value end
  return (env("HOME") or "/") .. fallback
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
