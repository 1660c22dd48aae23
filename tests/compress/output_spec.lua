-- Where a compressed model goes: a folder, an archive, a GGUF file; and the ledger.
local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"

local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local models = require "bittern.model"
local pack = require "bittern.artifact.pack"
local packed = require "bittern.artifact.packed"
local safetensors = require "bittern.model.safetensors"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()

local function json_of(...)
  local done = support.bittern(home, { "--json", ... })
  assert.equal(0, done.status, done.stdout .. done.stderr)
  return json.decode(done.stdout)
end

describe("an archive", function()
  it("has the bytes that pack makes of the folder, and the hash that is told", function()
    local folder, zip = support.folder() .. "/out", support.folder() .. "/sub/a.zip"
    local one = json_of("compress", support.model, "--budget", "ternary", "--out", folder)
    local two = json_of("compress", support.model, "--budget", "ternary", "--out", zip)
    local made = assert(pack.run { dir = folder, out = support.folder() .. "/b.zip" })
    assert.same({ made.sha256, made.size, one.bytes }, { two.sha256, two.size, made.size })
    assert.equal(two.sha256, (sha256.file(zip)))
    assert.equal(one.sha256, (sha256.file(folder .. "/model.safetensors")))
    assert.equal(0, support.run({ "python3", "-m", "zipfile", "-t", zip }).status)
    assert.equal("a.zip\n", support.run({ "ls", zip:match("^(.*)/") }).stdout)
  end)

  it("is written by one at a time", function()
    local zip = support.folder() .. "/a.zip"
    local lock <close> = assert(fs.lock(zip:gsub("a%.zip$", ".a.zip.lock")))
    local done = support.bittern(home, { "compress", support.model, "--budget", "binary", "--out",
      zip })
    assert.equal(11, done.status, done.stderr)
    assert.is_not_nil(lock)
  end)

  it("is refused, before any work, where a folder is, or under a name of other contents", function()
    local folder = support.folder()
    for name, text in pairs { ["a.zip"] = "is a folder", ["a.gguf"] = "GGUF",
      ["a.safetensors"] = "ends in .zip" } do
      local out = folder .. "/" .. name
      if name == "a.zip" then assert(fs.mkdir(out)) end
      local done, message, code = engine.run { model = support.model, recipe = "rowmix", out = out,
        budget = "binary" }
      assert.same({ nil, name == "a.zip" and "is_directory" or "usage" }, { done, code }, name)
      assert.truthy(message:find(text, 1, true), message)
    end
    assert.equal("a.zip\n", support.run({ "ls", "-A", folder }).stdout)
  end)
end)

describe("a recipe of GGUF blocks", function()
  local gguf = small_model.gguf()
  local model, recipe = gguf.model, gguf.recipe

  it("makes one GGUF file, each tensor in its codec", function()
    local out = support.folder() .. "/a.gguf"
    local result = assert(engine.run { model = model, recipe = recipe, out = out,
      budget = 1 << 20 })
    assert.same({ fs.stat(out).size, (sha256.file(out)) }, { result.size, result.sha256 })
    assert.same({ 64 * 128 // 32 * 18, 128 * 4, 256 * 18 * 2 }, { result.plan[1].bytes,
      result.plan[4].bytes, result.plan[2].bytes + result.plan[3].bytes })
    local opened <close> = assert(models.open(out))
    assert.equal("q4_0", opened:tensor("token_embd.weight").dtype)
    assert.equal("q1_0", opened:tensor("blk.0.ffn_up.weight").dtype)
    assert.equal("F32", opened:tensor("output_norm.weight").dtype)
  end)

  it("shows its plan, and notes none that was not carried out", function()
    local done = support.bittern(support.folder(), { "compress", model, "--recipe", recipe,
      "--dry-run" })
    assert.equal(0, done.status)
    assert.matches("mlp.up_proj.weight%s+256x128%s+q1_0%s+1.125", done.stdout)
    assert.is_nil(done.stderr:find("ledger", 1, true), done.stderr)
  end)

  it("is held to the budget and to the name of the file", function()
    local result, message, code = engine.run { model = model, recipe = recipe, budget = 5000,
      out = support.folder() .. "/a.gguf" }
    assert.same({ nil, "over_budget" }, { result, code })
    assert.truthy(message:find("bytes over the budget of 5000", 1, true), message)
    result, message, code = engine.run { model = model, recipe = recipe, out = support.folder() }
    assert.same({ nil, "usage" }, { result, code })
    assert.truthy(message:find("ends in .gguf", 1, true), message)
  end)
end)

