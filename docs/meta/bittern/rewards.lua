---@meta bittern.rewards
-- Generated from lua/rewards.lua by docs/generate.lua (`make docs`); edit there.

--- Shares of a reward snapshot (contract.md 5.5): what part of the pool a hotkey would get if it
--- were paid by this very snapshot. Names that no document gives are looked for under several.
---@class bittern.rewards
local M = {}

--- The hotkey of a miner's row, or nil.
---@param row table a row of the ledger
function M.hotkey_of(row) end

--- The miners of a competition, the highest score first.
---@param competition any one of the list's
---@return table # array of {hotkey=, score=, share= of the competition}.
function M.miners(competition) end

--- What a snapshot gives one hotkey, competition by competition.
---@param snapshot any record
---@param hotkey? string address, or nil: only the competitions' own shares
---@return table # array of {slug=, competition_mode=, scoring_mode=, weight=, pool_share=, miners= count, score=, place=, share= of the competition, of_pool=}, the sum of of_pool.
function M.shares(snapshot, hotkey) end

return M
