-- What is measured of a model: its inputs, each read by one matrix or by several side by side.
local check = require "bittern.check"

local M = {}

-- Linear layers that read the same, as core.forward computes them: the first one stands for all.
local together <const> = {
  attention = { { "query", "key", "value" }, { "output" } },
  delta = { { "qkv", "z", "b", "a" }, { "output" } },
  mlp = { { "gate", "up" }, { "down" } },
}

-- Adds an input: {layer, columns, names = of the matrices that read it}.
local function add(found, layer, linears)
  local input, seen = { layer = layer, columns = linears[1].inputs, names = {} }, {}
  for _, linear in ipairs(linears) do
    local name = linear.weight
    if linear.transposed then
      found.left_out[name] = "inputs are rows of them, and importance is that of columns"
    elseif not seen[name] then
      seen[name] = true
      table.insert(input.names, name)
    end
  end
  if input.names[1] then table.insert(found.inputs, input) end
end

local function add_layer(found, number, layer)
  for _, part in ipairs(check.sorted_keys(together)) do
    for _, roles in ipairs(layer[part] and together[part] or {}) do
      local linears = {}
      for _, role in ipairs(roles) do linears[#linears + 1] = layer[part][role] end
      add(found, number, linears)
    end
  end
end

--- The inputs of all matrices.
-- @param description as bittern.model.architecture gives it
-- @return {inputs = array of {layer = from 0 on, or nil of the head, columns, names}, left_out =
--   {name of a matrix = why}}
function M.of(description)
  local found = { inputs = {}, left_out = {} }
  for i, layer in ipairs(description.layers) do add_layer(found, i - 1, layer) end
  add(found, nil, { description.head })
  return found
end

return M
