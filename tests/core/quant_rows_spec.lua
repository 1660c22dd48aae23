-- Some rows of a matrix, results that are filled again, and threads without number.
local buffer = require "core.buffer"
local quant = require "core.quant"

local small_model = require "tests.small_model"

local ROWS <const>, COLS <const> = 40, 130

local function weights(seed) return small_model.numbers(ROWS * COLS, seed or 3) end

local function numbers(...)
  local list = table.pack(...)
  return buffer.from("i32", string.pack(("<" .. ("i4"):rep(list.n)), table.unpack(list)))
end

-- Everything that encode returned, as one text.
local function text_of(done)
  local parts = {}
  for _, key in ipairs { "codes", "scales", "offsets", "errors", "norms" } do
    parts[#parts + 1] = key .. (done[key] and done[key]:text() or "-")
  end
  for _, base in ipairs(done.more or {}) do
    parts[#parts + 1] = base.codes:text() .. base.scales:text()
  end
  return table.concat(parts)
end

local kinds = {
  { "b1", {} }, { "b1", { bases = 3 } }, { "b1", { bases = 2, norms = true } },
  { "t5", { offsets = true, group = 32 } }, { "t2", { errors_only = true } }, { "q4", {} },
}

local function options_of(kind, more)
  local options = {}
  for key, value in pairs(kind[2]) do options[key] = value end
  for key, value in pairs(more or {}) do options[key] = value end
  return options
end

describe("quant.encode", function()
  it("of some rows is that of a matrix of these rows", function()
    local all, rows = weights(), numbers(0, 7, 8, 39)
    local some = quant.widen("f32", assert(quant.gather(all, 4 * COLS, rows)))
    for _, kind in ipairs(kinds) do
      local expected = assert(quant.encode(kind[1], some, 4, COLS, options_of(kind)))
      local done = assert(quant.encode(kind[1], all, ROWS, COLS, options_of(kind, { rows = rows,
        threads = 3 })))
      assert.equal(text_of(expected), text_of(done))
    end
    local columns = assert(quant.column_scales("t5", all, ROWS, COLS, { rows = rows }))
    assert.equal(assert(quant.column_scales("t5", some, 4, COLS)):text(), columns:text())
    assert.equal(0, #assert(quant.encode("b1", all, ROWS, COLS, { rows = numbers() })).codes)
  end)

  it("refuses rows that are not there, and names a bad one by its number", function()
    local all = weights()
    for _, bad in ipairs { -1, ROWS } do
      local done, message, code = quant.encode("b1", all, ROWS, COLS, { rows = numbers(bad) })
      assert.is_nil(done)
      assert.equal(("row %d is outside of 40 rows"):format(bad), message)
      assert.equal("out_of_range", code)
    end
    assert.error_matches(function()
      quant.encode("b1", all, ROWS, COLS, { rows = numbers(3, 3) })
    end, "'rows' must ascend")
    assert.error_matches(function()
      quant.encode("b1", all, ROWS, COLS, { rows = all })
    end, "'rows' must be a buffer of i32")
    all:set(9 * COLS + 5, 0 / 0)
    local _, message = quant.encode("b1", all, ROWS, COLS, { rows = numbers(2, 9) })
    assert.equal("row 9, column 5: weight is not finite", message)
    assert.is_table(quant.encode("b1", all, ROWS, COLS, { rows = numbers(2, 10) }))
  end)

  it("fills what it is given again, whatever that held", function()
    local into = {}
    for round = 1, 2 do
      for _, kind in ipairs(kinds) do
        for _, rows in ipairs { ROWS, 5 } do
          local w = weights(round):view(0, rows * COLS)
          local done = assert(quant.encode(kind[1], w, rows, COLS, options_of(kind,
            { into = into })))
          assert.equal(into, done)
          local expected = assert(quant.encode(kind[1], w, rows, COLS, options_of(kind)))
          assert.equal(text_of(expected), text_of(done))
        end
      end
    end
    local codes = assert(quant.encode("b1", weights(), ROWS, COLS, { into = into })).codes
    assert.equal(codes, assert(quant.encode("b1", weights(9), ROWS, COLS, { into = into })).codes)
  end)

  it("never writes past a buffer that it is given", function()
    local owner = buffer.new("u8", 64)
    for _, codes in ipairs { owner:view(0, 64), buffer.new("u8", 3), buffer.new("f32", 99), 7 } do
      local into = { codes = codes, more = 1 }
      local done = assert(quant.encode("b1", weights(), ROWS, COLS, { into = into, bases = 2 }))
      assert.not_equal(codes, done.codes)
      assert.equal(ROWS * quant.row_bytes("b1", COLS), #done.codes)
    end
    assert.equal(("\0"):rep(64), owner:text())
    local hidden = setmetatable({}, { __index = function() return buffer.new("u8", 1 << 16) end })
    local done = assert(quant.encode("b1", weights(), ROWS, COLS, { into = hidden }))
    assert.is_not_nil(rawget(done, "codes"))
    assert.error_matches(function()
      quant.encode("b1", weights(), ROWS, COLS, { into = "x" })
    end, "'into' must be a table")
  end)

  it("takes more threads than there may be, and tells of the first bad row on any", function()
    local w = weights()
    local expected = text_of(assert(quant.encode("t5", w, ROWS, COLS)))
    for _, threads in ipairs { 3, 257, 1000000 } do
      assert.equal(expected, text_of(assert(quant.encode("t5", w, ROWS, COLS,
        { threads = threads }))))
    end
    for _, row in ipairs { 11, 12, 25, 39 } do w:set(row * COLS + 1, 1 / 0) end
    for threads = 1, 8 do
      local _, message = quant.encode("t5", w, ROWS, COLS, { threads = threads })
      assert.equal("row 11, column 1: weight is not finite", message)
    end
    assert.error_matches(function() quant.encode("b1", w, ROWS, COLS, { threads = 0 }) end,
      "threads")
  end)
end)
