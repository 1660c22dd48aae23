-- The tensor types of GGUF: id, name, and how many bytes hold how many values. Ids that were taken
-- away, and those of forks, are known by name so that a message can say what a file holds.
local M = {}

M.LONGEST_NAME = 63   -- bytes of a tensor's name
M.MOST_DIMENSIONS = 4

-- id, name, values of a block, bytes of a block. A row is a whole number of blocks.
local list = {
  { 0, "F32", 1, 4 }, { 1, "F16", 1, 2 }, { 30, "BF16", 1, 2 }, { 28, "F64", 1, 8 },
  { 24, "I8", 1, 1 }, { 25, "I16", 1, 2 }, { 26, "I32", 1, 4 }, { 27, "I64", 1, 8 },
  { 2, "Q4_0", 32, 18 }, { 3, "Q4_1", 32, 20 }, { 6, "Q5_0", 32, 22 }, { 7, "Q5_1", 32, 24 },
  { 8, "Q8_0", 32, 34 }, { 9, "Q8_1", 32, 36 }, { 10, "Q2_K", 256, 84 }, { 11, "Q3_K", 256, 110 },
  { 12, "Q4_K", 256, 144 }, { 13, "Q5_K", 256, 176 }, { 14, "Q6_K", 256, 210 },
  { 15, "Q8_K", 256, 292 }, { 16, "IQ2_XXS", 256, 66 }, { 17, "IQ2_XS", 256, 74 },
  { 18, "IQ3_XXS", 256, 98 }, { 19, "IQ1_S", 256, 50 }, { 20, "IQ4_NL", 32, 18 },
  { 21, "IQ3_S", 256, 110 }, { 22, "IQ2_S", 256, 82 }, { 23, "IQ4_XS", 256, 136 },
  { 29, "IQ1_M", 256, 56 }, { 34, "TQ1_0", 256, 54 }, { 35, "TQ2_0", 256, 66 },
  { 39, "MXFP4", 32, 17 }, { 40, "NVFP4", 64, 36 }, { 41, "Q1_0", 128, 18 },
  { 42, "Q2_0", 64, 18 },
}

local refused = {
  [4] = "Q4_2, which was taken away", [5] = "Q4_3, which was taken away",
  [31] = "Q4_0_4_4, which was taken away", [32] = "Q4_0_4_8, which was taken away",
  [33] = "Q4_0_8_8, which was taken away",
  [36] = "IQ4_NL_4_4, which was taken away, or a fork's I2_S",
  [37] = "IQ4_NL_4_8, which was taken away", [38] = "IQ4_NL_8_8, which was taken away",
  [142] = "PQ2_0 of a fork, in a rotated basis", [143] = "PTQ1_0 of a fork, in a rotated basis",
}

-- Element types that safetensors has too keep its spelling; block types are codecs, in lower case.
local function dtype_of(name, block)
  return block == 1 and name or name:lower()
end

local by_id, by_dtype = {}, {}
for _, row in ipairs(list) do
  local id, name, block, bytes = table.unpack(row)
  local kind = { id = id, name = name, block = block, bytes = bytes, dtype = dtype_of(name, block) }
  by_id[id], by_dtype[kind.dtype] = kind, kind
end

--- The type of an id.
-- @return {id, name, dtype, block = values, bytes of a block}, or nil and what the id means
function M.of_id(id)
  local kind = by_id[id]
  if kind then return kind end
  return nil, refused[id] and ("type %d, %s"):format(id, refused[id])
    or ("type %d, which is unknown"):format(id)
end

--- The type of a dtype as models name it: "F32", "BF16", "q4_0".
-- @return as M.of_id, or nil
function M.of_dtype(dtype)
  return by_dtype[dtype]
end

--- All dtypes, sorted by id.
function M.list()
  local all = {}
  for _, kind in pairs(by_dtype) do all[#all + 1] = kind end
  table.sort(all, function(a, b) return a.id < b.id end)
  return all
end

--- Bytes of a tensor, each product tested before it is made.
-- @param kind as M.of_id
-- @param shape in PyTorch's order, rows of the last size; a scalar's is empty
-- @return bytes, count of values; or nil, what is wrong
function M.size(kind, shape, largest)
  local count = 1
  for _, size in ipairs(shape) do
    if size > 0 and count > largest // size then return nil, "shape overflows" end
    count = count * size
  end
  local cols = shape[#shape] or 1
  if cols % kind.block ~= 0 then
    return nil, ("rows of %d values are no whole number of %s blocks of %d"):format(cols,
      kind.name, kind.block)
  end
  local blocks = count // kind.block
  if blocks > largest // kind.bytes then return nil, "shape overflows" end
  return blocks * kind.bytes, count
end

return M
