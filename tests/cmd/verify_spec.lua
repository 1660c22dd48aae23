local json = require "bittern.json"
local serving = require "tests.practice.serving"
local small_model = require "tests.small_model"
local support = require "tests.support"

describe("bittern verify", function()
  local home, dir = support.folder(), support.folder()
  local zip = home .. "/a.zip"
  local server, url

  setup(function()
    local pack = require "bittern.artifact.pack"
    assert(pack.run { dir = small_model.write { { name = "w", shape = { 64, 64 } } }, out = zip })
    server, url = serving.start(dir, { "--no-validator" })
  end)

  teardown(function() serving.stop(server) end)

  it("takes the budget from a task", function()
    local done = support.bittern(home, { "--coordinator", url, "verify", zip, "--task",
      "tiny-ternary-frontier" })
    assert.equal(9, done.status, done.stdout .. done.stderr)
    assert.truthy(done.stdout:find(
      "quantized_size  STOP    [%d,]+ bytes are [%d,]+ over the 1,132 that 4,096 parameters"),
      done.stdout)
    assert.truthy(done.stderr:find("a.zip: 8,", 1, true), done.stderr)
  end)

  it("prints all checks and the first stop as one object", function()
    local done = support.bittern(home, { "--json", "verify", zip, "--size", "1", "--budget",
      "binary" })
    assert.equal(12, done.status)
    local result = json.decode(done.stdout)
    assert.same({ false, "integrity", 12, "quantized_size", "over_budget" }, { result.ok,
      result.error.id, result.error.exit, result.checks[11].id, result.checks[11].code })
    assert.equal("", done.stderr)
  end)

  it("takes one budget, of a task that is there", function()
    local done = support.bittern(home, { "verify", zip, "--task", "x", "--budget", "binary" })
    assert.equal(2, done.status)
    done = support.bittern(home, { "--coordinator", url, "--json", "verify", zip, "--task", "x" })
    assert.equal(7, done.status, done.stdout)
  end)
end)
