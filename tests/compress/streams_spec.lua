-- Compression streams: little memory whatever the model, the same bytes whatever the machine.
local quant = require "core.quant"

local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local giant_model = require "tests.giant_model"
local small_model = require "tests.small_model"
local support = require "tests.support"

local GIGABYTE <const> = 1000000000

describe("compressing", function()
  it("gives the same bytes on every instruction set and any number of threads", function()
    local home, first = support.folder(), nil
    local recipe = small_model.recipe [[
      if t.rank ~= 2 then return ctx.keep() end
      if ctx.match(t.name, "embed,v_proj") then return ctx.q4() end
      if ctx.match(t.name, "o_proj") then return ctx.lowbit { codec = "t2", rescue = 9 } end
      if ctx.match(t.name, "q_proj") then
        return ctx.lowbit { codec = "b1", bases = 3, columns = true, rescue = 5 }
      end
      if ctx.match(t.name, "k_proj") then return ctx.lowbit { codec = "t5", offsets = true } end
      return ctx.lowbit { codec = ctx.match(t.name, "mlp") and "t5" or "b1", rescue = "budget",
        upgrades = { { group = 64 }, { columns = true } } }]]
    local _, available = quant.isa()
    for _, isa in ipairs(available) do
      for _, threads in ipairs { "1", "2" } do
        local done = support.bittern(home, { "--json", "compress", support.model, "--recipe",
          recipe, "--budget", "2.6", "--threads", threads, "--out", support.folder() },
          { env = { BITTERN_ISA = isa } })
        assert.equal(0, done.status, done.stderr)
        local hash = json.decode(done.stdout).sha256
        first = first or hash
        assert.equal(first, hash, isa .. ", threads " .. threads)
      end
    end
  end)

  -- `make bench-memory` compresses all of it, 55 GB.
  it("keeps memory under 1 GB: 5 GB of a model of 27 billion parameters", function()
    local dir, bytes = giant_model.single(1)
    assert.is_true(bytes > 5 * GIGABYTE)
    local status, _, peak = support.cost(support.folder(), { "--quiet", "compress", dir, "--budget",
      "3", "--set", "base=b1", "--out", support.folder() })
    assert.equal(0, status)
    assert.is_true(peak < GIGABYTE // 4, ("%d MB"):format(peak // 1000000))
  end)

  it("fits columns of a matrix of 300 MB within half of that and what it samples", function()
    local dir = small_model.hollow(30000, 5120)
    local status, _, peak = support.cost(support.folder(), { "--quiet", "compress", dir, "--recipe",
      small_model.recipe "return ctx.lowbit { codec = 'b1', columns = true, iterations = 1 }",
      "--out", support.folder() })
    assert.equal(0, status)
    assert.is_true(peak < GIGABYTE // 2, ("%d MB"):format(peak // 1000000))
  end)

  it("plans a model of 27 billion parameters from its headers, in little memory", function()
    local dir = giant_model.single()
    local recipe = small_model.recipe [[
      return t.rank == 2 and t.rows > 1e5 and ctx.q4() or ctx.keep()]]
    local status, _, peak = support.cost(support.folder(), { "--quiet", "compress", dir, "--recipe",
      recipe, "--budget", "1", "--dry-run" })
    assert.equal(9, status) -- over the budget, which is known before anything is read
    assert.is_true(peak < GIGABYTE // 4, ("%d MB"):format(peak // 1000000))
  end)

  it("reads each byte once for a plan without statistics", function()
    local tensors, data = {}, 4 * 2 * 50 * 64
    for i = 1, 4 do tensors[i] = { name = "w" .. i, shape = { 50, 64 } } end
    local dir = small_model.write(tensors)
    local last, total
    local function count(body, options)
      options.model, options.recipe, options.out = dir, small_model.recipe(body), support.folder()
      options.on_progress = function(done, all) last, total = done, all end
      assert(engine.run(options))
      return last, total
    end
    assert.same({ data, data }, { count("return ctx.lowbit { codec = 'b1' }", {}) })
    assert.same({ 2 * data, 2 * data },
      { count("return ctx.lowbit { codec = 'b1', rescue = 'budget' }", { budget = 1 << 20 }) })
  end)
end)
