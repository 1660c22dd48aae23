-- Recipes and models that are broken: each is answered with what is wrong and where, and nothing
-- half lies under the final name.
local fs = require "core.fs"

local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local small_model = require "tests.small_model"
local support = require "tests.support"

local function compress(model, body, options)
  local all = { model = model, recipe = small_model.recipe(body), out = support.folder() .. "/out",
    budget = 1 << 20 }
  for key, value in pairs(options or {}) do all[key] = value end
  local result, message, code = engine.run(all)
  if not result then
    assert.is_nil(fs.stat(all.out .. "/model.safetensors"))
    assert.is_nil(fs.stat(all.out .. "/model.safetensors.part"))
    assert.is_nil(fs.stat(all.out .. "/model.safetensors.journal.part"))
  end
  return result, message, code, all.out
end

local function fails(code, fragment, ...)
  local result, message, id = compress(...)
  assert.is_nil(result)
  assert.equal(code, id, message)
  assert.truthy(message:find(fragment, 1, true), message)
end

local two = small_model.write {
  { name = "a", shape = { 8, 32 } }, { name = "b", shape = { 4, 8 } },
}

describe("a recipe that is broken", function()
  it("throws on tensor 500", function()
    local tensors = {}
    for i = 1, 510 do tensors[i] = { name = ("t%03d"):format(i), shape = { 2, 2 } } end
    fails("script", "mine.lua:4: no more (tensor 't500')", small_model.write(tensors), [[
      if t.name == "t500" then error("no more") end
      return ctx.q4()]])
  end)

  it("loops for ever, even when it catches errors", function()
    fails("script_limit", "mine.lua:4: took longer than 0.05 s (tensor 'b')", two,
      "while t.name == 'b' do pcall(function() while true do end end) end return ctx.q4()",
      { limits = { seconds = 0.05 } })
  end)

  it("loops for ever before it says anything", function()
    local path = small_model.recipe(nil, "while true do end")
    fails("script_limit", "mine.lua:1: took longer than", two, "", { recipe = path })
  end)

  it("asks for more memory than it may", function()
    for _, body in ipairs { "local s = 'x' while true do s = s .. s end",
      "local s = ('x'):rep(1 << 30)", "local t = {} for i = 1, 1e9 do t[i] = {} end" } do
      fails("script_limit", "mine.lua:3: asked for more than 1048576 bytes of memory (tensor 'a')",
        two, body, { limits = { memory = 1 << 20 } })
    end
  end)

  it("exits 14 and names file, line and tensor", function()
    local path = small_model.recipe "return nil + 1"
    local done = support.bittern(support.folder(), { "compress", two, "--recipe", path,
      "--dry-run" })
    assert.equal(14, done.status)
    assert.truthy(done.stderr:find(path .. ":4: ", 1, true), done.stderr)
    assert.truthy(done.stderr:find("(tensor 'a')", 1, true), done.stderr)
  end)

  it("gives upgrades that make no sense", function()
    for _, case in ipairs {
      { "upgrades = { { bases = 9 } }", "bases must lie in 1..4, not be 9" },
      { "upgrades = { { codec = 'b2' } }", "unknown codec 'b2'" },
      { "upgrades = { { weight = 2 } }", "unknown key 'weight'" },
      { "upgrades = { 7 }", "ctx.lowbit: upgrades" },
      { "upgrades = { codec = 't5' }", "upgrades must be a list of tables" },
      { "upgrades = { { codec = 'q3' } }", "unknown codec 'q3'; did you mean 'q4'?" },
      { "offsets = true", "offsets go with one ternary base" },
      { "bases = 0", "bases must lie in 1..4" },
    } do
      fails("script", case[2], two, "return ctx.lowbit { codec = 'b1', " .. case[1] .. " }")
    end
  end)

  it("mixes packed matrices with GGUF blocks", function()
    local model = small_model.write { { name = "a", shape = { 4, 128 } },
      { name = "b", shape = { 4, 128 } } }
    fails("script", "'b' is packed and 'a' made of GGUF blocks", model,
      "return t.name == 'a' and ctx.block { codec = 'q1_0' } or ctx.q4()")
    fails("script", "rows of 32 are not whole blocks of 128 values", two,
      "return ctx.block { codec = 'q1_0' }")
  end)
end)

