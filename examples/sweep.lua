-- Several settings of a recipe side by side, without the ledger: bittern run examples/sweep.lua
local engine = require "bittern.compress.engine"
local paths = require "bittern.paths"

local model = paths.root() .. "/examples/models/tiny-qwen3"

for _, columns in ipairs { "nothing", "v_proj" } do
  local result = assert(engine.run {
    model = model, recipe = "rowcol", budget = "binary", set = { columns = columns },
    dry_run = true,
  })
  print(("columns=%s: %d bytes, %.1f %% of the squares lost"):format(columns, result.bytes,
    100 * result.error))
end
