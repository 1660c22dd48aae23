-- Every input that fuzzing kept is read once more, and so is every one that ever broke a reader: a
-- crash that `make fuzz` finds goes into the corpus under a name that says what it did.
local fs = require "core.fs"
local lfs = require "lfs"

local support = require "tests.support"

-- Those that ask C what no Lua sees are run by `make check-sanitize` alone.
local needs_wire = { http = true, request = true }
-- Binary formats have many ways to be wrong, and mutators that come deep.
local least = { archive = 5, gguf = 5, safetensors = 5, zip = 5 }

local function files(folder)
  local list = {}
  for name in lfs.dir(support.root .. "/tests/fuzz/" .. folder) do
    if name:sub(1, 1) ~= "." then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

-- How often each outcome came.
local function outcomes_of(target, run)
  local outcomes, kinds = {}, 0
  for _, name in ipairs(files("corpus/" .. target)) do
    local path = ("%s/tests/fuzz/corpus/%s/%s"):format(support.root, target, name)
    local ok, outcome = pcall(run, assert(fs.read(path)))
    assert.is_true(ok, path .. ": " .. tostring(outcome))
    if not outcomes[outcome] then kinds = kinds + 1 end
    outcomes[outcome] = (outcomes[outcome] or 0) + 1
  end
  return outcomes, kinds
end

describe("the corpus of the fuzzers", function()
  for _, file in ipairs(files "targets") do
    local target = file:match("^(.*)%.lua$")
    if not needs_wire[target] then
      it("of " .. target .. ": raises nothing, refuses with ids, reads some", function()
        local outcomes, kinds = outcomes_of(target, require("tests.fuzz.targets." .. target))
        assert.is_true((outcomes.read or 0) > 0)
        assert.is_true(kinds >= (least[target] or 2))
      end)
    end
  end
end)
