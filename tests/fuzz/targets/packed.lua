-- Packed matrices of every codec made of any bytes: all rows at once are the rows one by one. The
-- input: codec, rows, columns, group, bases and flags in a byte each, then what is stored.
local outcome = require "tests.fuzz.outcome"

local map = require "core.map"

local layout = require "bittern.artifact.layout"
local packed = require "bittern.artifact.packed"
local packed_model = require "tests.packed_model"
local stored = require "bittern.artifact.stored"

local codecs <const> = { "b1", "t2", "t5", "q4" }
local OFFSETS <const>, COLUMNS <const>, SWAPPED <const> = 1, 2, 4

local function matrix_of(bytes)
  local codec, rows, cols, group, bases, rescued, flags = bytes:byte(1, 7)
  local m = { codec = codecs[codec % #codecs + 1], group = group, bases = bases % 5,
    shape = { rows % 9, cols }, rescued = rescued % 10, offsets = flags & OFFSETS ~= 0,
    columns = flags & COLUMNS ~= 0 }
  if m.rescued > m.shape[1] then m.rescued = m.shape[1] end
  return m, flags
end

local widths <const> = { U8 = 1, F16 = 2, I32 = 4 }

-- The tensors that the plan wants, one after the other in `bytes`, which are repeated.
local function file_of(m, bytes)
  local by_name, parts, at = {}, {}, 0
  for _, tensor in ipairs(layout.tensors("w", m)) do
    local size = widths[tensor.dtype]
    for _, count in ipairs(tensor.shape) do size = size * count end
    by_name[tensor.name] = { dtype = tensor.dtype, shape = tensor.shape, size = size, at = at }
    parts[#parts + 1] = bytes:rep(size // #bytes + 1):sub(1, size)
    at = at + size
  end
  local source = map.of(table.concat(parts))
  return { by_name = by_name, metadata = packed_model.metadata { w = m },
    slice = function(_, name) return source:slice(by_name[name].at, by_name[name].size) end }
end

local function bits(values)
  return values and values:text()
end

-- Rows that are kept, decoded at once and one by one.
local function check_rows(model, m)
  local kept = layout.kept(m)
  local all = stored.decode(model, "w", kept, 0, kept.shape[1])
  local rows = {}
  for row = 0, kept.shape[1] - 1 do
    rows[#rows + 1] = bits(stored.decode(model, "w", kept, row, 1))
  end
  if not all then
    assert(#rows < kept.shape[1], "a row at fault that decodes alone")
  else
    assert(bits(all) == table.concat(rows), "other rows one by one")
  end
end

local function swap_two(file)
  file.by_name["w.codes"], file.by_name["w.scales"] = file.by_name["w.scales"],
    file.by_name["w.codes"]
end

return function(bytes)
  if #bytes < 8 then return "too short" end
  local m, flags = matrix_of(bytes)
  if m.shape[1] == 0 or m.shape[2] == 0 or m.bases == 0 then return "empty" end
  local file = file_of(m, bytes:sub(8))
  if flags & SWAPPED ~= 0 then swap_two(file) end
  local model = outcome.model(file)
  local found, message, code = packed.describe(model)
  if not found then return outcome.refused(message, code) end
  check_rows(model, found.matrices.w)
  local values, why, id = packed.matrix(model, "w", found.matrices.w)
  assert((values ~= nil) == (packed.try(model, "w", found.matrices.w) ~= nil))
  if not values then return outcome.refused(why, id) end
  return "read"
end
