local buffer = require "core.buffer"
local fs = require "core.fs"
local sha256 = require "core.sha256"

local allocate = require "bittern.compress.allocate"
local budget = require "bittern.compress.budget"
local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local models = require "bittern.model"
local pack = require "bittern.artifact.pack"
local packed = require "bittern.artifact.packed"
local plan = require "bittern.compress.plan"
local small_model = require "tests.small_model"
local support = require "tests.support"

-- Every tensor at b1 with rescued rows within the budget, but vectors.
local mixed = small_model.recipe [[
  if t.rank ~= 2 or t.rows == 0 or t.cols == 0 then return ctx.keep() end
  return ctx.lowbit { codec = ctx.args.base, rescue = "budget" }]]

local function compress(model, options)
  local all = { model = model, recipe = mixed, out = support.folder() .. "/out" }
  for key, value in pairs(options or {}) do all[key] = value end
  return engine.run(all)
end

local function archive_of(dir)
  return assert(pack.run { dir = dir, out = support.folder() .. "/a.zip" })
end

local function names_in(dir)
  return support.run({ "ls", "-A" }, { cwd = dir }).stdout
end

describe("compressing tiny-qwen3", function()
  for _, rate in ipairs { "binary", "ternary" } do
    it("uses more than 99 % of the " .. rate .. " budget and not a byte more", function()
      local out = support.folder()
      local result = assert(engine.run {
        model = support.model, recipe = "rowmix", out = out, budget = rate,
      })
      local limit = budget.bytes(2428672, rate)
      assert.equal(2428672, result.parameters)
      assert.equal(limit, result.budget)
      assert.is_true(result.bytes <= limit and result.bytes > 0.99 * limit, result.bytes)
      assert.equal(result.bytes, archive_of(out).size)
    end)
  end

  it("gives the same bytes every time", function()
    local first, second = support.folder(), support.folder()
    for _, out in ipairs { first, second } do
      assert(engine.run { model = support.model, recipe = "rowmix", out = out, budget = "binary" })
    end
    assert.equal(archive_of(first).sha256, archive_of(second).sha256)
  end)

  it("writes a config that names the loader and keeps every number", function()
    local out = support.folder()
    assert(engine.run { model = support.model, recipe = "rowmix", out = out, budget = "binary" })
    assert.equal("ok\n", support.python([[
import json, sys
base = json.load(open(sys.argv[1] + '/config.json'))
packed = json.load(open(sys.argv[2] + '/config.json'))
assert packed.pop('auto_map') == {'AutoModelForCausalLM': 'modeling_bittern.BitternForCausalLM'}
assert packed.pop('bittern') == {'format': 'bittern', 'version': '1', 'recipe': 'rowmix'}
assert packed == base and repr(packed['rms_norm_eps']) == repr(base['rms_norm_eps'])
print('ok')]], support.model, out))
  end)

  it("records format, recipe and plan in the weights' metadata", function()
    local out = support.folder()
    assert(engine.run { model = support.model, recipe = "rowmix", out = out, budget = "binary" })
    local model <close> = assert(models.open(out))
    assert.same({ "bittern", "1", "rowmix" },
      { model.metadata.format, model.metadata.version, model.metadata.recipe })
    assert.equal(sha256.file(support.root .. "/recipes/rowmix.lua"), model.metadata.recipe_sha256)
    local matrices = assert(json.decode(model.metadata.plan))
    assert.same({ 256, 512 },
      { table.unpack(matrices["model.layers.0.mlp.down_proj.weight"].shape) })
    assert.equal("q4", matrices["model.embed_tokens.weight"].codec)
  end)
end)

