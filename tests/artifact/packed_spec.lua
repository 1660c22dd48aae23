local buffer = require "core.buffer"
local quant = require "core.quant"

local json = require "bittern.json"
local layout = require "bittern.artifact.layout"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local small_model = require "tests.small_model"

-- The tensors of matrix "w" under a plan, with bytes that decode.
local function parts(m, rows)
  local list = {}
  for i, tensor in ipairs(layout.tensors("w", m)) do
    local count = 1
    for _, size in ipairs(tensor.shape) do count = count * size end
    local text
    if tensor.dtype == "U8" then text = ("\x99"):rep(count) end
    if tensor.dtype == "F16" then text = ("\x00\x3c"):rep(count) end
    if tensor.dtype == "I32" then text = ("<" .. ("i4"):rep(count)):pack(table.unpack(rows)) end
    list[i] = { name = tensor.name, dtype = tensor.dtype, shape = tensor.shape, text = text }
  end
  return list
end

local function metadata(plan, version)
  return { format = "bittern", version = version or "1", plan = type(plan) == "string" and plan
    or assert(json.encode(plan)) }
end

local function plan_of(m)
  return { codec = m.codec, group = m.group, shape = json.array { table.unpack(m.shape) },
    rescued = m.rescued }
end

local good = { codec = "b1", group = 0, shape = { 6, 10 }, rescued = 2 }

-- Describes a model with these tensors and this plan.
local function describe_model(tensors, plan, version)
  local dir = small_model.write(tensors, { metadata = metadata(plan, version) })
  local model <close> = assert(models.open(dir))
  return packed.describe(model)
end

local function refused(fragment, tensors, plan, version)
  local result, message, code = describe_model(tensors, plan, version)
  assert.is_nil(result)
  assert.equal("invalid_artifact", code)
  assert.truthy(message:find(fragment, 1, true), message)
end

