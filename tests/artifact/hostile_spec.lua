-- Packed artifacts that lie: each is refused by name, by describe or by the decoder.
local json = require "bittern.json"
local layout = require "bittern.artifact.layout"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local packed_model = require "tests.packed_model"
local small_model = require "tests.small_model"

local function free(change)
  local m = { codec = "t5", group = 4, shape = { 6, 10 }, rescued = 2, bases = 1, offsets = true,
    columns = true }
  for key, value in pairs(change or {}) do m[key] = value end
  return m
end

local rescued <const> = { 1, 4 }

-- What describing and then decoding every matrix of these tensors says.
local function judge(tensors, plan)
  local model <close> = assert(models.open(small_model.write(tensors,
    { metadata = packed_model.metadata(plan) })))
  local found, message, code = packed.describe(model)
  if not found then return nil, message, code end
  for name, m in pairs(found.matrices) do
    local ok, why, id = packed.try(model, name, m)
    if not ok then return nil, why, id end
  end
  return found
end

local function refused(fragment, tensors, plan)
  local ok, message, code = judge(tensors, plan)
  assert.is_nil(ok, fragment)
  assert.equal("invalid_artifact", code, message)
  assert.truthy(message:find(fragment, 1, true), message)
end

-- The good matrix's tensors, the one whose name ends so changed.
local function with(suffix, change, m)
  local tensors = packed_model.tensors("w", m or free(), rescued)
  for i, tensor in ipairs(tensors) do
    if tensor.name == "w" .. suffix then
      if change == nil then table.remove(tensors, i) else change(tensor) end
      return tensors
    end
  end
  error("no tensor w" .. suffix)
end

local function plan_text(change)
  local m = layout.described(free())
  for key, value in pairs(change) do m[key] = value end
  return (assert(json.encode { w = m }))
end

