-- What the recipes that ship make of tiny-qwen3, within the budgets.
local quant = require "core.quant"

local budget = require "bittern.compress.budget"
local engine = require "bittern.compress.engine"
local eval = require "bittern.eval.score"
local fs = require "core.fs"
local script = require "bittern.script"
local small_model = require "tests.small_model"
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

-- A model of many layers whose embedding has a quarter of all weights, as small ones have it.
local function deep_model(layers)
  local pool = quant.narrow("bf16", small_model.numbers(256 * 128, 7)):text()
  local tensors = { { name = "model.embed_tokens.weight", shape = { 128 * layers, 128 },
    text = pool:rep(layers // 2) } }
  local shapes = { ["self_attn.q_proj"] = { 64, 128 }, ["self_attn.v_proj"] = { 32, 128 },
    ["self_attn.o_proj"] = { 128, 64 }, ["mlp.gate_proj"] = { 192, 128 },
    ["mlp.down_proj"] = { 128, 192 } }
  for layer = 0, layers - 1 do
    for name, shape in pairs(shapes) do
      tensors[#tensors + 1] = { name = ("model.layers.%d.%s.weight"):format(layer, name),
        shape = shape, text = pool:sub(1, 2 * shape[1] * shape[2]) }
    end
  end
  return small_model.write(tensors)
end

-- The plan of a recipe that has so many bits a weight more than its smallest archive needs.
local function plan_of(model, recipe, bits, parameters)
  local options = { model = model, recipe = recipe, dry_run = true, set = { base = "b1" },
    budget = 1000 }
  local _, message = engine.run(options)
  local least = math.tointeger(message:match("has (%d+) bytes"))
  options.budget = least + math.floor(parameters * bits / 8)
  return assert(engine.run(options)).plan
end

describe("a model of many layers", function()
  local model <const> = deep_model(28)
  local parameters <const> = 28 * (128 + 64 + 32 + 64 + 192 + 192) * 128

  it("gets more bits layer after layer, none of them all to itself", function()
    for _, recipe in ipairs { "rowcol", "residual", "protect" } do
      local deepest = -1
      for _, t in ipairs(plan_of(model, recipe, 0.8, parameters)) do
        local layer = math.tointeger(tonumber(t.name:match("%.(%d+)%.")))
        if layer and t.name:find("gate_proj") then
          assert.is_true(t.codec ~= "q4" and t.rescued <= 0.25 * t.shape[1], recipe .. t.name)
          if t.codec == "t5" or t.bases then deepest = math.max(deepest, layer) end
        end
      end
      assert.is_true(deepest >= 4, ("%s: layer %d"):format(recipe, deepest))
    end
  end)

  it("has its embedding at less than four bits where they do not fit", function()
    for _, recipe in ipairs { "rowcol", "rowmix", "residual", "protect" } do
      for bits, fits in pairs { [0.3] = false, [2] = true } do
        for _, t in ipairs(plan_of(model, recipe, bits, parameters)) do
          if t.name:find("embed") then
            assert.equal(fits and "q4" or "t5", t.codec, recipe)
            assert.is_true(fits or t.rescued > 0, recipe)
          end
        end
      end
    end
  end)
end)
