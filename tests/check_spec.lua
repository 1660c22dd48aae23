local check = require "bittern.check"

describe("bittern.check", function()
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
    assert.equal("key 'group' must be a integer, not a number",
      select(2, check.table({ codec = "b1", group = 1.5 }, schema)))
    assert.equal("is a nil, not a table", select(2, check.table(nil, schema)))
  end)

  it("fills defaults of named options and raises for its caller", function()
    local options = check.options({ a = 1 }, { a = { type = "integer" },
      b = { type = "string", optional = true, default = "x" } }, "f")
    assert.same({ a = 1, b = "x" }, options)
    assert.has_error(function() check.options({}, { a = { type = "integer" } }, "f") end)
  end)

  it("knows the nearest word", function()
    assert.equal("tasks", check.nearest("taks", { "task", "tasks", "track" }))
    assert.is_nil(check.nearest("qqqq", { "task", "tasks" }))
  end)
end)
