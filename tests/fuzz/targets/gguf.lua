-- bittern.model.gguf.
local archive = require "core.archive"

local gguf = require "bittern.model.gguf"
local outcome = require "tests.fuzz.outcome"

return function(bytes)
  return outcome.mapped(bytes, function(source)
    local file, message, code = gguf.open(source, "x")
    if not file then return outcome.refused(message, code) end
    for _, tensor in ipairs(file.tensors) do
      local slice = assert(file:slice(tensor.name))
      assert(slice:size() == tensor.size and tensor.size <= #bytes, "a tensor of another size")
      assert(archive.crc32(slice))
    end
    return "read"
  end)
end