describe("a model that is odd", function()
  local bodies = {
    "return ctx.lowbit { codec = 'b1', rescue = 'budget' }", "return ctx.q4()",
    "return ctx.lowbit { codec = 't5', group = 7, rescue = 'budget' }",
    "return ctx.lowbit { codec = 't2', rescue = 1 }",
  }

  local function each(tensors, check)
    for _, body in ipairs(bodies) do
      local result, message, _, out = compress(small_model.write(tensors), body)
      assert(result, message)
      local opened <close> = assert(models.open(out))
      local held = assert(packed.describe(opened))
      check(assert(packed.matrix(opened, "w", held.matrices.w)), result)
    end
  end

  it("has a matrix of zeros", function()
    each({ { name = "w", shape = { 6, 40 }, value = function() return 0 end } },
      function(values, result)
        for i = 0, #values - 1 do assert.equal(0, values:get(i)) end
        assert.equal(0, result.plan[1].error_after)
      end)
  end)

  it("has a matrix of one row, and one of one column", function()
    each({ { name = "w", shape = { 1, 33 } } }, function(values) assert.equal(33, #values) end)
    each({ { name = "w", shape = { 33, 1 } } }, function(values) assert.equal(33, #values) end)
  end)

  it("has rows that are not a multiple of anything", function()
    each({ { name = "w", shape = { 13, 131 } } }, function(values)
      assert.equal(13 * 131, #values)
    end)
  end)

  it("has one weight that is not a number", function()
    local model = small_model.write { { name = "w", shape = { 9, 40 }, dtype = "F32",
      value = function(i) return i == 7 * 40 + 3 and 0 / 0 or i end } }
    for _, body in ipairs(bodies) do
      fails("invalid_model", "tensor 'w': row 7, column 3: weight is not finite", model, body)
    end
  end)
end)

-- A disk of so many bytes, which goes when the test ends, however it ends; nil where only root may
-- have one (the limit of file sizes is tested as well).
local function small_disk(size)
  local path = support.folder()
  local done = support.run { "mount", "-t", "tmpfs", "-o", "size=" .. size, "none", path }
  if done.status ~= 0 then return nil end
  return setmetatable({ path = path }, { __close = function()
    support.run { "umount", path }
  end })
end

describe("a disk that is full", function()
  it("says how much is needed before it begins, and leaves nothing under the final name", function()
    local disk <close>, home = small_disk "360k", support.folder()
    if not disk then return end
    for _, out in ipairs { disk.path .. "/out", disk.path .. "/a.zip" } do
      local failed = support.bittern(home, { "--json", "compress", support.model, "--budget",
        "binary", "--out", out })
      local failure = json.decode(failed.stdout).error
      assert.same({ 13, "disk_full" }, { failed.status, failure.id })
      assert.truthy(failure.message:find("needs %d+ bytes, %d+ are free"), failure.message)
      assert.is_nil(fs.stat(disk.path .. "/out/model.safetensors"))
      assert.is_nil(fs.stat(disk.path .. "/a.zip"))
    end
  end)

  it("is asked for room by recipes of GGUF blocks, too, which go on when there is some", function()
    local disk <close>, gguf = small_disk "12k", small_model.gguf()
    if not disk then return end
    local out = disk.path .. "/a.gguf"
    local options = { model = gguf.model, recipe = gguf.recipe, out = out, budget = 1 << 20 }
    local done, message, code = engine.run(options)
    assert.same({ nil, "disk_full" }, { done, code })
    assert.truthy(message:find("needs %d+ bytes, %d+ are free"), message)
    assert.is_nil(fs.stat(out))
    assert.equal(0, support.run({ "mount", "-o", "remount,size=1m", disk.path }).status)
    assert(engine.run(options))
    assert.is_nil(fs.stat(out .. ".part"))
  end)
end)
