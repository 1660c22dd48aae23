local engine = require "bittern.compress.engine"
local trust = require "bittern.trust"

local small_model = require "tests.small_model"

local model = small_model.write {
  { name = "a.weight", shape = { 8, 32 } }, { name = "norm.weight", shape = { 32 }, dtype = "F32" },
}

-- The plan that a tensor function with this body makes.
local function plan(body, options)
  local all = { model = model, recipe = small_model.recipe(body), dry_run = true }
  for key, value in pairs(options or {}) do all[key] = value end
  return engine.run(all)
end

-- Body is line 4 of the recipe's file.
local function complains(body, fragment, line)
  local result, message, code = plan(body)
  assert.is_nil(result)
  assert.equal("script", code)
  assert.truthy(message:find(fragment, 1, true), message)
  assert.truthy(message:find(("/mine.lua:%d: "):format(line or 4), 1, true), message)
  assert.truthy(message:find("(tensor 'a.weight')", 1, true), message)
end

local keep_rest = "if t.rank ~= 2 then return ctx.keep() end "

-- A recipe that is trusted runs in this process, any other in a sandbox: nobody can tell.
for _, place in ipairs { "trusted", "sandboxed" } do
  describe("recipe, " .. place, function()
    local is_own = trust.is_own
    before_each(function() trust.is_own = function() return place == "trusted" end end)
    after_each(function() trust.is_own = is_own end)

    it("says what becomes of each tensor", function()
      local result = assert(plan(keep_rest .. 'return ctx.lowbit { codec = "t5", rescue = 2 }'))
      assert.same({ "t5", 0, 2 },
        { result.plan[1].codec, result.plan[1].group, result.plan[1].rescued })
      assert.equal("f32", result.plan[2].codec)
      result = assert(plan 'return t.rank == 2 and ctx.q4() or ctx.keep { dtype = "bf16" }')
      assert.same({ "q4", "bf16" }, { result.plan[1].codec, result.plan[2].codec })
      result = assert(plan(keep_rest .. 'return ctx.lowbit { codec = "b1", group = 16 }'))
      assert.equal(16, result.plan[1].group)
      result = assert(plan(keep_rest .. 'return ctx.lowbit { codec = "b1", rescue = t.rows }'))
      assert.same({ "q4", 0 }, { result.plan[1].codec, result.plan[1].rescued })
    end)

    it("sees the tensor, the arguments and the budget", function()
      local body = [[
      if t.rank == 2 then
        assert(t.name == "a.weight" and t.rows == 8 and t.cols == 32 and t.dtype == "bf16")
        assert(t.parameters == 256 and t.shape[2] == 32 and ctx.args.base == "t2")
        assert(ctx.bits > 40 and ctx.match(t.name, "b,a.w") and not ctx.match(t.name, { "x*y" }))
        assert(ctx.match(t.name, "a*t") and not ctx.match(t.name, "a%.w"))
        return ctx.lowbit { codec = ctx.args.base }
      end
      return ctx.keep()]]
      local result = assert(plan(body, { set = { base = "t2" }, budget = 100000 }))
      assert.equal("t2", result.plan[1].codec)
    end)

    it("is told file and line of a misspelt key, with the nearest known one", function()
      complains('return ctx.lowbit {\ncodec = "b1",\nresue = 3 }',
        "unknown key 'resue'; did you mean 'rescue'?", 6)
      complains('return ctx.lowbit { codec = "b2" }', "unknown codec 'b2'; did you mean 'b1'?")
      complains('return ctx.lowbit { codec = "b1", scale = "mean_sq" }', "unknown scale 'mean_sq'")
      complains('return ctx.lowbt { codec = "b1" }', "ctx has no 'lowbt'; did you mean 'lowbit'?")
      complains("return ctx.args.bas", "ctx.args has no 'bas'; did you mean 'base'?")
      complains("\n\nreturn ctxx.keep()", "undefined global 'ctxx'", 6)
    end)

    it("is told file and line of values that make no sense", function()
      for _, case in ipairs {
        { "codec = 'b1', rescue = -1", "rescue must lie in 0..8, not be -1" },
        { "codec = 'b1', rescue = 9", "rescue must lie in 0..8, not be 9" },
        { "codec = 'b1', rescue = 'all'", "rescue must be a whole number or \"budget\", not all" },
        { "codec = 'b1', rescue_most = 1.5", "rescue_most must lie in 0..1, not be 1.5" },
        { "codec = 'b1', rescue_most = 0/0", "rescue_most must lie in 0..1" },
        { "codec = 'b1', rescue = 0/0", "rescue must be a whole number" },
        { "codec = 'b1', group = 0", "group must lie in" },
        { "codec = 'b1', weight = 0/0", "weight must lie in" },
        { "codec = 'b1', iterations = 0", "iterations must lie in" },
        { "codec = 4", "key 'codec' must be a string" },
        { "", "key 'codec' is missing" },
      } do
        complains("return ctx.lowbit { " .. case[1] .. " }", case[2])
      end
      complains("return ctx.keep { dtype = 'f8' }", "unknown dtype 'f8'")
      complains("ctx.args.base = 1", "ctx.args.base cannot be set")
    end)

    it("is told when it returns something that no function of ctx gave for this tensor", function()
      complains("", "must return", 3)
      complains("return 'b1'", "not string", 3)
      complains("return { kind = 'pack', codec = 'b1' }", "not table", 3)
      local result, message = plan 'if t.rank == 2 then x = 1 end return ctx.keep()'
      assert.is_nil(result)
      assert.truthy(message:find("mine.lua:4: assignment to global 'x'", 1, true), message)
    end)

    it("cannot hand on what it got for another tensor", function()
      local path = small_model.recipe(nil, [[
local first
return { api = 1, about = "x", tensor = function(ctx, t)
  first = first or ctx.lowbit { codec = "b1" }
  return first
end }]])
      local result, message, code = engine.run { model = model, recipe = path, dry_run = true }
      assert.is_nil(result)
      assert.equal("script", code)
      assert.truthy(message:find("mine.lua:2: tensor must return", 1, true), message)
    end)

    it("shows where it failed, and its own refusals", function()
      complains("local n = nil\nreturn n.x", "attempt to index a nil value", 5)
      complains("error('no such layer')", "no such layer")
      complains("ctx.error('only for llamas')", "only for llamas")
      complains("return ctx.error('only for llamas')", "only for llamas", 3)
      complains("error({})", "raised a table")
    end)

    it("packs matrices only", function()
      local result, message = plan 'return ctx.lowbit { codec = "b1" }'
      assert.is_nil(result)
      assert.truthy(message:find("only matrices of f32, f16 or bf16 are packed, this is f32 [32]",
        1, true), message)
    end)

    it("may not be of another api, have other keys, or be missing", function()
      for text, fragment in pairs {
        ["return { api = 2, about = 'x', tensor = function() end }"] = "api = 2 is not known here",
        ["return { api = 1, about = 'x', tensr = function() end }"] = "did you mean 'tensor'?",
        ["return { api = 1, about = 'x' }"] = "key 'tensor' is missing",
        ["return {"] = "expected",
      } do
        local path = small_model.recipe(nil, text)
        local result, message, code = engine.run { model = model, recipe = path, dry_run = true }
        assert.is_nil(result)
        assert.equal("script", code)
        assert.truthy(message:find(fragment, 1, true), message)
        assert.truthy(message:find("mine.lua:1: ", 1, true), message)
      end
      local result, message, code = engine.run { model = model, recipe = "rowmx", dry_run = true }
      assert.is_nil(result)
      assert.equal("not_found", code)
      assert.truthy(message:find("did you mean 'rowmix'?", 1, true), message)
    end)

    it("may not be given arguments it does not have", function()
      local result, message, code = plan("return ctx.keep()", { set = { bse = "t5" } })
      assert.is_nil(result)
      assert.equal("usage", code)
      assert.truthy(message:find("no argument 'bse'; did you mean 'base'?", 1, true), message)
    end)

    it("reaches no files, no clock and no environment", function()
      for _, name in ipairs { "io", "os", "require", "load", "dofile", "debug", "package" } do
        complains("return " .. name, "undefined global '" .. name .. "'")
      end
    end)
  end)
end
