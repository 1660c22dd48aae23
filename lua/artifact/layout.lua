-- Names, types and shapes of what is stored for a compressed matrix (docs/formats.md): used to
-- plan, to write, to read and to check, and known nowhere else.
local quant = require "core.quant"

local json = require "bittern.json"

local M = {}

M.FORMAT = "bittern"
M.VERSION = "1"

-- The codec of rescued rows.
M.RESCUE = "q4"
-- Bases that are added up, at most.
M.MOST_BASES = 4

-- Codecs whose levels may be shifted by an offset.
local ternary = { t2 = true, t5 = true }

local function ceil_div(a, b)
  return (a + b - 1) // b
end

--- Scales of a row in one base.
-- @param m {codec, group = 0 for the whole row or columns to a scale}
function M.groups(m, cols)
  local own = quant.codecs()[m.codec].group
  local group = own > 0 and own or m.group
  return group > 0 and ceil_div(cols, group) or 1
end

--- Why a matrix cannot have these bases, offsets and column scales; nil when it can.
-- @param m {codec, bases, offsets, columns}
function M.fault(m)
  local bases = m.bases or 1
  if m.codec == M.RESCUE and (bases > 1 or m.offsets or m.columns) then
    return M.RESCUE .. " has one base, no offsets and no column scales"
  end
  if m.offsets and not (ternary[m.codec] and bases == 1) then
    return "offsets go with one ternary base"
  end
  return nil
end

-- The suffix of a base's parts: nothing for the first, then ".2", ".3", ...
local function suffix(base)
  return base > 1 and "." .. base or ""
end

--- Name of a base's codes and of its scales.
function M.base_names(name, base)
  return name .. ".codes" .. suffix(base), name .. ".scales" .. suffix(base)
end

--- The rows of a matrix that are not rescued, as a matrix of their own.
function M.kept(m)
  return { codec = m.codec, group = m.group, shape = { m.shape[1] - m.rescued, m.shape[2] },
    rescued = 0, bases = m.bases, offsets = m.offsets, columns = m.columns }
end

--- The rescued rows of a matrix, as a matrix of their own, whose name ends in ".rescue".
function M.rescue(m)
  return { codec = M.RESCUE, group = 0, shape = { m.rescued, m.shape[2] }, rescued = 0 }
end

-- Codes and scales of every base.
local function add_bases(list, name, m)
  local rows, cols = m.shape[1], m.shape[2]
  for base = 1, m.bases or 1 do
    local codes, scales = M.base_names(name, base)
    list[#list + 1] = { name = codes, dtype = "U8",
      shape = { rows, quant.row_bytes(m.codec, cols) } }
    list[#list + 1] = { name = scales, dtype = "F16", shape = { rows, M.groups(m, cols) } }
  end
end

--- The tensors that stand for a compressed matrix.
-- @param name string
-- @param m {codec, group, shape = {rows, columns}, rescued = number of rows at q4, bases = 1..4 or
--   nil for 1, offsets, columns = true when there are offsets, column scales}
-- @return array of {name, dtype, shape}
function M.tensors(name, m)
  local list, cols = {}, m.shape[2]
  add_bases(list, name, M.kept(m))
  if m.offsets then
    list[#list + 1] = { name = name .. ".offsets", dtype = "F16",
      shape = { m.shape[1] - m.rescued, M.groups(m, cols) } }
  end
  if m.columns then
    list[#list + 1] = { name = name .. ".colscales", dtype = "F16", shape = { cols } }
  end
  if m.rescued > 0 then
    list[#list + 1] = { name = name .. ".rescue.rows", dtype = "I32", shape = { m.rescued } }
    add_bases(list, name .. ".rescue", M.rescue(m))
  end
  return list
end

-- Bytes of a stored row.
local function row_bytes(m)
  local cols = m.shape[2]
  local groups = M.groups(m, cols)
  local base = quant.row_bytes(m.codec, cols) + 2 * groups
  return base * (m.bases or 1) + (m.offsets and 2 * groups or 0)
end

--- Bytes that one more row costs at the codec and at q4 (without what is paid once: names and
-- column scales).
-- @param m as M.tensors; `rescued` is not looked at
-- @return bytes kept, bytes rescued
function M.row_cost(m)
  return row_bytes(m), row_bytes { codec = M.RESCUE, shape = m.shape } + 4
end

--- What a plan in __metadata__ says of a matrix: only what differs from the defaults.
-- @param m as M.tensors
-- @return {codec, group, shape, rescued [, bases] [, offsets] [, columns]}
function M.described(m)
  return {
    codec = m.codec, group = m.group, rescued = m.rescued,
    shape = json.array { m.shape[1], m.shape[2] },
    bases = (m.bases or 1) > 1 and m.bases or nil,
    offsets = m.offsets or nil, columns = m.columns or nil,
  }
end

return M