describe("compress", function()
  it("knows the archive's size for odd shapes, files and every count of rescued rows", function()
    local model = small_model.write({
      { name = "a", shape = { 7, 13 } }, { name = "b", shape = { 1, 300 } },
      { name = "c", shape = { 33, 1 }, dtype = "F16" }, { name = "d", shape = { 3, 5, 2 } },
      { name = "e", shape = {} , dtype = "F32" }, { name = "f", shape = { 0, 4 } },
      { name = "g", shape = { 40, 129 }, dtype = "F32" },
    }, { files = { ["tokenizer.json"] = "{}", ["merges.txt"] = "a b", ["notes.txt"] = "no" } })
    local least = assert(compress(model, { budget = 1 << 20, recipe = small_model.recipe(
      "if t.rank ~= 2 or t.parameters == 0 then return ctx.keep() end "
      .. "return ctx.lowbit { codec = 'b1' }") })).bytes
    local seen = {}
    for limit = least, least + 3600, 150 do
      local out = support.folder()
      local result = assert(compress(model, { budget = limit, out = out }))
      assert.is_true(result.bytes <= limit)
      assert.equal(result.bytes, archive_of(out).size)
      seen[result.bytes] = true
    end
    assert.is_true(#require("bittern.check").sorted_keys(seen) > 8)
  end)

  it("copies the tokenizer and nothing else", function()
    local model = small_model.write({ { name = "a", shape = { 4, 4 } } },
      { files = { ["tokenizer.json"] = "{}", ["notes.txt"] = "no", ["hotkey"] = "secret" } })
    local out = support.folder()
    assert(compress(model, { budget = 1 << 20, out = out }))
    assert.equal(".bittern.lock\nconfig.json\nmodel.safetensors\nmodeling_bittern.py\n"
      .. "tokenizer.json\n", names_in(out))
  end)

  it("rescues the rows that lose most", function()
    -- Rows of one magnitude lose nothing at one bit; rows 3 and 9 have an outlier each.
    local model = small_model.write { { name = "a", shape = { 16, 128 }, value = function(i)
      local row, column = i // 128, i % 128
      if (row == 3 or row == 9) and column == 5 then return 4 end
      return column % 2 == 0 and 0.5 or -0.5
    end } }
    local out = support.folder()
    local result = assert(compress(model, { out = out, recipe = small_model.recipe [[
      return ctx.lowbit { codec = "b1", rescue = 2 }]] }))
    assert.equal(2, result.plan[1].rescued)
    assert.is_true(result.plan[1].error_after < result.plan[1].error_before / 10,
      result.plan[1].error_after .. " of " .. result.plan[1].error_before)
    local opened <close> = assert(models.open(out))
    local matrix = assert(packed.describe(opened)).matrices.a
    assert.same({ 3, 9 }, { matrix.rows:get(0), matrix.rows:get(1) })
    local values = assert(packed.matrix(opened, "a", matrix))
    assert.is_true(math.abs(values:get(3 * 128 + 5) - 4) < 0.6)
    assert.equal(0.5, values:get(2))
    assert.equal(-0.5, values:get(129))
  end)

  it("converts plain tensors when asked, and keeps them bit for bit otherwise", function()
    local tensors = {
      { name = "a", shape = { 3 }, dtype = "F32" }, { name = "b", shape = { 3 }, dtype = "F16" },
      { name = "i", shape = { 2 }, dtype = "I64", text = ("x"):rep(16) },
    }
    local model, out = small_model.write(tensors), support.folder()
    assert(compress(model, { out = out, recipe = small_model.recipe [[
      return t.name == "a" and ctx.keep { dtype = "bf16" } or ctx.keep()]] }))
    local base <close> = assert(models.open(model))
    local new <close> = assert(models.open(out))
    local function bytes(m, name)
      local slice = m:tensor(name).slice
      return slice:read(0, slice:size())
    end
    assert.equal("BF16", new:tensor("a").dtype)
    assert.equal(bytes(base, "b"), bytes(new, "b"))
    assert.equal(("x"):rep(16), bytes(new, "i"))
    assert.equal(6, packed.parameters(new))
  end)

  it("does not store a tied head twice, and does not count it", function()
    local model = small_model.write({
      { name = "model.embed_tokens.weight", shape = { 4, 8 } },
      { name = "lm_head.weight", shape = { 4, 8 } },
    }, { config = { tie_word_embeddings = true } })
    local out = support.folder()
    assert.equal(32, assert(compress(model, { out = out, budget = 1 << 20 })).parameters)
    local new <close> = assert(models.open(out))
    assert.equal(32, packed.parameters(new))
  end)

  it("says what a budget lacks for the smallest archive, and writes nothing", function()
    local model, out = small_model.write { { name = "a", shape = { 8, 64 } } }, support.folder()
    local least = assert(compress(model, { budget = 1 << 20, dry_run = true, recipe =
      small_model.recipe "return ctx.lowbit { codec = 'b1' }" })).bytes
    local result, message, code = compress(model, { budget = least - 7, out = out .. "/x" })
    assert.is_nil(result)
    assert.equal("over_budget", code)
    assert.truthy(message:find(("%d bytes, 7 bytes over the budget of %d"):format(least, least - 7),
      1, true), message)
    assert.equal("", names_in(out))
    result, message, code = compress(model, { out = out .. "/x" })
    assert.is_nil(result)
    assert.equal("usage", code)
    assert.truthy(message:find("--budget", 1, true))
  end)

  it("names tensor, row and column of a weight that is not finite", function()
    local model = small_model.write { { name = "w", shape = { 9, 40 }, dtype = "F32",
      value = function(i) return i == 7 * 40 + 3 and 0 / 0 or i end } }
    for _, body in ipairs {
      "return ctx.lowbit { codec = 't5', rescue = 'budget' }", "return ctx.q4()",
      "return ctx.lowbit { codec = 'b1' }",
    } do
      local out = support.folder() .. "/out"
      local result, message, code = compress(model, { recipe = small_model.recipe(body), out = out,
        budget = 1 << 20 })
      assert.is_nil(result)
      assert.equal("invalid_model", code)
      assert.truthy(message:find("tensor 'w': row 7, column 3", 1, true), message)
      assert.is_nil(fs.stat(out .. "/model.safetensors"))
    end
  end)

  it("writes into one folder once at a time", function()
    local model, out = small_model.write { { name = "a", shape = { 4, 4 } } }, support.folder()
    local lock = assert(fs.lock(out .. "/.bittern.lock"))
    local result, _, code = compress(model, { out = out, budget = 1 << 20 })
    assert.is_nil(result)
    assert.equal("locked", code)
    lock:close()
    assert(compress(model, { out = out, budget = 1 << 20 }))
  end)

  it("refuses a folder whose other files would be packed, too", function()
    local model, out = small_model.write { { name = "a", shape = { 4, 4 } } }, support.folder()
    assert(fs.write(out .. "/extra.bin", "x"))
    local result, message, code = compress(model, { out = out, budget = 1 << 20 })
    assert.is_nil(result)
    assert.equal("usage", code)
    assert.truthy(message:find("'extra.bin' would be packed, too", 1, true), message)
    assert.equal("extra.bin\n", support.run({ "ls", "-A" }, { cwd = out }).stdout)
  end)

  it("sweeps up half files of a run that was killed", function()
    local model, out = small_model.write { { name = "a", shape = { 4, 4 } } }, support.folder()
    local half = out .. "/.model.safetensors.tmp-0123456789abcdef"
    assert(fs.write(half, "half"))
    assert(compress(model, { out = out, budget = 1 << 20 }))
    assert.is_nil(fs.stat(half))
  end)

  it("refuses a packed model, a folder without config, and a model with code of its own", function()
    local model, out = small_model.write { { name = "a", shape = { 4, 4 } } }, support.folder()
    assert(compress(model, { out = out, budget = 1 << 20 }))
    assert.truthy(select(2, compress(out, { budget = 1 << 20 })):find("packed already", 1, true))
    assert.equal("invalid_model", select(3, compress(support.folder(), { budget = 1 << 20 })))
    model = small_model.write({ { name = "a", shape = { 4, 4 } } },
      { config = { auto_map = { AutoConfig = "x.Y" } } })
    assert.truthy(select(2, compress(model, { budget = 1 << 20 })):find("auto_map", 1, true))
  end)

  it("leaves no weights behind when the disk is full", function()
    local home, out = support.folder(), support.folder()
    local done = support.run({ "/bin/sh", "-c",
      'ulimit -f 100; exec "$0" compress "$1" --budget binary --out "$2"', support.bin,
      support.model, out }, { env = support.environment(home) })
    assert.equal(13, done.status, done.stderr)
    assert.is_nil(fs.stat(out .. "/model.safetensors"))
    assert.is_nil(names_in(out):find(".tmp-", 1, true))
  end)
end)

describe("the allocator", function()
  -- Two matrices as the plan sees them; errors are given by hand.
  local function entry(name, rows, cols, errors, weight)
    local low, norms = buffer.new("f32", rows), buffer.new("f32", rows)
    for i, value in ipairs(errors) do
      low:set(i - 1, value)
      norms:set(i - 1, 2 * value)
    end
    local stats = { errors = { low }, norms = norms, after = buffer.new("f32", rows), share = 1 }
    return { stats = stats, item = {
      name = name, kind = "pack", shape = { rows, cols }, rows = rows, cols = cols, rescued = 0,
      weight = weight or 1,
      choices = { { codec = "b1", group = 0, bases = 1, rescue = "budget" } },
    } }
  end

  local function whole_of(entries)
    local items = {}
    for i, e in ipairs(entries) do items[i] = e.item end
    return { items = items, order = items, files = {}, recipe = { name = "x", sha256 = "y" } }
  end

  local function run(entries, limit)
    local whole = whole_of(entries)
    assert(allocate.run(whole, entries, limit))
    return whole
  end

  -- Bytes of the smallest archive, which a limit below it is answered with.
  local function smallest(entries)
    local ok, least = allocate.run(whole_of(entries), entries, 0)
    assert.is_nil(ok)
    return least
  end

  -- Forty rows each: in the first one row stands out, in the second all are equally bad.
  local function pair(weight)
    local few, many = {}, {}
    for i = 1, 40 do few[i], many[i] = i == 2 and 8 or 1, 100 end
    return entry("a", 40, 128, few), entry("b", 40, 128, many, weight)
  end

  it("prefers the rows that lose the largest share of their matrix's error a byte", function()
    local a, b = pair()
    local least = smallest { a, b }
    run({ a, b }, least + 400)
    assert.equal(0, b.item.rescued)
    assert.is_true(a.item.rescued > 0 and a.item.rescued < 5)
    assert.equal(47, a.item.error_before)
    assert.equal(47 - 8 - (a.item.rescued - 1), a.item.error_after)
  end)

  it("follows the recipe's weights", function()
    local a, b = pair(1000)
    local least = smallest { a, b }
    run({ a, b }, least + 400)
    assert.equal(0, a.item.rescued)
    assert.is_true(b.item.rescued > 0)
  end)

  it("splits rows of equal worth, and gives all when all fits", function()
    local errors = {}
    for i = 1, 500 do errors[i] = 1 end
    local a = entry("a", 500, 128, errors)
    local least = smallest { a }
    local used = plan.archive_size(run({ a }, least + 10000)) - least
    assert.is_true(used <= 10000 and used > 9900, used)
    run({ a }, 1 << 30)
    assert.equal(500, a.item.rescued)
  end)
end)
