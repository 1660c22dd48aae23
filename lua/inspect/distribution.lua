-- How the numbers of a tensor are spread, in one pass and little memory.
local statistics = require "core.statistics"

local content = require "bittern.inspect.content"
local json = require "bittern.json"

local M = {}

-- An outlier is further than this many standard deviations from the mean.
M.OUTLIER = 4

local function row_norms(summary)
  if summary.rows < 2 then return nil end
  local n = summary.norms
  return { min = n.min, max = n.max, mean = n.mean, std = n.std,
    spread = n.min > 0 and n.max / n.min or json.null }
end

-- Where outliers begin, within what there is.
local function ends(summary)
  local reach = M.OUTLIER * summary.std
  return summary.mean - reach, summary.mean + reach
end

local function histogram(s, summary, steps)
  local low, high = ends(summary)
  low, high = math.max(low, summary.min), math.min(high, summary.max)
  if low >= high then return nil end
  return { low = low, high = high, counts = json.array(s:histogram(low, high, steps)) }
end

local function result_of(item, s, steps)
  local r = s:summary()
  local result = {
    name = item.name, codec = item.codec, count = r.count, zeros = r.zeros, nans = r.nans,
    infinities = r.infinities, rows = item.rows,
    shape = json.array(table.move(item.shape, 1, #item.shape, 1, {})),
  }
  if not r.mean then return result end
  local finite = r.count - r.nans - r.infinities
  local low, high = ends(r)
  result.mean, result.std, result.min, result.max = r.mean, r.std, r.min, r.max
  result.absmax = math.max(math.abs(r.min), math.abs(r.max))
  result.outliers = r.std > 0 and s:beyond(low, high) / finite or 0
  result.row_norms, result.histogram = row_norms(r), histogram(s, r, steps)
  return result
end

--- The distribution of a tensor.
-- @param model an open model
-- @param item of its content
-- @param steps of the histogram
-- @param on_values function(values seen since the last call), or nil
-- @return {name, codec, shape, count, zeros, nans, infinities; of finite values mean, std, min,
--   max, absmax, outliers = share; row_norms = {min, max, mean, std, spread}, histogram = {low,
--   high, counts}}, or nil, message, code
function M.of(model, item, steps, on_values)
  local s = statistics.new(item.rows > 1 and item.cols or 0)
  local ok, message, code = content.each(model, item, nil, function(values)
    local added, why, id = s:add(values)
    if added and on_values then on_values(#values) end
    return added, why, id
  end)
  if not ok then return nil, message, code end
  return result_of(item, s, steps)
end

return M
