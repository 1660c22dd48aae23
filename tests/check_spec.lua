local check = require "bittern.check"

describe("bittern.check", function()
  it("ends a complaint with the nearest word, or with nothing", function()
    assert.equal("; did you mean 'group'?", check.hint("grup", { "group", "row" }))
    assert.equal("", check.hint("zzzzzz", { "group" }))
  end)

  local schema = {
    codec = { type = "string" }, group = { type = "integer", optional = true },
    ratio = { type = "number", optional = true },
  }

  it("accepts what the schema says", function()
    assert.is_true(check.table({ codec = "b1" }, schema))
    assert.is_true(check.table({ codec = "b1", group = 128, ratio = 1 }, schema))
  end)

  it("names an unknown key and the nearest known one", function()
    local ok, message, key = check.table({ codec = "b1", gruop = 2 }, schema)
    assert.is_nil(ok)
    assert.equal("unknown key 'gruop'; did you mean 'group'?", message)
    assert.equal("gruop", key)
    local _, far = check.table({ codec = "b1", zzzzzz = 2 }, schema)
    assert.equal("unknown key 'zzzzzz'", far)
  end)

  it("names a missing key and a wrong type", function()
    assert.equal("key 'codec' is missing", select(2, check.table({}, schema)))
    assert.equal("key 'group' must be an integer, not number",
      select(2, check.table({ codec = "b1", group = 1.5 }, schema)))
    assert.equal("must be a table, not nil", select(2, check.table(nil, schema)))
  end)

  it("fills defaults of named options and raises for its caller", function()
    local options = check.options({ a = 1 }, { a = { type = "integer" },
      b = { type = "string", optional = true, default = "x" } }, "f")
    assert.same({ a = 1, b = "x" }, options)
    assert.has_error(function() check.options({}, { a = { type = "integer" } }, "f") end)
  end)

  it("reads numbers of the command line, naming the option", function()
    local whole, seconds = check.whole("--n", 2, 9), check.seconds("--t")
    assert.same({ 2, 9, 0.5, 30 }, { whole "2", whole "9", seconds "0.5", seconds "30" })
    for _, text in ipairs { "", "1", "10", "2.0", "0x2", "-3", "two" } do
      assert.equal("--n must be a whole number in 2..9", select(2, whole(text)))
    end
    for _, text in ipairs { "", "-1", "1e9", "nan", "inf", "soon" } do
      assert.equal(("--t must be a number of seconds, not '%s'"):format(text),
        select(2, seconds(text)))
    end
  end)

  it("knows the nearest word", function()
    assert.equal("tasks", check.nearest("taks", { "task", "tasks", "track" }))
    assert.is_nil(check.nearest("qqqq", { "task", "tasks" }))
  end)
end)
