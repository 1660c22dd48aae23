-- Every input that fuzzing kept is read once more, and so is every one that ever broke a reader: a
-- crash that `make fuzz` finds goes into the corpus under a name that says what it did.
local fs = require "core.fs"
local lfs = require "lfs"

local readers = require "tests.fuzz.readers"
local support = require "tests.support"

local function inputs(reader)
  local folder, list = support.root .. "/tests/fuzz/corpus/" .. reader, {}
  for name in lfs.dir(folder) do
    if name:sub(1, 1) ~= "." then list[#list + 1] = folder .. "/" .. name end
  end
  table.sort(list)
  return list
end

describe("the corpus of the fuzzers", function()
  for _, reader in ipairs { "archive", "gguf", "safetensors", "zip" } do
    it("of " .. reader .. ": raises nothing, refuses with ids, reads some", function()
      local outcomes = {}
      for _, path in ipairs(inputs(reader)) do
        local ok, outcome = pcall(readers[reader], assert(fs.read(path)))
        assert.is_true(ok, path .. ": " .. tostring(outcome))
        outcomes[outcome] = (outcomes[outcome] or 0) + 1
      end
      local kinds = 0
      for _ in pairs(outcomes) do kinds = kinds + 1 end
      assert.is_true((outcomes.read or 0) > 0)
      assert.is_true(kinds >= 5)
    end)
  end
end)
