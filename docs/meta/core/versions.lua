---@meta core.versions
-- Generated from core/versions.c by docs/generate.lua (`make docs`); edit there.

--- which libraries this process runs on. A shared object of its own, since asking loads every one of them.
---@class core.versions
local M = {}

---@return table # table name -> version, a string as the library tells it, of those that run; libdeflate and Lua only know what this was built with.
function M.libraries() end

return M
