-- What the recipes that ship make of tiny-qwen3, within the budgets.
local budget = require "bittern.compress.budget"
local engine = require "bittern.compress.engine"
local eval = require "bittern.eval.score"
local fs = require "core.fs"
local script = require "bittern.script"
local support = require "tests.support"

local text = assert(fs.read(support.model .. "/heldout.txt"))

local function compress(recipe, rate, set)
  local out = support.folder() .. "/a.zip"
  local result = assert(engine.run {
    model = support.model, recipe = recipe, budget = rate, set = set, out = out,
  })
  return result, out
end

local cases = {
  { "residual", "binary" }, { "protect", "binary" }, { "rowcol", "binary" },
  { "residual", "ternary" }, { "protect", "ternary" }, { "ternary", "ternary" },
}

local function codecs_of(result)
  local found = {}
  for _, t in ipairs(result.plan) do
    found[t.codec .. (t.bases and "x" .. t.bases or "") .. (t.columns and "+col" or "")] = true
  end
  return found
end

describe("recipes that ship", function()
  for _, case in ipairs(cases) do
    it(("%s spends the %s budget"):format(case[1], case[2]), function()
      local result = compress(case[1], case[2])
      local limit = budget.bytes(2428672, case[2])
      assert.is_true(result.size <= limit and result.size >= 0.99 * limit, result.size)
    end)
  end

  it("rowcol beats rowmix in both budgets and keeps to the aims", function()
    for rate, aim in pairs { binary = 1.95, ternary = 1.70 } do
      local nats = {}
      for _, recipe in ipairs { "rowmix", "rowcol" } do
        local _, out = compress(recipe, rate)
        nats[recipe] = assert(eval.score { model = out, text = text }).heldout_cross_entropy_nats
      end
      assert.is_true(nats.rowcol < nats.rowmix and nats.rowcol <= aim, nats.rowcol)
    end
  end)

  it("use what they are named for", function()
    local rowcol = codecs_of(compress("rowcol", "binary"))
    assert.is_true(rowcol["b1+col"] and rowcol["t5+col"] or false)
    assert.is_true(codecs_of(compress("residual", "binary"))["b1x2"] or false)
    assert.is_true(codecs_of(compress("protect", "ternary"))["q4"] or false)
    local result = compress("ternary", "ternary", { offsets = "true" })
    local found = {}
    for _, t in ipairs(result.plan) do found[t.group or 0] = t.offsets end
    assert.is_true(found[128] or false)
  end)

  it("gguf makes a file of blocks that can be scored", function()
    local out = support.folder() .. "/m.gguf"
    for _, codec in ipairs { "q1_0", "q4_0" } do
      assert(engine.run { model = support.model, recipe = "gguf", set = { codec = codec },
        out = out })
      local scored = assert(eval.score { model = out, text = text:sub(1, 4096) })
      assert.is_true(scored.heldout_cross_entropy_nats < 2.5)
    end
  end)

  it("say what they are for and what was measured", function()
    local count = 0
    for _, entry in ipairs(script.list("recipe")) do
      local source = assert(fs.read(entry.path))
      assert.truthy(source:match("^%-%- .*tiny%-qwen3.*\nreturn {"), entry.name)
      count = count + 1
    end
    assert.is_true(count >= 6)
  end)
end)