describe("the ledger", function()
  it("keeps what was made, of what and with which error of each tensor", function()
    local folder, own = support.folder() .. "/out", support.folder()
    local done = support.bittern(own, { "--json", "compress", support.model, "--budget", "binary",
      "--out", folder, "--recipe", "rowmix", "--set", "scale=mean_abs" })
    local result = json.decode(done.stdout)
    local ledger <close> = assert(ledgers.open(own .. "/.local/state/bittern/ledger.db"))
    local row = assert(ledger:compressions(support.model))[1]
    assert.same({ "rowmix", result.sha256, result.size, result.bytes, result.budget, folder },
      { row.recipe, row.sha256, row.size, row.bytes, row.budget, row.out })
    assert.equal("mean_abs", json.decode(row.settings).scale)
    local tensors = assert(ledger:query("SELECT * FROM tensors WHERE compression = ?", row.id))
    assert.equal(#result.plan, #tensors)
    local whole = 0
    for _, t in ipairs(tensors) do whole = whole + t.bytes end
    assert.is_true(whole < result.size and whole > result.size - 20000)
  end)
end)

describe("a plan", function()
  it("shows every tensor in 80 columns, with bits and expected error", function()
    local done = support.bittern(home, { "compress", support.model, "--budget", "binary",
      "--dry-run" })
    for line in done.stdout:gmatch("[^\n]+") do assert.is_true(utf8.len(line) <= 80, line) end
    assert.matches("TENSOR%s+SHAPE%s+CODEC%s+RESCUED%s+BITS%s+ERROR", done.stdout)
    assert.matches("model.embed_tokens.weight%s+260x256%s+q4%s+4.125%s+[%d.]+ %%", done.stdout)
    assert.matches("self_attn.k_proj.weight%s+128x256%s+b1%s+%d+%s+[%d.]+%s+[%d.]+ %%", done.stdout)
    assert.matches("self_attn.v_proj.weight%s+128x256%s+t5 %+col%s+1.812%s+[%d.]+ %%", done.stdout)
    assert.matches("relative squared error of the matrices: [%d.]+ %%", done.stderr)
  end)

  local everything = small_model.recipe [[
    if t.rank ~= 2 then return ctx.keep() end
    if ctx.match(t.name, "embed") then return ctx.q4() end
    if ctx.match(t.name, "q_proj") then
      return ctx.lowbit { codec = "b1", bases = 3, columns = true, rescue = "budget" }
    end
    if ctx.match(t.name, "k_proj") then return ctx.lowbit { codec = "t5", offsets = true } end
    return ctx.lowbit { codec = "b1", rescue = "budget",
      upgrades = { { group = 64, columns = true }, { bases = 2 }, { codec = "t5" },
        { codec = "q4" } } }
  ]]

  for _, case in ipairs { { "rowmix", "binary" }, { everything, "ternary" } } do
    it("expects the errors that come out of " .. case[1]:match("[^/]*$"), function()
      local options = { model = support.model, recipe = case[1], budget = case[2], dry_run = true }
      local expected = assert(engine.run(options))
      options.dry_run, options.out = false, support.folder()
      local made = assert(engine.run(options))
      for i, t in ipairs(expected.plan) do
        local other = made.plan[i]
        assert.same({ t.name, t.codec, t.rescued, t.bytes },
          { other.name, other.codec, other.rescued, other.bytes })
        if t.error_after then
          local difference = math.abs(t.error_after - other.error_after)
          assert.is_true(difference <= 1e-4 * t.error_after + 1e-9, t.name)
        end
      end
      assert.is_true(math.abs(expected.error - made.error) < 1e-5)
      assert.is_true(made.bytes > 0.99 * made.budget)
    end)
  end

  it("tells the errors of what is decoded", function()
    local out = support.folder()
    local result = assert(engine.run { model = support.model, recipe = everything, out = out,
      budget = "ternary" })
    local base <close> = assert(models.open(support.model))
    local made <close> = assert(models.open(out))
    local held = assert(packed.describe(made))
    for _, t in ipairs(result.plan) do
      if t.name:find("layers.1.*[qkv]_proj") then
        local before, sum = base:floats(t.name), 0
        local after = assert(packed.matrix(made, t.name, held.matrices[t.name]))
        for j = 0, #before - 1 do sum = sum + (before:get(j) - after:get(j)) ^ 2 end
        assert.is_true(math.abs(sum - t.error_after) < 1e-4 * sum, t.name)
      end
    end
  end)
end)

describe("the weights file", function()
  -- Its tensors in the order of their bytes.
  local function compressed(tensors, body)
    local out = support.folder()
    local done = assert(engine.run { model = small_model.write(tensors), out = out,
      recipe = small_model.recipe(body), budget = 1 << 20 })
    local source <close> = assert(map.open(out .. "/model.safetensors"))
    local file = assert(safetensors.open(source, out))
    return file.tensors, file.data_offset, done, sha256.file(out .. "/model.safetensors")
  end

  it("follows the work, so that its hash can, whatever the order of the names", function()
    -- small_model writes its tensors by name; codes of two rows of 24 are even, those of three not.
    local tensors = { { name = "a", shape = { 3, 24 } }, { name = "b", shape = { 2, 24 } },
      { name = "c", shape = { 16 } }, { name = "d", shape = { 4, 24 } },
      { name = "e", shape = { 16 }, dtype = "F32" } }
    local list, _, done, hash = compressed(tensors, [[
      if t.rank ~= 2 then return ctx.keep() end
      return ctx.lowbit { codec = "b1", rescue = t.name == "d" and 2 or 0 }]])
    local names = {}
    for i, one in ipairs(list) do names[i] = one.name end
    assert.equal("e d.rescue.rows b.scales b.codes c d.scales d.rescue.scales d.codes "
      .. "d.rescue.codes a.scales a.codes", table.concat(names, " "))
    assert.equal(hash, done.sha256)
  end)

  it("has every tensor aligned for its type", function()
    local tensors = {}
    for i = 1, 9 do
      tensors[i] = { name = "w" .. i, shape = { 2 + i, 7 + 3 * i } }
      local dtype = ({ "F32", "BF16", "F16" })[i % 3 + 1]
      tensors[9 + i] = { name = "v" .. i, shape = { i }, dtype = dtype }
    end
    local list, base = compressed(tensors, [[
      if t.rank ~= 2 then return ctx.keep() end
      return ctx.lowbit { codec = t.rows % 2 == 0 and "t5" or "b1", rescue = "budget" }]])
    for _, one in ipairs(list) do
      assert.equal(0, (base + one.offset) % (safetensors.bits(one.dtype) // 8), one.name)
    end
  end)
end)
