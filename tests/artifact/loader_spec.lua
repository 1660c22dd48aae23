local fs = require "core.fs"
local quant = require "core.quant"

local engine = require "bittern.compress.engine"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local small_model = require "tests.small_model"
local support = require "tests.support"

local loader = support.root .. "/lua/artifact/loader"

-- Runs Python with the loader at hand and no torch, as where only numpy is installed.
local function python(source, ...)
  return support.python("import sys\nsys.dont_write_bytecode = True\nsys.modules['torch'] = None\n"
    .. "sys.path.insert(0, sys.argv[1])\nimport numpy as np\nimport modeling_bittern as loader\n"
    .. source, loader, ...)
end

local odd = {
  { name = "a", shape = { 7, 13 } }, { name = "b", shape = { 1, 300 } },
  { name = "c", shape = { 33, 1 }, dtype = "F16" }, { name = "e.weight", shape = { 40, 129 } },
  { name = "norm", shape = { 5 }, dtype = "F16" },
}

describe("the loader", function()
  it("decodes every codec, group and odd width as core.quant does, bit for bit", function()
    local dir = support.folder()
    local random = small_model.numbers(4096, 7)
    local bytes = quant.narrow("f16", random):text() .. quant.narrow("bf16", random):text()
    local cases = {}
    for _, codec in ipairs { "b1", "t2", "t5", "q4" } do
      for _, cols in ipairs { 1, 2, 5, 8, 9, 127, 128, 129, 300 } do
        for _, group in ipairs(codec == "q4" and { 0 } or { 0, 1, 7, 64 }) do
          cases[#cases + 1] = { codec, cols, group > cols and cols or group }
        end
      end
    end
    local expected, lines = {}, {}
    for i, case in ipairs(cases) do
      local codec, cols, group = table.unpack(case)
      local groups = codec == "q4" and (cols + 127) // 128 or group > 0
        and (cols + group - 1) // group or 1
      local size = 3 * quant.row_bytes(codec, cols)
      -- Any bytes are codes; scales are small numbers.
      local codes = bytes:sub(i + 1, i + size)
      local scales = quant.narrow("f16", small_model.numbers(3 * groups, i)):text()
      expected[i] = assert(quant.decode(codec, codes, scales, 3, cols, { group = group })):text()
      assert(fs.write(("%s/%d"):format(dir, i), codes .. scales))
      lines[i] = ("%s %d %d %d"):format(codec, cols, group, size)
    end
    assert(fs.write(dir .. "/cases", table.concat(lines, "\n")))
    python([[
folder = sys.argv[2]
with open(folder + '/out', 'wb') as out:
    for i, line in enumerate(open(folder + '/cases'), 1):
        codec, cols, group, size = line.split()
        data = open(f'{folder}/{i}', 'rb').read()
        codes = np.frombuffer(data[:int(size)], np.uint8).reshape(3, -1)
        scales = np.frombuffer(data[int(size):], np.float16).reshape(3, -1)
        values = loader.decode(codec, codes, scales, int(cols), int(group))
        assert values.dtype == np.float32 and values.shape == (3, int(cols)), line
        out.write(values.tobytes())]], dir)
    local got, at = assert(fs.read(dir .. "/out")), 1
    for i, text in ipairs(expected) do
      assert.equal(text, got:sub(at, at + #text - 1), lines[i])
      at = at + #text
    end
    assert.equal(#got, at - 1)
  end)

  local function same_matrices(dir)
    local model <close> = assert(models.open(dir))
    local found = assert(packed.describe(model))
    local out = support.folder() .. "/out"
    local names = python([[
weights = loader.Weights(sys.argv[2] + '/model.safetensors')
with open(sys.argv[3], 'wb') as out:
    for name in sorted(weights.plan):
        out.write(weights.matrix(name).tobytes())
print(*weights.names())]], dir, out)
    local parts = {}
    for _, name in ipairs(require("bittern.check").sorted_keys(found.matrices)) do
      parts[#parts + 1] = packed.matrix(model, name, found.matrices[name]):text()
    end
    assert.is_true(table.concat(parts) == fs.read(out))
    return names
  end

  it("reads a packed model with rescued rows as we do, bit for bit", function()
    local out = support.folder()
    assert(engine.run {
      model = support.model, recipe = "rowmix", out = out, budget = "ternary",
    })
    local names = same_matrices(out)
    local model <close> = assert(models.open(support.model))
    local _, count = names:gsub("%S+", "")
    assert.equal(#model.names, count)
  end)

  it("reads matrices of odd shapes, wholly rescued ones and a single row", function()
    local dir, out = small_model.write(odd), support.folder()
    assert(engine.run { model = dir, out = out, recipe = small_model.recipe [[
      if t.rank ~= 2 then return ctx.keep() end
      if t.name == "c" then return ctx.q4() end
      return ctx.lowbit { codec = "t5", rescue = t.name == "b" and 1 or 3 }]] })
    assert.equal("a b c e.weight norm\n", same_matrices(out))
  end)

  it("fills a model of the base class, tied names and all, or says what is missing", function()
    local dir = small_model.write(
      { { name = "embed.weight", shape = { 6, 4 } }, { name = "norm.weight", shape = { 4 } } },
      { config = { architectures = require("bittern.json").array { "Base" } } })
    local out = support.folder()
    assert(engine.run { model = dir, out = out, recipe = small_model.recipe [[
      return t.rank == 2 and ctx.q4() or ctx.keep { dtype = "f16" }]] })
    assert.equal("ok\n", support.python([=[
import sys, types
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import numpy as np
import stand_in_torch as stand_in
config = types.SimpleNamespace(architectures=['Base'])
shapes = {'model.embed.weight': (6, 4), 'model.norm.weight': (4,), 'lm_head.weight': (6, 4)}
stand_in.install(Base=stand_in.base_class(shapes, [('lm_head', 'model.embed')]))
import modeling_bittern as loader
cls = loader.BitternForCausalLM
cls.register_for_auto_class('AutoModelForCausalLM')
assert not hasattr(cls, 'config_class')
register = stand_in.Module.register_parameter
model = cls.from_pretrained(sys.argv[3], config=config, torch_dtype='float16', _from_auto=True,
                            local_files_only=True, trust_remote_code=True, adapter_kwargs={})
assert stand_in.Module.register_parameter is register
assert model.training is False
params = dict(model.named_parameters())
assert sorted(params) == ['lm_head.weight', 'model.norm.weight'] or \
    sorted(params) == ['model.embed.weight', 'model.norm.weight'], params
embed = model.get_submodule('model.embed')._parameters['weight']
assert embed.array.dtype == np.float16 and not embed.is_meta
weights = loader.Weights(sys.argv[3] + '/model.safetensors')
assert (embed.array == weights.matrix('embed.weight').astype(np.float16)).all()
more = {**shapes, 'model.more.weight': (2,)}
for tensors, fragment in ((more, 'no weights for model.more.weight'),
                          ({'model.norm.weight': (4,)}, 'has no parameter embed.weight')):
    stand_in.install(Base=stand_in.base_class(tensors))
    try:
        cls.from_pretrained(sys.argv[3], config=config)
    except ValueError as error:
        assert fragment in str(error), error
    else:
        raise AssertionError(fragment)
print('ok')]=], loader, support.root .. "/tests/fixtures", out))
  end)

  it("imports nothing at its top that may be missing, and stays under 200 lines", function()
    local text = assert(fs.read(loader .. "/modeling_bittern.py"))
    local imports = {}
    for name in text:gmatch("\nimport (%S+)") do imports[#imports + 1] = name end
    assert.same({ "json", "os", "numpy" }, imports)
    local _, lines = text:gsub("\n", "")
    assert.is_true(lines < 200, lines)
  end)
end)
