local json = require "bittern.json"
local process = require "core.process"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()

local function bittern(...)
  return support.bittern(home, { ... })
end

local function stats(path, ...)
  local done = bittern("--json", "stats", path, ...)
  assert.equal(0, done.status, done.stdout .. done.stderr)
  local by_name = {}
  local result = json.decode(done.stdout)
  for _, t in ipairs(result.tensors) do by_name[t.name] = t end
  return by_name, result
end

local function fails(exit, id, fragment, ...)
  local done = bittern("--json", ...)
  assert.equal(exit, done.status, done.stdout .. done.stderr)
  local failure = json.decode(done.stdout).error
  assert.equal(id, failure.id)
  assert.is_truthy(failure.message:find(fragment, 1, true), failure.message)
end

describe("bittern stats", function()
  it("agrees with numpy over the shipped model", function()
    local seen = stats(support.model)
    local truth = json.decode(support.python([[
import json, struct, sys
import numpy as np
data = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + n])
out = {}
for name, entry in header.items():
    if name == "__metadata__":
        continue
    a, b = entry["data_offsets"]
    bits = np.frombuffer(data[8 + n + a:8 + n + b], "<u2").astype("<u4") << 16
    x = bits.view("<f4").astype("f8").reshape(entry["shape"])
    mean, std = x.mean(), x.std()
    out[name] = [mean, std, x.min(), x.max(),
                 float(((x < mean - 4 * std) | (x > mean + 4 * std)).mean())]
    if x.ndim == 2:
        norms = np.sqrt((x * x).sum(axis=1))
        out[name] += [norms.min(), norms.max(), norms.mean(), norms.std()]
print(json.dumps(out))]], support.model .. "/model.safetensors"))
    local count = 0
    for name, t in pairs(truth) do
      local s = seen[name]
      local found = { s.mean, s.std, s.min, s.max, s.outliers }
      if s.row_norms then
        local n = s.row_norms
        table.move({ n.min, n.max, n.mean, n.std }, 1, 4, 6, found)
      end
      assert.equal(#t, #found)
      for i, value in ipairs(t) do assert.near(value, found[i], 1e-9 + 1e-9 * math.abs(value)) end
      count = count + 1
    end
    assert.equal(46, count)
  end)

  it("prints a table of 80 columns, and one tensor in detail", function()
    local done = bittern("stats", support.model)
    assert.equal(0, done.status)
    for line in done.stdout:gmatch("[^\n]+") do assert.is_true(utf8.len(line) <= 80, line) end
    assert.matches("\nmodel.layers.3\n", done.stdout)
    assert.matches("\n  mlp.up_proj.weight +0.0%d+ ", done.stdout)
    done = bittern("stats", support.model, "--tensor", "model.layers.0.mlp.up_proj.weight")
    for line in done.stdout:gmatch("[^\n]+") do assert.is_true(utf8.len(line) <= 80, line) end
    assert.matches("\nvalues      131,072, 0 of them zero\n", done.stdout)
    assert.matches("\n +%+2.26e%-06  #+ 17,%d+\n", done.stdout)
  end)

  it("decodes packed matrices and GGUF's codecs", function()
    local dir = support.folder() .. "/packed"
    assert.equal(0, bittern("compress", support.model, "--recipe", "rowmix", "--budget", "binary",
      "--out", dir, "--quiet").status)
    local t = stats(dir)["model.layers.0.mlp.gate_proj.weight"]
    assert.same({ "b1", 131072, 512 }, { t.codec, t.count, t.rows })
    assert.near(0.04, t.std, 0.005)
    local codecs = stats(support.root .. "/tests/fixtures/codecs.gguf")
    for _, codec in pairs(codecs) do assert.near(0.04, codec.std, 0.02) end
    assert.is_true(codecs["tq1_0.weight"].zeros > 0)
  end)

  it("says what is not finite, and what holds no numbers", function()
    local dir = small_model.write {
      { name = "a", shape = { 2, 2 }, dtype = "F32",
        text = string.pack("<ffff", 1, 0 / 0, math.huge, 3) },
      { name = "b", shape = { 3 }, dtype = "U8", text = "abc" },
      { name = "c", shape = { 1 }, dtype = "F32", text = string.pack("<f", 0 / 0) },
      { name = "e", shape = { 0, 5 }, dtype = "F32", text = "" },
      { name = "f", shape = {}, dtype = "F32", text = string.pack("<f", 7) },
    }
    local seen, result = stats(dir)
    assert.same({ 1, 1, 2, 1 }, { seen.a.nans, seen.a.infinities, seen.a.mean, seen.a.min })
    assert.is_nil(seen.c.mean)
    assert.equal(0, seen.e.count)
    assert.same({ 7, 0, 0 }, { seen.f.mean, seen.f.std, seen.f.outliers })
    assert.is_nil(seen.f.histogram)
    assert.equal(1, result.skipped)
    local done = bittern("stats", dir)
    assert.equal(0, done.status, done.stderr)
    assert.matches("warning: tensor 'a': 1 NaN, 1 infinite", done.stderr)
    assert.matches("1 tensors hold no numbers", done.stderr)
    assert.equal(0, bittern("stats", dir, "--tensor", "c", "--tensor", "f").status)
    fails(1, "unsupported", "tensor 'b': is u8, which is not decoded", "stats", dir, "--tensor",
      "b")
  end)

  it("knows which tensor was meant", function()
    fails(7, "not_found", "did you mean 'model.norm.weight'?", "stats", support.model, "--tensor",
      "model.norm.wieght")
    fails(7, "not_found", "no tensor 'x'", "stats", support.model, "--tensor", "x")
    fails(7, "not_found", "/nowhere", "stats", "/nowhere")
  end)

  it("needs little memory whatever the tensor, one long row too", function()
    for _, shape in ipairs { { 30000, 5000 }, { 1, 150000000 } } do
      local status, _, bytes = support.cost(home, { "stats",
        small_model.hollow(shape[1], shape[2]) })
      assert.equal(0, status)
      -- Less than the 300 MB of the file, whose pages count as well.
      assert.is_true(bytes < 120e6, bytes)
    end
  end)

  it("stops at Ctrl-C", function()
    local child = assert(process.spawn { stdout = "null", stderr = "null",
      argv = { support.bin, "stats", small_model.hollow(1000000, 5000) } })
    assert.is_nil((child:wait(0.3)))
    child:kill(2)
    assert.equal(130, assert(child:wait(5)).status)
  end)
end)
