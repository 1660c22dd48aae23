-- Where the budget goes: which choice each matrix takes and which of its rows are rescued, so that
-- the errors of all matrices together are as small as the bytes allow.
--
-- A price is put on a byte, and each matrix takes what is least in error + price x bytes: a row is
-- rescued when its gain pays for itself. The lowest price at which everything fits is found by
-- halving; the bytes that it leaves over are spent on what gains most for a byte and still fits.
local ranking = require "core.ranking"

local layout = require "bittern.artifact.layout"
local plan = require "bittern.compress.plan"

local M = {}

local HALVINGS <const> = 80 -- of the price's logarithm
local DEAREST <const>, CHEAPEST <const> = 1e30, 1e-30
local ROUNDS <const>, SMALL <const> = 8, 1024
-- What the header says of the three tensors of rescued rows, beside their names, at most.
local RESCUE_HEADER <const> = 3 * 96

-- A choice of an item as the allocator sees it; at q4 nothing is to be rescued.
local function option_of(item, number, stats)
  local choice = item.choices[number]
  local alone = { kind = "pack", name = item.name, choices = { choice }, rescued = 0,
    rows = item.rows, shape = item.shape }
  local kept, rescued = layout.row_cost(plan.matrix(alone))
  local option = {
    number = number, total = stats.errors[number]:sum(), bytes = plan.bytes(alone),
    cost = math.max(1, rescued - kept), fixed = choice.rescue,
    once = RESCUE_HEADER + 3 * #item.name,
  }
  if choice.rescue ~= 0 then
    option.ranking = ranking.new(stats.errors[number], stats.after, stats.share)
    option.most = math.min(#option.ranking, choice.most or item.rows)
  end
  if option.fixed ~= "budget" then
    option.fixed = option.ranking and math.min(choice.rescue, #option.ranking) or 0
    if choice.rescue == item.rows then option.fixed = item.rows end
  end
  return option
end

local function entry_of(item, stats)
  local entry = { item = item, options = {}, norm = stats.norms:sum() }
  entry.scale = entry.norm > 0 and item.weight / entry.norm or 0
  for i in ipairs(item.choices) do entry.options[i] = option_of(item, i, stats) end
  entry.option, entry.rescued = entry.options[1], 0
  return entry
end

local function gained(option, rescued)
  if not option.ranking then return 0 end
  return option.ranking:sum(math.min(rescued, #option.ranking))
end

-- Weighted error and bytes of an option with so many rows rescued.
local function error_of(entry, option, rescued)
  return (option.total - gained(option, rescued)) * entry.scale
end

local function size_of(option, rescued)
  return option.bytes + rescued * option.cost + (rescued > 0 and option.once or 0)
end

-- How many rows pay for themselves.
local function worth(entry, option, price)
  if option.fixed ~= "budget" then return option.fixed end
  if entry.scale == 0 then return 0 end
  return math.min(option.most, option.ranking:above(price * option.cost / entry.scale))
end

-- Takes the option that costs least at this price; equal ones in their order.
local function take(entry, price, frozen)
  local least
  for _, option in ipairs(frozen and { entry.option } or entry.options) do
    local rescued = worth(entry, option, price)
    local bytes = size_of(option, rescued)
    local cost = error_of(entry, option, rescued) + price * bytes
    if not least or cost < least.cost then
      least = { cost = cost, option = option, rescued = rescued, bytes = bytes }
    end
  end
  entry.option, entry.rescued = least.option, least.rescued
  return least.bytes
end

local function take_all(entries, price, frozen)
  local bytes = 0
  for _, entry in ipairs(entries) do bytes = bytes + take(entry, price, frozen) end
  return bytes
end

-- Bytes of all matrices as they are taken now, but for what the header says of them.
local function bytes_taken(entries)
  local bytes = 0
  for _, entry in ipairs(entries) do bytes = bytes + size_of(entry.option, entry.rescued) end
  return bytes
end

-- Takes everything at the lowest price at which it has at most `room` bytes; the price.
local function halve(entries, room, frozen)
  if take_all(entries, 0, frozen) <= room then return 0 end
  local low, high = math.log(CHEAPEST), math.log(DEAREST)
  for _ = 1, HALVINGS do
    local middle = (low + high) / 2
    if take_all(entries, math.exp(middle), frozen) <= room then high = middle else low = middle end
  end
  take_all(entries, math.exp(high), frozen)
end

local function apply(entries)
  for _, entry in ipairs(entries) do
    entry.item.chosen, entry.item.rescued = entry.option.number, entry.rescued
  end
end

-- Bytes of the archive beyond the limit (negative: what is left) as it is taken now.
local function excess(entries, whole, limit)
  apply(entries)
  return plan.archive_size(whole) - limit
end

-- Halves the price until the whole archive, counted exactly, fits: what surrounds the matrices
-- depends a little on how they are taken.
local function fit(entries, whole, limit, frozen)
  local room = bytes_taken(entries) - excess(entries, whole, limit)
  for _ = 1, ROUNDS do
    halve(entries, room, frozen)
    local over = excess(entries, whole, limit)
    local exact = bytes_taken(entries) - over
    if over <= 0 and exact - room < SMALL then return true end
    room = over <= 0 and exact or room - over
  end
  if excess(entries, whole, limit) <= 0 then return true end
  halve(entries, room - ROUNDS * SMALL, frozen)
  return excess(entries, whole, limit) <= 0
end

-- The rows that an entry could rescue next, all of one gain, as a step: what it gains for a byte.
local function next_rows(entry, left)
  local option = entry.option
  local at = entry.rescued + 1
  if option.fixed ~= "budget" or entry.closed or at > option.most then return nil end
  local gain = option.ranking:gain(at)
  local once = entry.rescued == 0 and option.once or 0
  local most = math.min(option.most - entry.rescued, (left - once) // option.cost)
  if most < 1 or entry.scale == 0 then return nil end
  return { entry = entry, option = option, value = gain * entry.scale / option.cost,
    rescued = entry.rescued + math.min(most, math.max(1, option.ranking:above(gain) + 1 - at)) }
end

-- The better options of an entry that fit in what is left.
local function upgrades(entry, left, visit)
  local now = error_of(entry, entry.option, entry.rescued)
  local bytes = size_of(entry.option, entry.rescued)
  for _, option in ipairs(entry.closed and {} or entry.options) do
    local rescued = option.fixed == "budget" and math.min(entry.rescued, option.most)
      or option.fixed
    local gain = now - error_of(entry, option, rescued)
    local more = size_of(option, rescued) - bytes
    if option ~= entry.option and gain > 0 and more <= left then
      visit { entry = entry, option = option, rescued = rescued, value = gain / math.max(1, more) }
    end
  end
end

local function best_step(entries, left)
  local best
  local function consider(step)
    if step and (not best or step.value > best.value) then best = step end
  end
  for _, entry in ipairs(entries) do
    consider(next_rows(entry, left))
    upgrades(entry, left, consider)
  end
  return best
end

-- Spends what is left step by step; a step that does not fit after all closes its entry.
local function fill(entries, whole, limit)
  local left = -excess(entries, whole, limit)
  local step = best_step(entries, left)
  while step do
    local entry = step.entry
    local option, rescued = entry.option, entry.rescued
    entry.option, entry.rescued = step.option, step.rescued
    local over = excess(entries, whole, limit)
    if over > 0 then
      entry.option, entry.rescued, entry.closed = option, rescued, true
    else
      left = -over
    end
    step = best_step(entries, left)
  end
  apply(entries)
end

-- What is known of an item's errors once everything is chosen.
local function conclude(entry)
  local item, option = entry.item, entry.option
  if option.ranking and entry.rescued < item.rows then
    item.rescue_rows = option.ranking:rows(entry.rescued)
  end
  item.columns = entry.columns[option.number]
  item.norm, item.error_before = entry.norm, entry.options[1].total
  item.error_after = math.max(0, option.total - gained(option, entry.rescued))
end

--- Chooses for every measured item of a plan: `chosen`, `rescued`, `rescue_rows` (i32 buffer),
-- `columns` and the squared errors `error_before` and `error_after` beside `norm`.
-- @param whole the plan
-- @param measured array of {item, stats}
-- @param limit bytes of the archive; nil takes every first choice
-- @return true, or nil and the bytes of the smallest archive when it does not fit
function M.run(whole, measured, limit)
  local entries = {}
  for i, one in ipairs(measured) do
    entries[i] = entry_of(one.item, one.stats)
    entries[i].columns = one.stats.columns or {}
  end
  if limit then
    take_all(entries, DEAREST)
    local over = excess(entries, whole, limit)
    if over > 0 then return nil, limit + over end
    local smallest = {}
    for i, entry in ipairs(entries) do smallest[i] = { entry.option, entry.rescued } end
    if not fit(entries, whole, limit) then
      for i, entry in ipairs(entries) do entry.option, entry.rescued = table.unpack(smallest[i]) end
    end
    fit(entries, whole, limit, true)
    fill(entries, whole, limit)
  else
    for _, entry in ipairs(entries) do
      entry.rescued = entry.option.fixed == "budget" and 0 or entry.option.fixed
    end
    apply(entries)
  end
  for _, entry in ipairs(entries) do conclude(entry) end
  return true
end

return M
