-- Names, types and shapes of what is stored for a compressed matrix (docs/formats.md): used to
-- plan, to write, to read and to check, and known nowhere else.
local quant = require "core.quant"

local M = {}

M.FORMAT = "bittern"
M.VERSION = "1"

-- The codec of rescued rows.
M.RESCUE = "q4"

local function ceil_div(a, b)
  return (a + b - 1) // b
end

--- Scales of a row.
-- @param m {codec, group = 0 for the whole row or columns to a scale}
function M.groups(m, cols)
  local own = quant.codecs()[m.codec].group
  local group = own > 0 and own or m.group
  return group > 0 and ceil_div(cols, group) or 1
end

-- Suffix, dtype and shape of what is stored for a matrix.
local function parts(m)
  local rows, cols, rescued = m.shape[1], m.shape[2], m.rescued
  local kept = rows - rescued
  local list = {
    { "codes", "U8", { kept, quant.row_bytes(m.codec, cols) } },
    { "scales", "F16", { kept, M.groups(m, cols) } },
  }
  if rescued > 0 then
    list[3] = { "rescue.rows", "I32", { rescued } }
    list[4] = { "rescue.codes", "U8", { rescued, quant.row_bytes(M.RESCUE, cols) } }
    list[5] = { "rescue.scales", "F16", { rescued, M.groups({ codec = M.RESCUE }, cols) } }
  end
  return list
end

--- The tensors that stand for a compressed matrix.
-- @param name string
-- @param m {codec, group, shape = {rows, columns}, rescued = number of rows at q4}
-- @return array of {name, dtype, shape}
function M.tensors(name, m)
  local list = {}
  for i, part in ipairs(parts(m)) do
    list[i] = { name = name .. "." .. part[1], dtype = part[2], shape = part[3] }
  end
  return list
end

--- Bytes that one more row costs at the codec and at q4 (without what is paid once).
-- @return bytes kept, bytes rescued
function M.row_cost(m)
  local cols = m.shape[2]
  return quant.row_bytes(m.codec, cols) + 2 * M.groups(m, cols),
    quant.row_bytes(M.RESCUE, cols) + 2 * M.groups({ codec = M.RESCUE }, cols) + 4
end

return M
