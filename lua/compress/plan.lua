-- The plan: what becomes of every tensor, and to the byte what the archive of it will weigh.
local safetensors = require "bittern.model.safetensors"
local writer = require "bittern.model.zip.writer"

local json = require "bittern.json"
local layout = require "bittern.artifact.layout"

local M = {}

M.WEIGHTS = "model.safetensors"

-- Bits that an element may have, the most first.
local WIDTHS <const> = { 64, 32, 16, 8, 6, 4 }

--- What is stored for a packed item; rows that are all rescued make a q4 matrix.
-- @param item of a plan, kind = "pack": its choices, the number of the one that is chosen (1 unless
--   said), and how many rows are rescued
-- @return as layout.tensors takes it
function M.matrix(item)
  local choice = item.choices[item.chosen or 1]
  if item.rescued == item.rows then
    return { codec = layout.RESCUE, group = 0, shape = item.shape, rescued = 0 }
  end
  return {
    codec = choice.codec, group = choice.group, shape = item.shape, rescued = item.rescued,
    bases = choice.bases, offsets = choice.offsets, columns = choice.columns,
  }
end

--- The tensors that stand for an item in the weights file.
-- @return array of {name, dtype, shape}
function M.stored(item)
  if item.kind == "pack" then return layout.tensors(item.name, M.matrix(item)) end
  return { { name = item.name, dtype = item.store, shape = item.shape } }
end

local function bytes_of(part)
  local bits = safetensors.bits(part.dtype)
  for _, n in ipairs(part.shape) do bits = bits * n end
  return bits // 8
end

--- Bytes of what is stored for a packed item, but for its names.
function M.bytes(item)
  local total = 0
  for _, part in ipairs(M.stored(item)) do total = total + bytes_of(part) end
  return total
end

-- Appends tensors, those of the widest elements first.
local function append_widest_first(list, parts)
  for _, width in ipairs(WIDTHS) do
    for _, part in ipairs(parts) do
      if safetensors.bits(part.dtype) == width then list[#list + 1] = part end
    end
  end
end

-- All tensors of the file to be written, each aligned for its type. Elements of more than two bytes
-- come first; then items follow each other as they are written, so that the file becomes final
-- from its start on; what would leave the next one at an odd place comes last.
local function entries(plan)
  local wide, narrow, odd, list = {}, {}, {}, {}
  for _, item in ipairs(plan.order) do
    local parts, bytes = {}, 0
    for _, part in ipairs(M.stored(item)) do
      local is_wide = safetensors.bits(part.dtype) > 16
      table.insert(is_wide and wide or parts, part)
      if not is_wide then bytes = bytes + bytes_of(part) end
    end
    if bytes % 2 == 0 then
      append_widest_first(narrow, parts)
    else
      table.move(parts, 1, #parts, #odd + 1, odd)
    end
  end
  append_widest_first(list, wide)
  table.move(narrow, 1, #narrow, #list + 1, list)
  append_widest_first(list, odd)
  return list
end

local function metadata(plan)
  local matrices = {}
  for _, item in ipairs(plan.items) do
    if item.kind == "pack" then matrices[item.name] = layout.described(M.matrix(item)) end
  end
  return {
    format = layout.FORMAT, version = layout.VERSION, recipe = plan.recipe.name,
    recipe_sha256 = plan.recipe.sha256, plan = assert(json.encode(matrices)),
  }
end

--- Header of the weights file and where its tensors lie.
-- @return string, array of {name, offset, size} from the header's end on, bytes of data
function M.header(plan)
  return safetensors.header(entries(plan), metadata(plan), { order = "given" })
end

--- Every file of the artifact with its size.
-- @return array of {name, size [, text]}
function M.files(plan)
  local header, _, data = M.header(plan)
  local list = { { name = M.WEIGHTS, size = #header + data } }
  for _, file in ipairs(plan.files) do
    list[#list + 1] = { name = file.name, size = #file.text, text = file.text }
  end
  return list
end

--- Bytes of the whole archive, counted by the code that writes it.
function M.archive_size(plan)
  return assert(writer.layout(M.files(plan))).size
end

return M
