-- The second pass: writes the weights file, each tensor at the place the plan gave it.
local buffer = require "core.buffer"
local fs = require "core.fs"
local quant = require "core.quant"

local layout = require "bittern.artifact.layout"
local plan = require "bittern.compress.plan"
local tiles = require "bittern.compress.tiles"

local M = {}

local STEP <const> = 8 << 20

-- Where tensors begin in the file, and a cursor for each that is filled piece by piece.
local function open_file(whole, path)
  local header, order = plan.header(whole)
  local out, message, code = fs.create(path)
  if not out then return nil, message, code end
  local ok, why, id = out:write_at(0, header)
  if not ok then
    out:close()
    return nil, why, id
  end
  local places = {}
  for _, tensor in ipairs(order) do places[tensor.name] = #header + tensor.offset end
  return { out = out, places = places, written = #header }
end

-- Appends bytes to a tensor.
local function put(file, name, source)
  local size = source:bytes_size()
  if size == 0 then return true end
  local ok, message, code = file.out:write_at(file.places[name], source)
  if not ok then return nil, message, code end
  file.places[name], file.written = file.places[name] + size, file.written + size
  return true
end

local function keep(file, item, tensor)
  local stored, store = item.stored:lower(), item.store:lower()
  for first = 0, tensor.size - 1, STEP do
    local piece = tensor.slice:slice(first, math.min(STEP, tensor.size - first))
    local source
    if stored == store then
      source = buffer.from("u8", piece)
    else
      source = quant.narrow(store, quant.widen(stored, piece))
    end
    local ok, message, code = put(file, item.name, source)
    if not ok then return nil, message, code end
  end
  return true
end

-- Splits rows first..first+count-1 by a cursor over the rescued ones; numbers within the tile.
local function split(state, first, count)
  local kept, rescued = {}, {}
  for row = 0, count - 1 do
    local rows = state.rescue_rows
    if rows and state.next < #rows and rows:get(state.next) == first + row then
      state.next = state.next + 1
      rescued[#rescued + 1] = row
    else
      kept[#kept + 1] = row
    end
  end
  return kept, rescued
end

local function as_buffer(list)
  local out = buffer.new("i32", #list)
  for i, value in ipairs(list) do out:set(i - 1, value) end
  return out
end

-- Encodes some rows of a tile and appends their codes and scales under a prefix.
local function put_rows(file, item, codec, prefix, tile, rows)
  if #rows == 0 then return true end
  local all = #rows * item.cols == #tile.weights
  local weights = all and tile.weights or tiles.pick(tile.weights, item.cols, as_buffer(rows))
  local done, message, code = tiles.encode(item, codec, weights, function(row)
    return tile.first + rows[row + 1]
  end)
  if not done then return nil, message, code end
  local ok, why, id = put(file, prefix .. ".codes", done.codes)
  if not ok then return nil, why, id end
  return put(file, prefix .. ".scales", done.scales)
end

local function pack(file, item, tensor)
  local m = plan.matrix(item)
  local state = { next = 0, rescue_rows = m.rescued > 0 and item.rescue_rows }
  local ok, message, code = tiles.each(tensor, function(weights, first, count)
    local tile = { weights = weights, first = first }
    local kept, rescued = split(state, first, count)
    local done, why, id = put_rows(file, item, m.codec, item.name, tile, kept)
    if not done then return nil, why, id end
    return put_rows(file, item, layout.RESCUE, item.name .. ".rescue", tile, rescued)
  end)
  if not ok then return nil, message, code end
  if m.rescued == 0 then return true end
  return put(file, item.name .. ".rescue.rows", item.rescue_rows)
end

local function write_items(file, whole, model, on_progress)
  for _, item in ipairs(whole.items) do
    local tensor, message, code = model:tensor(item.name)
    if not tensor then return nil, message, code end
    local ok, why, id = (item.kind == "keep" and keep or pack)(file, item, tensor)
    if not ok then return nil, why, id end
    on_progress(tensor.size)
  end
  return true
end

--- Writes the weights file of a plan.
-- @param whole the plan
-- @param model the open base model
-- @param path string
-- @param on_progress function(bytes read since the last call)
-- @return bytes written, or nil, message, code; nothing lies at `path` then
function M.weights(whole, model, path, on_progress)
  local file, message, code = open_file(whole, path)
  if not file then return nil, message, code end
  local out <close> = file.out
  local ok, why, id = write_items(file, whole, model, on_progress)
  if not ok then return nil, why, id end
  local done, reason, kind = out:commit()
  if not done then return nil, reason, kind end
  return file.written
end

return M
