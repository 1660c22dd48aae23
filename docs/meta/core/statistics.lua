---@meta core.statistics
-- Generated from core/statistics.c by docs/generate.lua (`make docs`); edit there.

--- how the values of a tensor are distributed, in one pass over pieces of it and in memory that does not grow. Values are counted by their leading 16 bits, which are those of bf16: 31 | 30 ... 23 | 22 ... 16 | 15 ... 0 s | exponent | fraction | ignored Shares and histograms are made of these counts afterwards: exact for bf16, and for others with magnitudes cut to 8 significant bits, whatever the scale of the tensor.
---@class core.statistics
local M = {}

---@class core.statistics.statistics
local statistics = {}

---@param cols? integer default 0
---@return core.statistics.statistics # statistics of nothing yet; with cols, of rows that long too.
function M.new(cols) end

---@param values core.buffer.buffer f32 buffer
---@return boolean? # true | nil, message, code. Rows may be cut anywhere.
---@return string? message
---@return string? code
function statistics:add(values) end

---@return table # {count, zeros, nans, infinities; of finite values mean, std (of the whole population), min, max; rows and norms = {mean, std, min, max} of finished rows}.
function statistics:summary() end

---@param low number number
---@param high number number
---@return integer # integer: how many finite values lie below `low` or above `high`.
function statistics:beyond(low, high) end

---@param low number number
---@param high number number
---@param steps integer integer
---@return table # array of counts; what lies outside is counted in the first or last step.
function statistics:histogram(low, high, steps) end

return M
