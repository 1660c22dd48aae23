-- Fits against numpy (tests/fixtures/fits.py): random shapes with tails, kinds of weights, options.
local buffer = require "core.buffer"
local fs = require "core.fs"
local quant = require "core.quant"
local canonical = require "bittern.canonical"

local support = require "tests.support"

local state = 4711

local function random(n)
  state = (state * 6364136223846793005 + 1442695040888963407) & -1
  return (state >> 33) % n
end

-- About Gaussian, of variance 1.
local function gaussian()
  return (random(4001) + random(4001) + random(4001) + random(4001) - 8000) / 2310
end

-- What weights of row r, column c may be.
local kinds = {
  gaussian = gaussian,
  scaled = function(r, c) return gaussian() * (1 + r) * (0.2 + c % 7) end,
  constant = function(r) return r - 1.5 end,
  zero_row = function(r) return r == 0 and 0 or gaussian() end,
  zero_columns = function(_, c) return c % 3 == 1 and 0 or gaussian() end,
  huge = function() return gaussian() * 9000 end,
  shifted = function() return gaussian() + 2 end,
  ternary = function() return (random(3) - 1) * 0.5 end,
}
local kind_names = {}
for name in pairs(kinds) do kind_names[#kind_names + 1] = name end
table.sort(kind_names)

local function fill(count, value)
  local out = buffer.new("f32", count)
  for i = 0, count - 1 do out:set(i, value(i)) end
  return out
end

local function weights(case)
  return fill(case.rows * case.cols, function(i)
    return kinds[case.kind](i // case.cols, i % case.cols)
  end)
end

local function writer(folder, id)
  return function(name, data)
    assert(fs.write(("%s/%d.%s"):format(folder, id, name), data:text()))
  end
end

local function fit(case, put)
  local w = weights(case)
  put("w", w)
  local options = { group = case.group, iterations = case.iterations, bases = case.bases,
    offsets = case.offsets, threads = 2 }
  if case.importance then
    options.importance = fill(case.cols, function() return random(5) * random(100) / 50 end)
    put("h", options.importance)
  end
  if case.columns then
    options.columns = quant.narrow("f16", fill(case.cols, function(c)
      return c % 5 == 2 and 0 or 0.25 + random(100) / 80
    end))
    put("c", options.columns)
  end
  local packed = assert(quant.encode(case.codec, w, case.rows, case.cols, options))
  local all = table.move(packed.more or {}, 1, 3, 2, { packed })
  for b, base in ipairs(all) do
    put("codes." .. b - 1, base.codes)
    put("scales." .. b - 1, base.scales)
  end
  if packed.offsets then put("offsets", packed.offsets) end
  put("errors", packed.errors)
  put("v", assert(quant.decode(case.codec, packed.codes, packed.scales, case.rows, case.cols,
    { group = case.group, more = packed.more, offsets = packed.offsets,
      columns = options.columns })))
  options.errors_only = true
  local told = assert(quant.encode(case.codec, w, case.rows, case.cols, options))
  assert.equal(packed.errors:text(), told.errors:text())
  put("norms", told.norms)
end

local function fit_columns(case, put)
  local w = weights(case)
  put("w", w)
  local options = { group = case.group, iterations = case.iterations }
  if case.importance then
    options.importance = fill(case.cols, function() return random(5) / 4 end)
    put("h", options.importance)
  end
  local columns
  for _, threads in ipairs { 1, 2, 5 } do
    options.threads = threads
    local again = assert(quant.column_scales(case.codec, w, case.rows, case.cols, options))
    assert.equal((columns or again):text(), again:text())
    columns = again
  end
  put("columns", columns)
end

local function judge(cases, do_one)
  local folder = support.folder()
  for id, case in ipairs(cases) do
    case.id = id
    case.kind = case.kind or kind_names[1 + id % #kind_names]
    do_one(case, writer(folder, id))
  end
  assert(fs.write(folder .. "/cases.json", canonical.encode(cases)))
  local script = support.fixture("fits.py")
  assert.equal(("%d of %d right\n"):format(#cases, #cases), support.python(script, folder))
end

-- A shape of every second codec in groups, with tails; one row now and then.
local function shape(round, codec)
  local case = { fit = "rows", codec = codec, rows = 1 + random(4), cols = 1 + random(1025),
    group = 0, iterations = 8, bases = 1, importance = round % 2 == 0, columns = round % 3 == 0,
    offsets = false }
  if codec ~= "q4" and round % 2 == 1 then case.group = 16 + random(300) end
  if codec == "q4" then case.group = 128 end
  return case
end

describe("fits", function()
  it("of one base are those of weighted least squares and Lloyd", function()
    local cases = {}
    for round = 1, 6 do
      for _, codec in ipairs { "b1", "t2", "t5" } do cases[#cases + 1] = shape(round, codec) end
    end
    judge(cases, fit)
  end)

  it("of q4 with importance or factors are near the best scale there is", function()
    local cases = {}
    for round = 1, 12 do
      local case = shape(round, "q4")
      case.importance = not case.columns
      case.slack = 1.05 -- a few tries find nearly the best scale
      cases[round] = case
    end
    judge(cases, fit)
  end)

  it("of q4 on Gaussian rows lose 2 % to the best scale there is at most", function()
    judge({ { fit = "rows", codec = "q4", kind = "gaussian", rows = 8, cols = 1024, group = 128,
      iterations = 8, bases = 1, importance = false, columns = false, offsets = false,
      slack = 1.02 } }, fit)
  end)

  it("of several bases are those of alternating least squares", function()
    local cases = {}
    for round = 1, 8 do
      for _, codec in ipairs { "b1", "t5" } do
        local case = shape(round, codec)
        case.bases = codec == "b1" and 2 + round % 3 or 2 + round % 2
        case.slack = 1.05 -- levels that are close take different turns
        cases[#cases + 1] = case
      end
    end
    judge(cases, fit)
  end)

  it("with offsets are those of free ternary levels", function()
    local cases = {}
    for round = 1, 12 do
      local case = shape(round, round % 2 == 0 and "t2" or "t5")
      case.offsets = true
      case.slack = 1.02
      cases[round] = case
    end
    judge(cases, fit)
  end)

  it("of columns are alternating closed forms, whatever the threads", function()
    local cases = {}
    for round = 1, 12 do
      local case = shape(round, ({ "b1", "t2", "q4" })[1 + round % 3])
      case.fit, case.rows, case.cols = "columns", 1 + random(90), 1 + random(200)
      case.iterations = 1 + round % 4
      case.kind = ({ "gaussian", "scaled", "zero_row", "zero_columns" })[1 + random(4)]
      cases[round] = case
    end
    judge(cases, fit_columns)
  end)

  it("leave a group without importance to its plain fit", function()
    local w = fill(2 * 40, gaussian)
    local none = fill(40, function(c) return c < 20 and 0 or 1 end)
    local plain = assert(quant.encode("b1", w, 2, 40, { group = 20 }))
    local packed = assert(quant.encode("b1", w, 2, 40, { group = 20, importance = none }))
    assert.equal(plain.codes:text(), packed.codes:text())
    assert.equal(plain.scales:text(), packed.scales:text())
    local all = fill(40, function() return 0 end)
    assert.equal(0, assert(quant.encode("b1", w, 2, 40, { importance = all })).errors:get(1))
  end)

  -- Options that take the general way through encoding.
  local function general(extra)
    local options = { importance = fill(3, function() return 1 end) }
    for key, value in pairs(extra or {}) do options[key] = value end
    return options
  end

  local function refuses(message, ...)
    local packed, why, code = quant.encode(...)
    assert.is_nil(packed)
    assert.equal(message, why)
    assert.equal("invalid_model", code)
  end

  it("name the row and column of what is not a number, counted or not", function()
    for _, codec in ipairs { "b1", "t5", "t2", "q4" } do
      for _, bad in ipairs { 0 / 0, 1 / 0, -1 / 0 } do
        local w = fill(6, function(i) return i == 5 and bad or i end)
        refuses("row 1, column 2: weight is not finite", codec, w, 2, 3, general())
        refuses("row 1, column 2: weight is not finite", codec, w, 2, 3,
          { importance = fill(3, function(c) return c == 2 and 0 or 1 end), errors_only = true })
        refuses("row 1, column 2: weight is not finite", codec, w, 2, 3,
          { columns = quant.narrow("f16", fill(3, function(c) return 2 - c end)) })
        local columns, why = quant.column_scales(codec, w, 2, 3)
        assert.is_nil(columns)
        assert.equal("row 1, column 2: weight is not finite", why)
      end
    end
  end)

  it("refuse scales and offsets that 16 bits cannot hold", function()
    local w = fill(3, function(i) return (i - 1) * 3e38 end)
    local message = "row 0, column 0: scale is too large for 16 bits"
    for _, codec in ipairs { "b1", "t5", "t2", "q4" } do
      refuses(message, codec, w, 1, 3, general())
      local columns, why, code = quant.column_scales(codec, w, 1, 3)
      assert.is_nil(columns)
      assert.equal(message, why)
      assert.equal("invalid_model", code)
      local small = quant.narrow("f16", fill(3, function() return 2 ^ -20 end))
      refuses(message, codec, fill(3, function(i) return i end), 1, 3, { columns = small })
    end
    refuses(message, "b1", w, 1, 3, { bases = 3 })
    refuses(message, "t2", fill(3, function(i) return 1e5 + i end), 1, 3, { offsets = true })
  end)

  it("refuse importance that is no number of 0 or more", function()
    for _, bad in ipairs { -1, 0 / 0, 1 / 0 } do
      local importance = fill(3, function(c) return c == 1 and bad or 1 end)
      local message = "column 1: importance must be a number of 0 or more"
      refuses(message, "b1", fill(3, gaussian), 1, 3, { importance = importance })
      local columns, why = quant.column_scales("b1", fill(3, gaussian), 1, 3,
        { importance = importance })
      assert.is_nil(columns)
      assert.equal(message, why)
    end
  end)

  it("take matrices of no rows and no columns", function()
    for _, size in ipairs { { 0, 3 }, { 3, 0 } } do
      local empty = buffer.new("f32", 0)
      local packed = assert(quant.encode("t2", empty, size[1], size[2], { offsets = true }))
      assert.equal(0, #packed.codes)
      assert.equal(size[2], #assert(quant.column_scales("t2", empty, size[1], size[2])))
    end
  end)

  it("give zeros for zeros, with one scale for every row", function()
    local zeros = buffer.new("f32", 40)
    for _, options in ipairs { general(), { bases = 4 }, { bases = 2, scale = "mean_abs" } } do
      options.importance = nil
      local packed = assert(quant.encode("t5", zeros, 4, 10, options))
      local values = assert(quant.decode("t5", packed.codes, packed.scales, 4, 10,
        { more = packed.more }))
      assert.equal(zeros:text(), values:text())
    end
    local columns = assert(quant.column_scales("b1", zeros, 4, 10)) -- none better than another
    assert.equal(1, columns:get(9))
  end)
end)
