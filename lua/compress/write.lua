-- The second pass: encodes each tensor and puts it where the plan has it.
local quant = require "core.quant"
local ranking = require "core.ranking"

local layout = require "bittern.artifact.layout"
local plan = require "bittern.compress.plan"
local tiles = require "bittern.compress.tiles"

local M = {}

local STEP <const> = 16 << 20

local rescue = { codec = layout.RESCUE }

local function put(output, name, source)
  return output:put(name, source, source:bytes_size())
end

local function keep(output, item, tensor)
  local stored, store = item.stored:lower(), item.store:lower()
  for first = 0, tensor.size - 1, STEP do
    local size = math.min(STEP, tensor.size - first)
    local piece = tensor.slice:slice(first, size)
    local ok, message, code
    if stored == store then
      ok, message, code = output:put(item.name, piece, size)
    else
      ok, message, code = put(output, item.name, quant.narrow(store, quant.widen(stored, piece)))
    end
    if not ok then return nil, message, code end
    piece:release()
  end
  return true
end

-- The rows of a tile that stay and those that are rescued, as numbers within it; nil where all
-- stay.
local function split(state, tile)
  if not state.rescue_rows then return nil end
  local kept, rescued = ranking.split(state.rescue_rows, tile.first, tile.rows)
  if #rescued == 0 then return nil end
  return kept, rescued
end

-- Appends codes and scales of every base, and offsets.
local function put_coded(output, prefix, done)
  local bases = { done, table.unpack(done.more or {}) }
  for i, base in ipairs(bases) do
    local codes, scales = layout.base_names(prefix, i)
    local ok, message, code = put(output, codes, base.codes)
    if ok then ok, message, code = put(output, scales, base.scales) end
    if not ok then return nil, message, code end
  end
  if not done.offsets then return true end
  return put(output, prefix .. ".offsets", done.offsets)
end

-- Encodes a tile, or those of its rows that are picked, and appends what comes of it.
local function put_tile(state, output, item, tile, rescued)
  local choice = rescued and rescue or state.choice
  local done, message, code = tiles.encode(item, tile, choice, state.how)
  if not done then return nil, message, code end
  state.error = state.error + done.errors:sum()
  if done.norms then state.norm = state.norm + done.norms:sum() end
  return put_coded(output, rescued and item.name .. ".rescue" or item.name, done)
end

local function pack_tile(state, output, item, tile)
  local kept, rescued = split(state, tile)
  if not kept then return put_tile(state, output, item, tile) end
  if #kept > 0 then
    local ok, message, code = put_tile(state, output, item, tiles.pick(tile, kept))
    if not ok then return nil, message, code end
  end
  return put_tile(state, output, item, tiles.pick(tile, rescued), true)
end

local function pack(output, item, tensor, how)
  local m = plan.matrix(item)
  local choice = item.rescued == item.rows and rescue or item.choices[item.chosen or 1]
  local state = { error = 0.0, norm = 0.0, choice = choice, rescue_rows = m.rescued > 0
    and item.rescue_rows, how = { threads = how.threads, importance = how.importance,
      into = how.into, norms = item.norm == nil } }
  if m.columns then
    local scales, message, code = item.columns
    if not scales then
      scales, message, code = tiles.column_scales(item, tensor, choice, state.how)
    end
    if not scales then return nil, message, code end
    state.how.columns = scales
    local ok, why, id = put(output, item.name .. ".colscales", scales)
    if not ok then return nil, why, id end
  end
  local ok, message, code = tiles.each(tensor, function(tile)
    return pack_tile(state, output, item, tile)
  end)
  if not ok then return nil, message, code end
  item.error_after, item.norm = state.error, item.norm or state.norm
  return true
end

--- Writes what is known of the items of a plan before any is read: which rows are rescued.
-- @return true, or nil, message, code
function M.numbers(output, items)
  for _, item in ipairs(items) do
    if item.kind == "pack" and plan.matrix(item).rescued > 0 then
      local ok, message, code = put(output, item.name .. ".rescue.rows", item.rescue_rows)
      if not ok then return nil, message, code end
    end
  end
  return true
end

--- Writes one item of a plan, but for its rescued rows' numbers.
-- @param output see bittern.compress.output
-- @param tensor of the open base model
-- @param how {threads, importance = f32 buffer or nil, into = table for results}
-- @return true, or nil, message, code; a packed item gets its squared error `error_after` and the
--   sum of its squares `norm`
function M.item(output, item, tensor, how)
  if item.kind == "keep" then return keep(output, item, tensor) end
  return pack(output, item, tensor, how)
end

return M
