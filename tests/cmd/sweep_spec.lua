local fs = require "core.fs"

local json = require "bittern.json"
local support = require "tests.support"

local home = support.folder()
local text = home .. "/text.txt"
assert(fs.write(text, assert(fs.read(support.model .. "/heldout.txt")):sub(1, 2048)))

local function sweep(...)
  return support.bittern(home, { "--json", "sweep", support.model, "--text", text, ... })
end

describe("bittern sweep", function()
  it("shows the frontier, what was not possible, and does not measure twice", function()
    local tries = { "--try", "rowmix:base=b1", "--try", "ternary", "--try",
      "rowmix:base=b1:first=nothing" }
    local first = sweep(table.unpack(tries))
    assert.equal(0, first.status, first.stderr)
    local points = json.decode(first.stdout).points
    assert.same({ "rowmix base=b1", "ternary", "rowmix base=b1 first=nothing" },
      { points[1].label, points[2].label, points[3].label })
    assert.truthy(points[2].error:find("over the budget", 1, true))
    assert.is_false(points[2].frontier)
    local best = points[1].nats < points[3].nats and points[1] or points[3]
    assert.is_true(best.frontier)
    for _, other in ipairs { points[1], points[3] } do
      assert.equal(other == best or other.bytes < best.bytes, other.frontier)
    end
    local again = sweep(table.unpack(tries))
    assert.same(points, json.decode(again.stdout).points)
    assert.equal(3, select(2, again.stderr:gsub("try [^\n]*%(done before%)", "")))
  end)

  it("refuses tries that cannot be", function()
    for try, fragment in pairs { nonsense = "no recipe named", [":a=b"] = "names no recipe",
      ["rowmix:base"] = "KEY=VALUE", ["rowmix:bsae=b1"] = "did you mean 'base'" } do
      local done = sweep("--try", try)
      assert.not_equal(0, done.status)
      assert.truthy(json.decode(done.stdout).error.message:find(fragment, 1, true), done.stdout)
    end
  end)
end)
