---@meta core.map
-- Generated from core/map.c by docs/generate.lua (`make docs`); edit there.

--- read-only memory maps and bounds-checked slices of them. A slice names its map by a user value, so the map outlives it; closing the map early makes its slices refuse, never dangle.
---@class core.map
local M = {}

---@class core.map.map
local map = {}

---@class core.map.slice
local slice = {}

---@param path string
---@return core.map.map? # map | nil, message, code. The file may not shrink while it is mapped: reading past its new end would end the process.
---@return string? message
---@return string? code
function M.open(path) end

---@param text string
---@return core.map.map # map of bytes that are in memory already, so that whatever reads maps reads them, too.
function M.of(text) end

---@return integer # integer: bytes. Slices have it, too.
function map:size() end

---@param offset integer counted from 0
---@param count integer
---@return string? # string | nil, message, "out_of_range". Slices have it, too; offsets count from their beginning.
---@return string? message
---@return string? code
function map:read(offset, count) end

---@param offset integer counted from 0
---@param count integer
---@return core.map.slice? # slice | nil, message, "out_of_range".
---@return string? message
---@return string? code
function map:slice(offset, count) end

--- Gives the file back. Slices of it are no longer readable: they raise.
function map:close() end

---@return integer # integer: bytes. Slices have it, too.
function slice:size() end

---@param offset integer counted from 0
---@param count integer
---@return string? # string | nil, message, "out_of_range". Slices have it, too; offsets count from their beginning.
---@return string? message
---@return string? code
function slice:read(offset, count) end

---@param offset integer counted from 0
---@param count integer
---@return core.map.slice # slice of the same map.
function slice:slice(offset, count) end

--- Its bytes are wanted soon; the disk begins to read them.
function slice:prefetch() end

--- Its pages may leave this process's memory. They come back from the file when they are read again, so a pass over a large file that releases what it has seen stays small.
function slice:release() end

return M
