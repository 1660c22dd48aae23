-- Tests of recipe NAME: `bittern test NAME.lua`. docs/write-a-recipe.md tells what `test` has.
local engine = require "bittern.compress.engine"
local test = require "bittern.testing"

-- What the recipe would make of the small model: nothing is written.
local function plan(budget, set)
  return engine.run { model = test.model, recipe = test.script, budget = budget, set = set,
    dry_run = true }
end

describe("recipe NAME", function()
  it("fits the binary budget and uses nearly all of it", function()
    local made = assert(plan "binary")
    assert.is_true(made.bytes <= made.budget)
    assert.is_true(made.bytes > 0.98 * made.budget, made.bytes .. " of " .. made.budget)
  end)

  it("keeps the norms at 16 bits", function()
    for _, item in ipairs(assert(plan "binary").plan) do
      if item.name:find "norm" then assert.equal("bf16", item.codec, item.name) end
    end
  end)

  it("refuses an argument that it does not have", function()
    local none, message = plan("binary", { kep = "norm" })
    assert.is_nil(none)
    assert.matches("did you mean 'keep'", message)
  end)
end)
