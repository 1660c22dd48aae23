-- Every instruction set, and any number of threads, gives the same bytes.
local quant = require "core.quant"

local support = require "tests.support"

local script = support.root .. "/tests/fixtures/isa_digest.lua"

local function digest(isa, threads)
  local done = support.bittern(support.folder(), { "run", script, tostring(threads) },
    { env = { BITTERN_ISA = isa } })
  assert.equal("", done.stderr)
  assert.matches("^%x+\n$", done.stdout)
  return done.stdout
end

describe("instruction sets", function()
  local chosen, available = quant.isa()
  local has = {}
  for _, name in ipairs(available) do has[name] = true end

  it("are listed, slowest first, and one is in use", function()
    assert.equal("scalar", available[1])
    assert.is_true(has[chosen])
    for _, isa in ipairs(available) do
      local done = support.bittern(support.folder(), { "--json", "version" },
        { env = { BITTERN_ISA = isa } })
      assert.equal(isa, require "bittern.json".decode(done.stdout).isa)
    end
  end)

  it("are refused by name where they are missing", function()
    local home = support.folder()
    local done = support.bittern(home, { "version" }, { env = { BITTERN_ISA = "mmx" } })
    assert.equal(3, done.status)
    assert.matches("BITTERN_ISA: this processor has no 'mmx'", done.stderr)
    done = support.bittern(home, { "stats", support.model }, { env = { BITTERN_ISA = "mmx" } })
    assert.equal(3, done.status)
    assert.matches("BITTERN_ISA: this processor has no 'mmx'", done.stderr)
  end)

  local expected = digest("scalar", 1)
  local is_arm = support.run({ "uname", "-m" }).stdout == "aarch64\n"
  local built = is_arm and { "scalar", "neon" } or { "scalar", "avx2", "avx512" }
  for _, isa in ipairs(built) do
    it(isa .. " gives the bytes of the plain kernels, on threads too", function()
      if not has[isa] then pending("this processor has no " .. isa) return end
      assert.equal(expected, digest(isa, 1))
      assert.equal(expected, digest(isa, 3))
    end)
  end
end)
