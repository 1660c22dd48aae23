-- Tests of recipe attention: `bittern test examples/recipes/attention.lua`.
local engine = require "bittern.compress.engine"
local test = require "bittern.testing"

describe("recipe attention", function()
  it("fits the budget, and makes nothing else ternary", function()
    local made = assert(engine.run { model = test.model, recipe = test.script, budget = "binary",
      dry_run = true })
    assert.is_true(made.bytes <= made.budget)
    for _, item in ipairs(made.plan) do
      if item.codec == "t5" then assert.matches("[qkv]_proj", item.name) end
    end
  end)
end)