describe("a packed artifact", function()
  it("is described by its plan", function()
    local tensors = parts(good, { 1, 4 })
    tensors[#tensors + 1] = { name = "norm", shape = { 5 } }
    local found = assert(describe_model(tensors, { w = plan_of(good) }))
    assert.same({ "norm" }, found.plain)
    assert.equal(65, found.parameters)
    assert.equal(4, found.matrices.w.rows:get(1))
  end)

  it("decodes to the rows of both codecs in their places", function()
    local weights = small_model.numbers(6 * 300)
    for _, case in ipairs { { "b1", 0 }, { "b1", 64 }, { "t5", 0 }, { "t2", 7 } } do
      local codec, group = case[1], case[2]
      local rescue, kept = buffer.new("i32", 2), buffer.new("i32", 4)
      for i, row in ipairs { 1, 4 } do rescue:set(i - 1, row) end
      for i, row in ipairs { 0, 2, 3, 5 } do kept:set(i - 1, row) end
      local function pick(rows)
        return buffer.from("f32", assert(quant.gather(weights, 1200, rows)))
      end
      local low = assert(quant.encode(codec, pick(kept), 4, 300, { group = group }))
      local high = assert(quant.encode("q4", pick(rescue), 2, 300))
      local m = { codec = codec, group = group, shape = { 6, 300 }, rescued = 2 }
      local texts = { low.codes, low.scales, rescue, high.codes, high.scales }
      local tensors = layout.tensors("w", m)
      for i, tensor in ipairs(tensors) do tensor.text = texts[i]:text() end
      local dir = small_model.write(tensors, { metadata = metadata { w = plan_of(m) } })
      local model <close> = assert(models.open(dir))
      local all, found = assert(packed.weights(model))
      local expected = buffer.new("f32", 1800)
      quant.scatter(expected, 300, kept, quant.decode(codec, low.codes, low.scales, 4, 300,
        { group = group }))
      quant.scatter(expected, 300, rescue, quant.decode("q4", high.codes, high.scales, 2, 300))
      assert.equal(expected:text(), all.w:text(), codec)
      assert.equal(1800, found.parameters)
      assert.is_true(packed.try(model, "w", found.matrices.w))
    end
  end)

  it("counts what a framework counts", function()
    local dir = small_model.write({
      { name = "a", shape = { 3, 4 } }, { name = "model.embed_tokens.weight", shape = { 2, 2 } },
      { name = "lm_head.weight", shape = { 2, 2 } },
      { name = "mask", shape = { 9 }, dtype = "U8", text = ("x"):rep(9) },
      { name = "m.rotary_emb.inv_freq", shape = { 8 }, dtype = "F32" },
    }, { config = { tie_word_embeddings = true } })
    local model <close> = assert(models.open(dir))
    assert.equal(16, packed.parameters(model))
  end)

  it("is refused when its plan makes no sense", function()
    local tensors = parts(good, { 1, 4 })
    for fragment, change in pairs {
      ["unknown codec 'b9'"] = { codec = "b9" },
      ["bad group"] = { group = -1 },
      ["bad count of rescued rows"] = { rescued = 7 },
      ["shape must be two sizes"] = { shape = json.array { 6 } },
      ["q4 has neither groups nor rescued rows"] = { codec = "q4" },
      ["'w.codes' is U8 [4, 2], its plan needs U8 [5, 2]"] = { shape = json.array { 7, 10 } },
      ["'w.codes' is U8 [4, 2], its plan needs U8 [4, 3]"] = { codec = "t2" },
    } do
      local plan = plan_of(good)
      for key, value in pairs(change) do plan[key] = value end
      refused(fragment, tensors, { w = plan })
    end
    refused("shape must be two sizes", tensors,
      '{"w":{"codec":"b1","group":0,"rescued":0,"shape":[9223372036854775807,2]}}')
    refused("is not an object", tensors, { w = 5 })
    refused("its plan is broken", tensors, "{")
    refused("version '2' is not known", tensors, { w = plan_of(good) }, "2")
  end)

  it("is refused when a part is missing, of another type, or there twice", function()
    for i, fragment in ipairs { "w.codes", "w.scales", "w.rescue.rows", "w.rescue.codes",
      "w.rescue.scales" } do
      local tensors = parts(good, { 1, 4 })
      table.remove(tensors, i)
      refused("no tensor '" .. fragment .. "'", tensors, { w = plan_of(good) })
    end
    local tensors = parts(good, { 1, 4 })
    tensors[2].dtype = "BF16"
    refused("'w.scales' is BF16 [4, 1], its plan needs F16 [4, 1]", tensors, { w = plan_of(good) })
    tensors = parts(good, { 1, 4 })
    tensors[6] = { name = "w", shape = { 6, 10 } }
    refused("'w' is stored both packed and plain", tensors, { w = plan_of(good) })
  end)

  it("is refused when rescued rows do not ascend or lie outside", function()
    local plan = { w = plan_of(good) }
    refused("do not ascend", parts(good, { 4, 1 }), plan)
    refused("do not ascend", parts(good, { 4, 4 }), plan)
    refused("do not ascend", parts(good, { -1, 4 }), plan)
    refused("rescued row 6 of 'w' is outside of 6 rows", parts(good, { 1, 6 }), plan)
  end)

  it("is refused when a scale is not finite, with tensor and row", function()
    local tensors = parts(good, { 1, 4 })
    tensors[2].text = tensors[2].text:sub(1, 4) .. "\x00\x7c" .. tensors[2].text:sub(7)
    local dir = small_model.write(tensors, { metadata = metadata { w = plan_of(good) } })
    local model <close> = assert(models.open(dir))
    local m = assert(packed.describe(model)).matrices.w
    for _, decode in ipairs { packed.try, packed.matrix } do
      local ok, message, code = decode(model, "w", m)
      assert.is_nil(ok)
      assert.equal("invalid_artifact", code)
      assert.truthy(message:find("row 2, column 0: scale is not finite", 1, true), message)
      assert.truthy(message:find("'w'", 1, true), message)
    end
  end)
end)
