---@meta core.store
-- Generated from core/store.c by docs/generate.lua (`make docs`); edit there.

--- SQLite, for what must survive: the ledger and the practice coordinator. Statements live in a to-be-closed slot of the binding that runs them, so an error that Lua throws half-way finalises them like a normal return does.
---@class core.store
local M = {}

---@class core.store.store
local store = {}

---@param path string
---@return core.store.store? # store | nil, message, code. Creates the file with mode 0600.
---@return string? message
---@return string? code
function M.open(path) end

---@param sql string
---@return table? # array of rows {column = value} | nil, message, code. One statement; the values after it fill its question marks in order.
---@return string? message
---@return string? code
function store:query(sql, ...) end

---@param sql string
---@return integer? # integer: rows changed | nil, message, code. Several statements may stand in `sql` when no values follow it.
---@return string? message
---@return string? code
function store:exec(sql, ...) end

---@param call function function
---@return any # what call(store) returns. Commits unless its first result is nil; rolls back then, and on an error, which goes on to the caller.
function store:transaction(call) end

--- Closes the database once its last statement is done.
function store:close() end

return M
