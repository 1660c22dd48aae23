local fs = require "core.fs"

local json = require "bittern.json"
local process = require "core.process"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()

local function bittern(...)
  return support.bittern(home, { ... })
end

local function fails(exit, id, fragment, ...)
  local done = bittern("--json", ...)
  assert.equal(exit, done.status, done.stdout .. done.stderr)
  local failure = json.decode(done.stdout).error
  assert.equal(id, failure.id)
  assert.is_truthy(failure.message:find(fragment, 1, true), failure.message)
end

describe("bittern decode", function()
  local codecs = support.root .. "/tests/fixtures/codecs.gguf"
  local out = home .. "/out"

  it("writes what the reference decodes, bit for bit", function()
    local expected, at = support.fixture("codecs.f32"), 0
    for name in support.fixture("codecs.names"):gmatch("[^\n]+") do
      local done = bittern("decode", codecs, "--tensor", name, "--out", out)
      assert.equal(0, done.status, done.stderr)
      assert.equal("", done.stdout)
      assert.equal(expected:sub(at + 1, at + 3072), fs.read(out))
      at = at + 3072
    end
    assert.equal(#expected, at)
  end)

  it("in any 16-bit type, and as it is when it has that", function()
    local done = bittern("--json", "decode", codecs, "--tensor", "bf16.weight", "--out", out,
      "--dtype", "bf16")
    assert.same({ out = out, tensor = "bf16.weight", codec = "bf16", dtype = "bf16", values = 768,
      bytes = 1536, shape = { 3, 256 } }, json.decode(done.stdout))
    -- bf16 is the upper half of f32.
    local f32, half = support.fixture("codecs.f32"):sub(2 * 3072 + 1, 3 * 3072), fs.read(out)
    assert.equal(half, (f32:gsub("..(..)", "%1")))
    assert.equal(0, bittern("decode", codecs, "--tensor", "q4_0.weight", "--out", out, "--dtype",
      "f16").status)
    local truth = support.python([[
import sys, numpy as np
x = np.frombuffer(open(sys.argv[1], "rb").read(), "<f4")[4 * 768:5 * 768]
sys.stdout.write(x.astype("<f2").tobytes().hex())]],
      support.root .. "/tests/fixtures/codecs.f32")
    assert.equal(truth, (fs.read(out):gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
  end)

  it("a packed matrix with its rescued rows", function()
    local dir, dense = support.folder() .. "/packed", support.folder() .. "/dense"
    assert.equal(0, bittern("compress", support.model, "--budget", "binary", "--out", dir,
      "--quiet").status)
    assert.equal(0, bittern("convert", dir, dense, "--to", "f32", "--quiet").status)
    local name = "model.layers.0.mlp.gate_proj.weight"
    local packed = require "bittern.artifact.packed"
    local m <close> = assert(require("bittern.model").open(dir))
    local whole = assert(packed.matrix(m, name, packed.describe(m).matrices[name]))
    for _, path in ipairs { dir, dense } do
      assert.equal(0, bittern("decode", path, "--tensor", name, "--out", out).status)
      assert.is_true(whole:text() == fs.read(out))
    end
  end)

  it("refuses what does not fit, and leaves what was there", function()
    assert(fs.write(out, "before"))
    local dir = small_model.write { { name = "big", shape = { 2 }, dtype = "F32",
      text = string.pack("<ff", 1, 70000) }, { name = "u", shape = { 1 }, dtype = "U8",
      text = "x" } }
    fails(1, "model_dtype", "tensor 'big': 70000 does not fit f16", "decode", dir, "--tensor",
      "big", "--out", out, "--dtype", "f16")
    fails(1, "unsupported", "'u': is u8", "decode", dir, "--tensor", "u", "--out", out)
    fails(7, "not_found", "did you mean 'q4_0.weight'", "decode", codecs, "--tensor",
      "q4_0.wight", "--out", out)
    fails(2, "usage", "--dtype", "decode", codecs, "--tensor", "f32.weight", "--out", out,
      "--dtype", "f64")
    fails(7, "not_found", "/no/out", "decode", codecs, "--tensor", "f32.weight", "--out",
      home .. "/no/out")
    assert.equal("before", fs.read(out))
  end)

  it("leaves no half file at Ctrl-C", function()
    local folder = support.folder()
    local child = assert(process.spawn { stdout = "null", stderr = "null",
      argv = { support.bin, "decode", small_model.hollow(100000, 2000), "--tensor", "w", "--out",
        folder .. "/w" } })
    assert.is_nil((child:wait(0.2)))
    child:kill(2)
    assert.equal(130, assert(child:wait(5)).status)
    assert.equal("", support.run({ "ls", "-A", folder }).stdout)
  end)
end)
