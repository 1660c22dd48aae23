local fs = require "core.fs"

local metric = require "bittern.bench.metric"
local support = require "tests.support"

local path = support.folder() .. "/result.json"

local function of(text, name)
  assert(fs.write(path, text))
  local payload, notes = metric.read(path)
  if payload == nil then return nil, notes end
  return metric.of(payload, name or "ppl", path)
end

describe("bittern.bench.metric", function()
  it("takes the first of the three forms", function()
    assert.equal(1.0, of '{"metric_name": "ppl", "metric_value": 1, "metrics": {"ppl": 2}}')
    assert.equal(2.0, of '{"metric_name": "x", "metric_value": 1, "metrics": {"ppl": 2}, "ppl": 3}')
    assert.equal(3.0, of '{"metrics": {"x": 2}, "ppl": 3}')
    assert.equal(3.0, of '{"metrics": [1], "ppl": 3}')
    assert.is_nil(of '{"metrics": {"x": 2}}')
    assert.is_nil(of "[1]")
    assert.is_nil(of "7")
  end)

  it("makes floats as Python does", function()
    for text, wanted in pairs { ["true"] = 1, ["false"] = 0, ['" 1e3 "'] = 1000, ['"1_000"'] = 1000,
      ['"+.5"'] = 0.5, ['"-inf"'] = -math.huge, ["Infinity"] = math.huge, ["1e400"] = math.huge,
      ['"-2."'] = -2 } do
      assert.equal(wanted, of('{"ppl": ' .. text .. "}"), text)
    end
    assert.is_true((function(v) return v ~= v end)(of '{"ppl": NaN}'))
    for _, text in ipairs { '"x"', '"0x10"', '""', '"1 2"', '"1e"' } do
      local value, notes, crash = of('{"ppl": ' .. text .. "}")
      assert.is_nil(value)
      assert.matches("could not convert string to float", notes)
      assert.is_nil(crash)
    end
    for _, text in ipairs { "null", "[]", "{}" } do
      assert.equal(true, select(3, of('{"ppl": ' .. text .. "}")), text)
    end
  end)

  it("forwards every number", function()
    assert(fs.write(path, '{"metrics": {"ppl": 2, "kb": 3, "note": "x"}, "size": 9}'))
    assert.same({ ppl = 2.0, kb = 3.0 }, metric.all(metric.read(path), "ppl"))
    assert(fs.write(path, '{"metric_name": "ppl", "metric_value": 2, "kb": 3}'))
    assert.same({ ppl = 2.0, kb = 3.0 }, metric.all(metric.read(path), "ppl"))
  end)

  it("finds the last mention in a text, as the reference's pattern does", function()
    local texts = {
      "ppl=1\nppl=2", "PPL : 3", "'ppl': 4", '"ppl": 4', "x.ppl=4", "xppl=4", "ppl_x=4", "ppl=nan",
      "ppl=.5", "ppl=-1.5e-3x", "ppl=1.", "ppl\n=\n7", "ppl=+2e5 ppl=x", "\u{e9}ppl=4", "ppl 4", "",
      "ppl=1e", "ppl=1e400",
    }
    local judge = [==[
import re, sys
for text in sys.argv[1:]:
    found = re.findall(r"(?im)\bppl\b\s*[:=]\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)", text)
    print(float(found[-1]) if found else None)
]==]
    local wanted = {}
    for line in support.python(judge, table.unpack(texts)):gmatch("[^\n]+") do
      wanted[#wanted + 1] = line == "None" and "nil" or tostring(tonumber(line) or math.huge)
    end
    for i, text in ipairs(texts) do
      assert.equal(wanted[i], tostring(metric.of_text(text, "ppl")), text)
    end
  end)
end)
