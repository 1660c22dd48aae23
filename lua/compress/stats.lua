-- The first pass: what each row loses by every choice, and at q4.
local buffer = require "core.buffer"

local layout = require "bittern.artifact.layout"
local tiles = require "bittern.compress.tiles"

local M = {}

-- The search for the best scales of q4 is slow and its errors are small beside those of low bits:
-- in matrices beyond so many weights, every so many-th row tells the share of all.
local EXACT_WEIGHTS <const>, EVERY <const> = 4 << 20, 16

local rescue = { codec = layout.RESCUE }

--- Whether what an item becomes depends on its errors.
function M.is_wanted(item)
  if item.kind ~= "pack" then return false end
  local first = item.choices[1]
  return #item.choices > 1 or first.rescue == "budget"
    or first.rescue > 0 and first.rescue < item.rows
end

local function needs_rescue(item)
  for _, choice in ipairs(item.choices) do
    if choice.rescue ~= 0 then return true end
  end
  return false
end

-- Row numbers of a tile that are looked at for q4; nil for all.
local function sampled(item, tile)
  if item.rows * item.cols <= EXACT_WEIGHTS then return nil end
  local start = -tile.first % EVERY
  local rows = buffer.new("i32", math.max(0, (tile.rows - start + EVERY - 1) // EVERY))
  for i = 0, #rows - 1 do rows:set(i, start + i * EVERY) end
  return rows
end

-- Adds what the rows of a tile lose at q4.
local function measure_rescue(stats, item, tile, how)
  local rows = sampled(item, tile)
  if rows and #rows == 0 then return true end
  local part = rows and tiles.pick(tile, rows) or tile
  local done, message, code = tiles.encode(item, part, rescue, how)
  if not done then return nil, message, code end
  if not rows then stats.after:put(tile.first, done.errors) end
  stats.rescue_error = stats.rescue_error + done.errors:sum()
  stats.rescue_norm = stats.rescue_norm + done.norms:sum()
  return true
end

local function measure_tile(stats, item, tile, how)
  for i, choice in ipairs(item.choices) do
    how.columns = stats.columns[i]
    local done, message, code = tiles.encode(item, tile, choice, how)
    if not done then return nil, message, code end
    stats.errors[i]:put(tile.first, done.errors)
    if i == 1 then stats.norms:put(tile.first, done.norms) end
  end
  how.columns = nil
  if stats.after then return measure_rescue(stats, item, tile, how) end
  return true
end

local function new(item)
  local stats = { errors = {}, columns = {}, norms = buffer.new("f32", item.rows),
    rescue_error = 0.0, rescue_norm = 0.0 }
  for i in ipairs(item.choices) do stats.errors[i] = buffer.new("f32", item.rows) end
  if needs_rescue(item) then stats.after = buffer.new("f32", item.rows) end
  return stats
end

-- Where only some rows were looked at, all have their share of the norm as q4's error.
local function finish(stats, item)
  stats.share = 1.0
  if stats.after and item.rows * item.cols > EXACT_WEIGHTS then
    stats.after = stats.norms
    stats.share = stats.rescue_norm > 0 and stats.rescue_error / stats.rescue_norm or 0.0
  end
  return stats
end

--- Squared errors of each row of a matrix.
-- @param tensor of an open model
-- @param item of a plan
-- @param how {threads, importance = f32 buffer or nil, into = table for results}
-- @return {errors = f32 buffer of each choice, columns = {choice = f16 buffer}, norms = f32 buffer,
--   after = f32 buffer or nil and share: a row at q4 loses after x share}, or nil, message, code
function M.matrix(tensor, item, how)
  local stats = new(item)
  how = { threads = how.threads, importance = how.importance, errors_only = true, into = how.into }
  for i, choice in ipairs(item.choices) do
    if choice.columns then
      local scales, message, code = tiles.column_scales(item, tensor, choice, how)
      if not scales then return nil, message, code end
      stats.columns[i] = scales
    end
  end
  local ok, message, code = tiles.each(tensor, function(tile)
    return measure_tile(stats, item, tile, how)
  end)
  if not ok then return nil, message, code end
  return finish(stats, item)
end

--- Statistics as text that M.read takes.
function M.text(stats)
  local parts = { string.pack("<d", stats.share) }
  local function add(source)
    parts[#parts + 1] = string.pack("<s4", source and source:text() or "")
  end
  add(stats.norms)
  add(stats.after ~= stats.norms and stats.after or nil)
  for i, errors in ipairs(stats.errors) do
    add(errors)
    add(stats.columns[i])
  end
  return table.concat(parts)
end

--- Statistics of an item from their text.
-- @return see M.matrix
function M.read(text, item)
  local stats = { errors = {}, columns = {} }
  local at
  stats.share, at = string.unpack("<d", text)
  local function take(dtype)
    local part
    part, at = string.unpack("<s4", text, at)
    return part ~= "" and buffer.from(dtype, part) or nil
  end
  stats.norms, stats.after = take "f32", take "f32"
  if not stats.after and needs_rescue(item) then stats.after = stats.norms end
  for i in ipairs(item.choices) do
    stats.errors[i], stats.columns[i] = take "f32", take "f16"
  end
  return stats
end

return M