describe("a hostile artifact", function()
  it("is taken when nothing is wrong with it", function()
    local found = assert(judge(packed_model.tensors("w", free(), rescued), { w = free() }))
    assert.equal(60, found.parameters)
  end)

  it("is refused for a plan that asks what there cannot be", function()
    local tensors = packed_model.tensors("w", free(), rescued)
    for change, fragment in pairs {
      [{ bases = 0 }] = "bases must be 1..4", [{ bases = 5 }] = "bases must be 1..4",
      [{ bases = 1.5 }] = "bases must be 1..4", [{ bases = "2" }] = "bases must be 1..4",
      [{ bases = json.null }] = "bases must be 1..4", [{ bases = -1 }] = "bases must be 1..4",
      [{ bases = 2 }] = "offsets go with one ternary base",
      [{ codec = "b1" }] = "offsets go with one ternary base",
      [{ offsets = 1 }] = "offsets and columns are true or false",
      [{ columns = json.array {} }] = "offsets and columns are true or false",
      [{ codec = "q4", group = 0, rescued = 0 }] = "q4 has one base, no offsets",
      [{ codec = "q1_0" }] = "unknown codec 'q1_0'",
      [{ codec = "\27[31m" }] = "unknown codec '?[31m'",
      [{ group = 11 }] = "bad group", [{ group = 1.5 }] = "bad group",
      [{ rescued = 7 }] = "bad count of rescued rows",
      [{ rescued = "2" }] = "bad count of rescued rows",
      [{ shape = json.array { 6, 10, 1 } }] = "shape must be two sizes",
      [{ shape = json.array { "6", 10 } }] = "shape must be two sizes",
      [{ shape = json.array { 0, 10 } }] = "shape must be two sizes",
      [{ shape = json.array { 1 << 31, 10 } }] = "shape must be two sizes",
      [{ shape = { a = 6 } }] = "shape must be two sizes",
      [{ scale = 2 }] = "unknown key 'scale'", [{ Bases = 2 }] = "unknown key 'Bases'",
    } do
      refused(fragment, tensors, plan_text(change))
    end
  end)

  it("is refused for a plan that is no plan", function()
    local tensors = packed_model.tensors("w", free(), rescued)
    refused("its plan is broken", tensors, "[1]")
    refused("its plan is broken", tensors, "5")
    refused("its plan is broken", tensors, "")
    refused("its plan is broken", tensors, '{"w":' .. ("["):rep(10000))
    refused("its plan is broken", tensors,
      plan_text {} :sub(1, -2) .. ',"w":{"codec":"b1","group":0,"rescued":0,"shape":[6,10]}}')
    refused("is not an object", tensors, '{"w":[]}')
    refused("no tensor 'nothing.codes'", tensors,
      '{"nothing":{"codec":"b1","group":0,"rescued":0,"shape":[6,10]}}')
  end)

  it("is refused for parts of other shapes and types, or without them", function()
    for _, suffix in ipairs { ".codes", ".scales", ".offsets", ".colscales", ".rescue.rows",
      ".rescue.codes", ".rescue.scales" } do
      refused("no tensor 'w" .. suffix .. "'", with(suffix, nil), { w = free() })
      refused(("'w%s' is "):format(suffix), with(suffix, function(tensor)
        tensor.dtype, tensor.shape, tensor.text = "U8", { #tensor.text, 1, 1 }, tensor.text
      end), { w = free() })
    end
    local two = free { bases = 2, offsets = false }
    for _, suffix in ipairs { ".codes.2", ".scales.2" } do
      refused("no tensor 'w" .. suffix .. "'", with(suffix, nil, two), { w = two })
    end
    refused("'w.colscales' is F16 [9], its plan needs F16 [10]", with(".colscales",
      function(tensor) tensor.shape, tensor.text = { 9 }, tensor.text:sub(3) end), { w = free() })
  end)

  it("is refused for numbers that are not finite, wherever they stand", function()
    for _, bits in ipairs { "\x00\x7c", "\x00\xfc", "\x01\x7e" } do
      local function spoil(tensor) tensor.text = tensor.text:sub(1, -3) .. bits end
      refused("'w.colscales', column 9: scale is not finite", with(".colscales", spoil),
        { w = free() })
      for _, suffix in ipairs { ".scales", ".offsets", ".rescue.scales" } do
        refused("not finite", with(suffix, spoil), { w = free() })
      end
      local two = free { bases = 2, offsets = false }
      refused("not finite", with(".scales.2", spoil, two), { w = two })
    end
  end)

  it("is refused for rescued rows that do not ascend, repeat or lie outside", function()
    local function rows(...)
      local text = string.pack("<i4i4", ...)
      return with(".rescue.rows", function(tensor) tensor.text = text end)
    end
    refused("do not ascend", rows(4, 1), { w = free() })
    refused("do not ascend", rows(4, 4), { w = free() })
    refused("do not ascend", rows(-2147483648, 4), { w = free() })
    refused("rescued row 6 of 'w' is outside of 6 rows", rows(1, 6), { w = free() })
    refused("rescued row 2147483647 of 'w' is outside", rows(1, 2147483647), { w = free() })
  end)

  it("is refused when one tensor stands for two matrices, or for one and for itself", function()
    local m = free()
    local tensors = packed_model.tensors("w", m, rescued)
    local inner = { codec = "q4", group = 0, shape = { 2, 10 }, rescued = 0 }
    refused("is claimed by two matrices", tensors, { w = m, ["w.rescue"] = inner })
    tensors[#tensors + 1] = { name = "w", shape = { 6, 10 } }
    refused("'w' is stored both packed and plain", tensors, { w = m })
    -- A matrix whose name is that of another's part.
    tensors = packed_model.tensors("w", m, rescued)
    local list = packed_model.tensors("w.scales", { codec = "b1", group = 0, shape = { 4, 3 },
      rescued = 0 }, {})
    table.move(list, 1, #list, #tensors + 1, tensors)
    local found = assert(judge(tensors, { w = m, ["w.scales"] = { codec = "b1", group = 0,
      shape = { 4, 3 }, rescued = 0 } }))
    assert.equal(72, found.parameters)
  end)

  it("counts a packed head that is tied to the embedding once", function()
    local m = { codec = "b1", group = 0, shape = { 4, 8 }, rescued = 0 }
    local dir = packed_model.write({ { "model.embed_tokens.weight", m, {} },
      { "lm_head.weight", m, {} } }, { config = { tie_word_embeddings = true } })
    local model <close> = assert(models.open(dir))
    assert.equal(32, packed.parameters(model))
  end)
end)
