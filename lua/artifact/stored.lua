-- Rows as they are stored under the name of a matrix, or of its rescued rows, decoded to numbers.
local quant = require "core.quant"
local sys = require "core.sys"

local layout = require "bittern.artifact.layout"

local M = {}

local WORTH_THREADS <const> = 1 << 20 -- values

-- Rows first..first+count-1 of a tensor.
local function rows_of(model, name, first, count, row_bytes)
  local tensor, message, code = model:tensor(name)
  if not tensor then return nil, message, code end
  return tensor.slice:slice(first * row_bytes, count * row_bytes)
end

-- Codes and scales of one base.
local function base_of(model, prefix, m, base, first, count)
  local cols = m.shape[2]
  local codes_name, scales_name = layout.base_names(prefix, base)
  local codes, message, code = rows_of(model, codes_name, first, count,
    quant.row_bytes(m.codec, cols))
  if not codes then return nil, message, code end
  local scales, why, id = rows_of(model, scales_name, first, count, 2 * layout.groups(m, cols))
  if not scales then return nil, why, id end
  return { codes = codes, scales = scales }
end

-- What quant.decode is to add to the first base and to multiply it by.
local function additions(model, prefix, m, first, count)
  local many = count * m.shape[2] >= WORTH_THREADS
  local options = { group = m.group, threads = many and sys.cores() or 1 }
  for base = 2, m.bases or 1 do
    local more, message, code = base_of(model, prefix, m, base, first, count)
    if not more then return nil, message, code end
    options.more = options.more or {}
    options.more[base - 1] = more
  end
  if m.offsets then
    local offsets, message, code = rows_of(model, prefix .. ".offsets", first, count,
      2 * layout.groups(m, m.shape[2]))
    if not offsets then return nil, message, code end
    options.offsets = offsets
  end
  if m.columns then
    local tensor, message, code = model:tensor(prefix .. ".colscales")
    if not tensor then return nil, message, code end
    options.columns = tensor.slice
  end
  return options
end

--- Decodes some of the rows that are stored under a name.
-- @param model an open model
-- @param prefix the matrix's name, or that and ".rescue"
-- @param m what is stored there, as layout.kept or layout.rescue say it
-- @param first row, counted from 0 among those that are stored
-- @param count of rows
-- @return f32 buffer [count, columns], or nil, message, code
function M.decode(model, prefix, m, first, count)
  local base, message, code = base_of(model, prefix, m, 1, first, count)
  if not base then return nil, message, code end
  local options, why, id = additions(model, prefix, m, first, count)
  if not options then return nil, why, id end
  return quant.decode(m.codec, base.codes, base.scales, count, m.shape[2], options)
end

return M
