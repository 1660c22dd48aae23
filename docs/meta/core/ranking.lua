---@meta core.ranking
-- Generated from core/ranking.c by docs/generate.lua (`make docs`); edit there.

--- the rows of a matrix by what each gains, the greatest first. Sorting millions of rows and summing what the first n of them gain is what an allocator asks for again and again; eight bytes a row are kept.
---@class core.ranking
local M = {}

---@class core.ranking.ranking
local ranking = {}

---@param before core.buffer.buffer f32 buffer
---@param after core.buffer.buffer f32 buffer
---@param share? number default 1.0
---@return core.ranking.ranking # ranking of the rows by before - share x after, the greatest first, equal ones by their number; rows that gain nothing are left out.
function M.new(before, after, share) end

---@param rows core.buffer.buffer i32 buffer
---@param first integer integer
---@param count integer
---@return core.buffer.buffer # i32 buffer, i32 buffer of numbers counted from `first`: those of the rows first to first + count - 1 that are not among the ascending `rows`, and those that are.
---@return core.buffer.buffer
function M.split(rows, first, count) end

---@param n integer
---@return number # number: what the row of rank n, from 1 on, gains.
function ranking:gain(n) end

---@param gain number number
---@return integer # integer: how many rows gain more than that.
function ranking:above(gain) end

---@param n integer
---@return number # number: what the first n rows gain together.
function ranking:sum(n) end

---@param n integer
---@return core.buffer.buffer # i32 buffer of the first n rows' numbers, ascending.
function ranking:rows(n) end

return M
