local fs = require "core.fs"

local check = require "bittern.check"
local engine = require "bittern.compress.engine"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local packed_model = require "tests.packed_model"
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
  local function same_matrices(dir)
    local model <close> = assert(models.open(dir))
    local found = assert(packed.describe(model))
    local out = support.folder() .. "/out"
    local names = python([[
weights = loader.Weights(sys.argv[2] + '/model.safetensors')
with open(sys.argv[3], 'wb') as out:
    for name in sorted(weights.plan):
        matrix = np.full(weights.plan[name]['shape'], np.nan, np.float32)
        for numbers, block in weights.blocks(name):
            assert block.dtype == np.float32
            matrix[numbers] = block
        out.write(matrix.tobytes())
print(*weights.names())]], dir, out)
    local got, at = assert(fs.read(out)), 0
    for _, name in ipairs(check.sorted_keys(found.matrices)) do
      local text = packed.matrix(model, name, found.matrices[name]):text()
      assert.is_true(text == got:sub(at + 1, at + #text), name)
      at = at + #text
    end
    assert.equal(#got, at)
    return names
  end

  it("decodes every codec, base, offset, column scale and odd width as we do, bit for bit",
    function()
      local all = packed_model.everything()
      local dir = packed_model.write(all, { plain = { { name = "norm", shape = { 5 } } } })
      local _, count = same_matrices(dir):gsub("%S+", "")
      assert.equal(#all + 1, count)
      -- And as the command does.
      local home, model = support.folder(), assert(models.open(dir))
      for i = 1, #all, #all // 6 do
        local name = all[i][1]
        local done = support.bittern(home, { "decode", dir, "--tensor", name, "--out",
          home .. "/out" })
        assert.equal(0, done.status, done.stderr)
        local m = packed.describe(model).matrices[name]
        assert.is_true(packed.matrix(model, name, m):text() == fs.read(home .. "/out"), name)
      end
      model:close()
    end)

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
for numbers, block in weights.blocks('embed.weight'):
    assert (embed.array[numbers] == block.astype(np.float16)).all()
assert embed.requires_grad is False
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

  it("leaves alone what the model computes or does not want, drops a larger model's prefix",
    function()
      local dir = small_model.write({
        { name = "model.language_model.embed.weight", shape = { 6, 4 } },
        { name = "mtp.fc.weight", shape = { 2, 2 } },
        { name = "model.rotary.inv_freq", shape = { 3 }, dtype = "F32" },
      }, { config = { architectures = require("bittern.json").array { "Base" } } })
      local out = support.folder()
      assert(engine.run { model = dir, out = out, recipe = small_model.recipe [[
        return t.rank == 2 and ctx.q4() or ctx.keep()]] })
      assert.equal("ok\n", support.python([=[
import sys, types
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import numpy as np
import stand_in_torch as stand_in
base = stand_in.base_class({'model.embed.weight': (6, 4), 'model.rotary.weight': (1,)})
base._keys_to_ignore_on_load_unexpected = [r'^mtp.*']
base.config_class = types.SimpleNamespace
computed = object()
made = base.__init__
def init(self, config):
    assert config.name == 'the text part', config
    made(self, config)
    rotary = self.get_submodule('model.rotary')
    rotary._parameters.clear()
    rotary._buffers['inv_freq'] = computed
    rotary._non_persistent_buffers_set = {'inv_freq'}
base.__init__ = init
stand_in.install(Base=base)
import modeling_bittern as loader
class Whole:
    architectures = ['Base']
    text_config = types.SimpleNamespace(name='the text part', dtype='float16')
model = loader.BitternForCausalLM.from_pretrained(sys.argv[3], config=Whole(), torch_dtype='auto')
assert model.get_submodule('model.rotary')._buffers['inv_freq'] is computed
assert model.get_submodule('model.embed')._parameters['weight'].dtype == np.float16
print('ok')]=], loader, support.root .. "/tests/fixtures", out))
    end)

  it("refuses a plan that says more than it knows", function()
    local dir = small_model.write({ { name = "w", shape = { 2 } } },
      { metadata = packed_model.metadata '{"w":{"codec":"b1","spin":1}}' })
    assert.equal("knows\n", python([[
try:
    loader.Weights(sys.argv[2] + '/model.safetensors')
except ValueError as error:
    assert 'does not know' in str(error)
    print('knows')]], dir))
  end)

  it("imports nothing that may be missing, and stays under 200 lines", function()
    -- As transformers looks for what must be installed: everywhere but in `try`.
    assert.equal("importlib json numpy re transformers\n", support.python([[
import ast, sys
def imports(node):
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    for child in [] if isinstance(node, ast.Try) else ast.iter_child_nodes(node):
        assert not isinstance(child, ast.ImportFrom)
        yield from imports(child)
print(*sorted(imports(ast.parse(open(sys.argv[1]).read()))))]], loader .. "/modeling_bittern.py"))
    local _, lines = assert(fs.read(loader .. "/modeling_bittern.py")):gsub("\n", "")
    assert.is_true(lines < 200, lines)
  end)
end)
