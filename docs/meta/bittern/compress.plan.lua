---@meta bittern.compress.plan
-- Generated from lua/compress/plan.lua by docs/generate.lua (`make docs`); edit there.

--- The plan: what becomes of every tensor, and to the byte what the archive of it will weigh.
---@class bittern.compress.plan
local M = {}

--- What is stored for a packed item; rows that are all rescued make a q4 matrix.
---@param item table of a plan, kind = "pack": its choices, the number of the one that is chosen (1 unless said), and how many rows are rescued
---@return any # as layout.tensors takes it.
function M.matrix(item) end

--- The tensors that stand for an item in the weights file.
---@param item table
---@return table # array of {name, dtype, shape}.
function M.stored(item) end

--- Bytes of what is stored for a packed item, but for its names.
---@param item table
function M.bytes(item) end

--- Header of the weights file and where its tensors lie.
---@param plan table what compress.prepare made
---@return string # string, array of {name, offset, size} from the header's end on, bytes of data.
function M.header(plan) end

--- Every file of the artifact with its size.
---@param plan table what compress.prepare made
---@return table # array of {name, size [, text]}.
function M.files(plan) end

--- Bytes of the whole archive, counted by the code that writes it.
---@param plan table what compress.prepare made
function M.archive_size(plan) end

return M
