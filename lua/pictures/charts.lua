-- The charts of a report: which there are for what was gathered, each as a drawing.
local axis = require "bittern.chart.axis"
local bars = require "bittern.chart.bars"
local frontier = require "bittern.chart.frontier"
local history = require "bittern.chart.history"
local layers = require "bittern.chart.layers"
local palette = require "bittern.chart.palette"

local M = {}

-- Tensors of less than this share of all bytes are told in the table only.
local SMALL <const> = 1e-3
local OTHER <const> = "other"

local function total(tensors)
  local sum = 0
  for _, t in ipairs(tensors) do sum = sum + (t.bytes or 0) end
  return sum
end

-- Where a layer stands: what goes in, the layers by number, what comes out.
local function rank(layer)
  local number = tonumber(layer)
  if number then return 1, number end
  local lower = layer:lower()
  local is_first = lower:find "emb" or lower == "wte" or lower == "wpe"
  return is_first and 0 or 2, 0
end

local function is_before(a, b)
  local rank_a, number_a = rank(a)
  local rank_b, number_b = rank(b)
  if rank_a ~= rank_b then return rank_a < rank_b end
  if number_a ~= number_b then return number_a < number_b end
  return a < b
end

-- The layers that are large enough to be seen, in the model's order.
local function layers_of(tensors)
  local sums, names, all = {}, {}, total(tensors)
  for _, t in ipairs(tensors) do sums[t.layer] = (sums[t.layer] or 0) + (t.bytes or 0) end
  for layer, sum in pairs(sums) do
    if sum >= SMALL * all then names[#names + 1] = layer end
  end
  table.sort(names, is_before)
  local at = {}
  for i, name in ipairs(names) do at[name] = i end
  return names, at
end

-- The roles with the most bytes have a colour of their own, the rest one together.
local function roles_of(tensors)
  local sums, names = { [OTHER] = 0 }, {}
  for _, t in ipairs(tensors) do
    if t.role then
      if not sums[t.role] then names[#names + 1] = t.role end
      sums[t.role] = (sums[t.role] or 0) + (t.bytes or 0)
    end
  end
  table.sort(names, function(a, b)
    if sums[a] ~= sums[b] then return sums[a] > sums[b] end
    return a < b
  end)
  local at = {}
  while #names > palette.SERIES - 1 do table.remove(names) end
  names[#names + 1] = OTHER
  for i, name in ipairs(names) do at[name] = i end
  return names, at
end

local function tip_of(t)
  local parts = { t.name .. ": " .. t.codec }
  if t.bytes then parts[#parts + 1] = axis.size(t.bytes) end
  if t.bits then parts[#parts + 1] = ("%.3f bits a weight"):format(t.bits) end
  if t.error then parts[#parts + 1] = ("error %.3f %%"):format(100 * t.error) end
  if t.lost_nats then parts[#parts + 1] = ("costs %+.4f nats"):format(t.lost_nats) end
  return table.concat(parts, ", ")
end

-- One number of each tensor as series of roles over layers; tensors without it are left out, and
-- so are series without any; a role has its colour in every chart. Where several tensors meet,
-- their numbers are joined.
local function series_of(tensors, value_of, join)
  local names, layer_at = layers_of(tensors)
  local roles, role_at = roles_of(tensors)
  local all, series = {}, {}
  for i, role in ipairs(roles) do all[i] = { name = role, color = i, values = {}, tips = {} } end
  for _, t in ipairs(tensors) do
    local value, layer = value_of(t), layer_at[t.layer]
    if value and layer then
      local one = all[role_at[t.role or OTHER] or role_at[OTHER]]
      one.values[layer] = one.values[layer] and join(one.values[layer], value) or value
      one.tips[layer] = (one.tips[layer] and one.tips[layer] .. "; " or "") .. tip_of(t)
    end
  end
  for _, one in ipairs(all) do
    if next(one.values) then series[#series + 1] = one end
  end
  return names, series
end

local function sum(a, b) return a + b end

local function model_text(data)
  return ("%s, packed by %s"):format(data.made.base, data.made.label)
end

local makers = {}

function makers.frontier(data, heading)
  if not data.frontier then return nil end
  return frontier.draw(data.frontier, heading)
end

function makers.budget(data, heading)
  local rows = {}
  for _, made in ipairs(data.compressions) do
    if (made.budget or 0) > 0 then
      local share = made.bytes / made.budget
      rows[#rows + 1] = { label = ("%s of %s"):format(made.label, made.base), share = share,
        words = ("%.2f %% of %s"):format(100 * share, axis.size(made.budget)),
        class = share > 1 and "bad" or "s1" }
    end
  end
  if #rows == 0 then return nil end
  return bars.shares { title = "Budget use", heading = heading, rows = rows,
    about = "how much of its budget each archive takes" }
end

-- A chart over layers, or nil where nothing is known.
local function over_layers(data, heading, options)
  if not data.tensors then return nil end
  local names, series = series_of(data.tensors, options.value, options.join)
  if #series == 0 then return nil end
  return options.draw { title = options.title, about = model_text(data), heading = heading,
    y_title = options.y_title, names = names, series = series }
end

function makers.bits(data, heading)
  return over_layers(data, heading, { title = "Bytes of each layer", y_title = "bytes", join = sum,
    draw = layers.stacked, value = function(t) return t.bytes end })
end

function makers.error(data, heading)
  return over_layers(data, heading, { title = "Error of each matrix", join = math.max,
    y_title = "lost squares, %", draw = layers.dots,
    value = function(t) return t.error and 100 * t.error end })
end

function makers.cost(data, heading)
  return over_layers(data, heading, { title = "Cost of each matrix alone", y_title = "nats a token",
    join = sum, draw = layers.dots, value = function(t) return t.lost_nats end })
end

-- Numbers of one task's submissions, the oldest first.
local function points_of(data, parts)
  local newest, points = nil, {}
  for i = #data.submissions, 1, -1 do
    local one = data.submissions[i]
    newest = newest or one.value and one or nil
    if newest and one.value and one.slug == newest.slug and one.metric == newest.metric then
      table.insert(points, 1, { at = one.at, value = one.value, class = parts.tone(one.state),
        tip = ("%s: %s %s"):format(one.id or "not sent", parts.number(one.value), one.state) })
    end
  end
  return points, newest
end

function makers.history(data, heading)
  local points, newest = points_of(data, require "bittern.page.parts")
  if #points < 2 then return nil end
  return history.draw { title = "Submissions to " .. newest.slug, heading = heading,
    y_title = newest.metric .. ", claimed", points = points, maximize = newest.maximize,
    about = ("%d submissions; the line is the best accepted so far"):format(#points) }
end

--- The charts that can be drawn, in the order of a report.
M.names = { "frontier", "budget", "bits", "error", "cost", "history" }

--- One chart.
-- @param data of bittern.pictures.collect
-- @param name one of M.names
-- @param heading whether its title is drawn into it
-- @return canvas of bittern.chart.svg, or nil where the ledger knows too little
function M.draw(data, name, heading)
  return makers[name](data, heading)
end

--- Sums of one number of the tensors for each layer, for bars in a terminal.
-- @param field "bytes", "lost_nats" or "error" (the largest instead of a sum)
-- @return array of {layer, number}, or nil where none is known
function M.by_layer(data, field)
  if not data.tensors then return nil end
  local names, at = layers_of(data.tensors)
  local rows, known = {}, false
  for i, name in ipairs(names) do rows[i] = { name, 0 } end
  for _, t in ipairs(data.tensors) do
    local row, value = rows[at[t.layer]], t[field]
    if row and value then
      row[2], known = field == "error" and math.max(row[2], value) or row[2] + value, true
    end
  end
  return known and rows or nil
end

return M
