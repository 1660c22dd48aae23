-- Size against perplexity: which scores of the ledger can be compared, and which of them nothing
-- else beats. bittern.chart.frontier draws them.
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

local function beats(a, b)
  return a.bytes <= b.bytes and a.nats <= b.nats and (a.bytes < b.bytes or a.nats < b.nats)
end

-- Whether no other point is as small and as good.
local function is_on_frontier(points, point)
  if not point.nats then return false end
  for _, other in ipairs(points) do
    if other.nats and beats(other, point) then return false end
  end
  return true
end

--- Marks the points that nothing beats in both size and score: point.frontier = boolean.
-- @param points array of {bytes, nats or nil where it could not be measured}
-- @return how many there are
function M.mark(points)
  local count = 0
  for _, point in ipairs(points) do
    point.frontier = is_on_frontier(points, point)
    if point.frontier then count = count + 1 end
  end
  return count
end

-- Settings of recipes that are not the same in all rows: what tells them apart.
local function varying(rows)
  local seen, keys = {}, {}
  for _, row in ipairs(rows) do
    for key, value in pairs(row.recipe and json.decode(row.compression) or {}) do
      local id = row.recipe .. "\n" .. key
      if seen[id] == nil then seen[id] = value end
      keys[id] = keys[id] or seen[id] ~= value
    end
  end
  return keys
end

-- How a row of the ledger is called: recipe and those settings, where they are known.
local function label_of(row, keys)
  if not row.recipe then return row.model:match("([^/]+)/*$") or row.model end
  local parts, set = { row.recipe }, json.decode(row.compression) or {}
  for _, key in ipairs(check.sorted_keys(set)) do
    if keys[row.recipe .. "\n" .. key] then parts[#parts + 1] = key .. "=" .. tostring(set[key]) end
  end
  return table.concat(parts, " ")
end

--- How rows are called beside each other: by their recipes, and by what tells these apart.
-- @param rows of the ledger's scores, or {recipe=, compression = settings as JSON, model=}
-- @return array of strings
function M.labels(rows)
  local keys, list = varying(rows), {}
  for i, row in ipairs(rows) do list[i] = label_of(row, keys) end
  return list
end

local function point_of(row, label)
  return { label = label, bytes = row.size, parameters = row.parameters,
    nats = row.nats, error_nats = row.error, ppl = math.exp(math.min(row.nats, 700)),
    model = row.model, sha256 = row.sha256 }
end

local function is_before(a, b)
  if a.bytes ~= b.bytes then return a.bytes < b.bytes end
  if a.nats ~= b.nats then return a.nats < b.nats end
  return a.sha256 < b.sha256
end

--- The newest score and all that can be compared with it: the same text, scored in the same way.
-- @param rows of the ledger's scores, the newest first
-- @param text SHA-256 of the text, or nil for that of the newest
-- @return array of points, the smallest first; how many others there are; the newest row
function M.comparable(rows, text)
  local first
  for _, row in ipairs(rows) do
    if not first and (not text or row.text == text) then first = row end
  end
  if not first then return {}, #rows end
  local same, list = {}, {}
  for _, row in ipairs(rows) do
    if row.text == first.text and row.settings == first.settings then same[#same + 1] = row end
  end
  local labels = M.labels(same)
  for i, row in ipairs(same) do list[i] = point_of(row, labels[i]) end
  table.sort(list, is_before)
  return list, #rows - #list, first
end

--- Marks the best of those within the budget: point.best, and point.fits where there is a budget.
-- @param points array of {bytes, nats}
-- @param budget bytes, or nil
function M.mark_best(points, budget)
  local best
  for _, point in ipairs(points) do
    local fits = not budget or point.bytes <= budget
    if budget then point.fits = fits end
    if fits and (not best or point.nats < best.nats) then best = point end
  end
  if best then best.best = true end
end

return M
