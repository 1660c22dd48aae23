-- Columns that matter more: read from both kinds of files, and felt by fits, errors and choices.
local buffer = require "core.buffer"
local fs = require "core.fs"

local engine = require "bittern.compress.engine"
local gguf_writer = require "bittern.model.gguf.writer"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local safetensors = require "bittern.model.safetensors"
local small_model = require "tests.small_model"
local support = require "tests.support"

local ROWS <const>, COLS <const> = 24, 64
local NAME <const> = "model.layers.0.mlp.up_proj.weight"

local model = small_model.write { { name = NAME, shape = { ROWS, COLS } } }

-- A safetensors file of vectors: array of {name, dtype, f32 values}.
local function vectors(list)
  local entries, parts = {}, {}
  for i, one in ipairs(list) do
    entries[i] = { name = one[1], dtype = one[2] or "F32", shape = one.shape or { #one[3] } }
  end
  local header, order = safetensors.header(entries, {})
  parts[1] = header
  for _, tensor in ipairs(order) do
    for _, one in ipairs(list) do
      if one[1] == tensor.name then
        local values = buffer.new("f32", #one[3])
        for i, value in ipairs(one[3]) do values:set(i - 1, value) end
        parts[#parts + 1] = values:text()
      end
    end
  end
  local path = support.folder() .. "/importance.safetensors"
  assert(fs.write(path, table.concat(parts)))
  return path
end

-- An importance matrix of llama.cpp: sums of squares over `count` inputs.
local function imatrix(values, count)
  local path, sums, counts = support.folder() .. "/i.gguf", buffer.new("f32", COLS),
    buffer.new("f32", 1)
  for i, value in ipairs(values) do sums:set(i - 1, value * count) end
  counts:set(0, count)
  local file <close> = assert(gguf_writer.create(path,
    { { key = "general.type", type = "string", value = "imatrix" } },
    { { name = "blk.0.ffn_up.weight.in_sum2", dtype = "F32", shape = { COLS } },
      { name = "blk.0.ffn_up.weight.counts", dtype = "F32", shape = { 1 } } }))
  assert(file:put("blk.0.ffn_up.weight.in_sum2", sums, sums:bytes_size()))
  assert(file:put("blk.0.ffn_up.weight.counts", counts, counts:bytes_size()))
  assert(file:commit())
  return path
end

local function ones(count, first)
  local list = {}
  for i = 1, count do list[i] = i == 1 and first or 1 end
  return list
end

local function compress(importance, body)
  local out = support.folder()
  local result, message, code = engine.run { model = model, out = out, importance = importance,
    recipe = small_model.recipe(body or "return ctx.lowbit { codec = 'b1', group = 16 }") }
  return result, message, code, out
end

-- The squared error of one column of what was written.
local function error_of(out, column)
  local base <close> = assert(models.open(model))
  local made <close> = assert(models.open(out))
  local held = assert(packed.describe(made))
  local before, after = base:floats(NAME), assert(packed.matrix(made, NAME, held.matrices[NAME]))
  local sum = 0
  for row = 0, ROWS - 1 do
    local at = row * COLS + column
    sum = sum + (before:get(at) - after:get(at)) ^ 2
  end
  return sum
end

describe("importance", function()
  it("of a column lowers its error and is part of the errors that are told", function()
    local plain, _, _, plain_out = compress(nil)
    local weighed, _, _, out = compress(vectors { { NAME, "F32", ones(COLS, 50) } })
    assert.is_true(error_of(out, 0) < 0.7 * error_of(plain_out, 0))
    local expected = 0
    for column = 0, COLS - 1 do
      expected = expected + error_of(out, column) * (column == 0 and 50 or 1)
    end
    assert.is_true(math.abs(weighed.plan[1].error_after - expected) < 1e-3 * expected)
    assert.is_true(weighed.plan[1].norm > plain.plan[1].norm)
  end)

  it("of ones is none, and neither is one of zeros", function()
    local plain = compress(nil)
    assert.equal(plain.sha256, compress(vectors { { NAME, "F32", ones(COLS, 1) } }).sha256)
    local zeros = {}
    for i = 1, COLS do zeros[i] = 0 end
    assert.equal(plain.sha256, compress(vectors { { NAME, "F32", zeros } }).sha256)
    assert.equal(plain.sha256, compress(vectors { { "another", "F32", { 1 } } }).sha256)
  end)

  it("is the mean square of the inputs in llama.cpp's files", function()
    local values = ones(COLS, 50)
    local one, two = compress(vectors { { NAME, "F32", values } }), compress(imatrix(values, 4))
    assert.equal(one.sha256, two.sha256)
    assert.not_equal(one.sha256, compress(imatrix(ones(COLS, 2), 4)).sha256)
  end)

  it("is refused where it does not fit, by name", function()
    local short = vectors { { NAME, "F32", ones(COLS - 1, 1) } }
    for path, fragment in pairs {
      [short] = "has 63 columns, the matrix has 64",
      [vectors { { NAME, "F32", ones(COLS, -1) } }] = "column 0: -1.0 is no importance",
      [vectors { { NAME, "F32", ones(COLS, 0 / 0) } }] = "column 0: ",
      [vectors { { NAME, "F32", ones(COLS, 1), shape = { 8, 8 } } }] = "not a vector of F32",
    } do
      local result, message, code = compress(path)
      assert.same({ nil, "model_tensor" }, { result, code })
      assert.truthy(message:find(fragment, 1, true), message)
      assert.truthy(message:find(NAME, 1, true), message)
    end
    assert.equal("not_found", select(3, compress("/nowhere/x.gguf")))
  end)
end)
