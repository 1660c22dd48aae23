---@meta bittern.paths
-- Generated from lua/paths.lua by docs/generate.lua (`make docs`); edit there.

--- Where things lie: the install tree and the user's folders (XDG base directories).
---@class bittern.paths
local M = {}

--- Called once by boot.lua.
---@param root string absolute path
function M.set_root(root) end

--- The tree that holds lua/, recipes/ and examples/.
---@return string # absolute path.
function M.root() end

--- The user's home: HOME, else what the system's list of users says, as a shell takes it.
---@param env function function(name) -> value, as os.getenv
---@return string # absolute path.
function M.home(env) end

--- Configuration and the user's own scripts.
---@param env function function(name) -> value, as os.getenv
function M.config(env) end

--- The ledger and the work of runs: what must survive.
---@param env function function(name) -> value, as os.getenv
function M.state(env) end

--- What may be deleted at any time: fetched tasks, onboarding, downloads.
---@param env function function(name) -> value, as os.getenv
function M.cache(env) end

return M
