-- Shares of a reward snapshot (contract.md 5.5): what part of the pool a hotkey would get if it
-- were paid by this very snapshot. Names that no document gives are looked for under several.
local check = require "bittern.check"

local M = {}

local hotkey_names = { "hotkey", "miner_hotkey", "address", "ss58_address", "miner" }

--- The hotkey of a miner's row, or nil.
function M.hotkey_of(row)
  for _, name in ipairs(hotkey_names) do
    if type(row[name]) == "string" then return row[name] end
  end
  return nil
end

-- Scores by hotkey, and their sum; what is no number counts as nothing.
local function scores_of(competition)
  local scores, total = {}, 0
  for _, row in ipairs(competition.miners or {}) do
    local hotkey, score = M.hotkey_of(row), row.score or 0
    if score > 0 then total = total + score end
    if hotkey then scores[hotkey] = (scores[hotkey] or 0) + score end
  end
  return scores, total
end

--- The miners of a competition, the highest score first.
-- @param competition one of the list's
-- @return array of {hotkey=, score=, share= of the competition}
function M.miners(competition)
  local scores, total = scores_of(competition)
  local list = {}
  for _, hotkey in ipairs(check.sorted_keys(scores)) do
    local score = scores[hotkey]
    list[#list + 1] = { hotkey = hotkey, score = score,
      share = total > 0 and math.max(score, 0) / total or 0 }
  end
  table.sort(list, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.hotkey < b.hotkey
  end)
  return list
end

local function place_of(list, hotkey)
  for place, miner in ipairs(list) do
    if miner.hotkey == hotkey then return place, miner end
  end
  return nil
end

-- A competition without a weight counts as 1, what all had when it was last seen.
local function weight_of(competition)
  return math.max(competition.weight or 1, 0)
end

--- What a snapshot gives one hotkey, competition by competition.
-- @param snapshot record
-- @param hotkey address, or nil: only the competitions' own shares
-- @return array of {slug=, competition_mode=, scoring_mode=, weight=, pool_share=, miners= count,
--   score=, place=, share= of the competition, of_pool=}, the sum of of_pool
function M.shares(snapshot, hotkey)
  local weights, list, sum = 0, {}, 0
  for _, competition in ipairs(snapshot.competitions or {}) do
    weights = weights + weight_of(competition)
  end
  for i, competition in ipairs(snapshot.competitions or {}) do
    local miners = M.miners(competition)
    local place, own = place_of(miners, hotkey)
    local pool_share = weights > 0 and weight_of(competition) / weights or 0
    local share = own and own.share or 0
    list[i] = {
      slug = competition.slug, competition_mode = competition.competition_mode,
      scoring_mode = competition.scoring_mode, weight = weight_of(competition),
      pool_share = pool_share, miners = #miners, score = own and own.score or 0, place = place,
      share = share, of_pool = pool_share * share,
    }
    sum = sum + list[i].of_pool
  end
  return list, sum
end

return M
