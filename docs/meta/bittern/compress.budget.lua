---@meta bittern.compress.budget
-- Generated from lua/compress/budget.lua by docs/generate.lua (`make docs`); edit there.

--- The bits an artifact may use: floor(ceil(parameters x b) / 8) bytes, in exact integers.
--- 
--- b = 0.9 x native + 0.1 x 4.125 bits a parameter: 21/16 for binary, 177/80 for ternary. The whole
--- archive counts, after compression (contract 6.2).
---@class bittern.compress.budget
local M = {}

--- Bits a parameter as a fraction.
---@param budget string "binary", "ternary", text such as "1.5" or "21/16", or {numerator, denominator}
---@return any? # numerator, denominator; or nil, message, "usage".
---@return string? message
---@return string? code
function M.rate(budget) end

--- Most bits of an artifact of so many parameters: ceil(parameters x rate).
---@param parameters integer integer in 0..2^53
---@param budget any see bittern.compress.budget.rate
---@return integer? # integer, or nil, message, code.
---@return string? message
---@return string? code
function M.bits(parameters, budget) end

--- Most bytes of an artifact of so many parameters.
---@param parameters integer integer
---@param budget any see bittern.compress.budget.rate
---@return integer? # integer, or nil, message, code.
---@return string? message
---@return string? code
function M.bytes(parameters, budget) end

--- Which size gates of the contract an artifact passes.
---@param size core.bytes bytes of the whole archive
---@param parameters integer integer
---@param budget any see bittern.compress.budget.rate
---@return table? # array of {id = "artifact_size"|"quantized_size", limit = bytes, over = bytes over, ok = boolean}, or nil, message, code.
---@return string? message
---@return string? code
function M.gates(size, parameters, budget) end

--- What a budget is called: its name, or its bits a parameter.
---@param budget any a rate, as bittern.compress.budget.rate takes it
function M.name(budget) end

return M
