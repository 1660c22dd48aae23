-- bittern.model.safetensors, and packed matrices in such files.
local archive = require "core.archive"

local outcome = require "tests.fuzz.outcome"
local packed = require "bittern.artifact.packed"
local safetensors = require "bittern.model.safetensors"

local MOST_VALUES <const> = 1 << 20 -- a few codes may stand for much

-- Every tensor lies inside of the file, and its bytes can be had.
local function touch(file, size)
  for _, tensor in ipairs(file.tensors) do
    local slice = assert(file:slice(tensor.name))
    assert(slice:size() == tensor.size and tensor.size <= size, "a tensor of another size")
    assert(archive.crc32(slice))
  end
end

-- What is packed decodes, or is refused.
local function unpack_matrices(model)
  local found, message, code = packed.describe(model)
  if not found then return outcome.refused(message, code) end
  for name, m in pairs(found.matrices) do
    if m.shape[1] * m.shape[2] <= MOST_VALUES then
      local ok, why, id = packed.try(model, name, m)
      if not ok then return outcome.refused(why, id) end
    end
  end
  return next(found.matrices) and "unpacked" or "read"
end

return function(bytes)
  return outcome.mapped(bytes, function(source)
    local file, message, code = safetensors.open(source, "x")
    if not file then return outcome.refused(message, code) end
    touch(file, #bytes)
    return unpack_matrices(outcome.model(file))
  end)
end
