---@meta bittern.huggingface
-- Generated from lua/huggingface.lua by docs/generate.lua (`make docs`); edit there.

--- The Hugging Face hub: its address, the user's token, what a repository holds.
--- 
--- The environment is that of the hub's own clients: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME,
--- HF_HUB_OFFLINE.
---@class bittern.huggingface
local M = {}

--- The hub's address without a slash at its end.
---@param env function function(name) -> value, as os.getenv
function M.endpoint(env) end

--- The address of its server of datasets.
---@param env function function(name) -> value, as os.getenv
function M.datasets(env) end

--- Whether the user said that the hub is not to be asked.
---@param env function function(name) -> value, as os.getenv
function M.is_offline(env) end

--- The user's token: HF_TOKEN, else the file that the hub's own clients write.
---@param env function function(name) -> value, as os.getenv
---@return string? # string, or nil where there is none.
function M.token(env) end

--- Header lines for the hub's own host.
---@param env function function(name) -> value, as os.getenv
function M.headers(env) end

--- Percent-encodes a path, leaving its slashes.
---@param path string
function M.escape(path) end

--- Takes "owner/repo[@revision][:path]" apart.
---@param text string
---@return table? # {repo, revision = "main", path = or nil}, or nil, message, "usage".
---@return string? message
---@return string? code
function M.parse(text) end

--- URL of a file's bytes.
---@param env function function(name) -> value, as os.getenv
---@param place any what bittern.huggingface.parse gives
---@param path string
function M.url(env, place, path) end

--- The commit that a branch or tag is at.
---@param env function function(name) -> value, as os.getenv
---@param place any as bittern.huggingface.parse gives it
---@return any? # its 40 digits, or nil, message, code.
---@return string? message
---@return string? code
function M.commit(env, place) end

--- Files of a repository at a revision.
---@param env function function(name) -> value
---@param place any as bittern.huggingface.parse gives it; `path` picks one file or one folder
---@return table? # array of {path, url, size, sha256 or nil, headers}, or nil, message, code.
---@return string? message
---@return string? code
function M.list(env, place) end

return M
