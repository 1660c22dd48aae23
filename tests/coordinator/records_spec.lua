-- Odd records: every one of the fixtures, and what an answer is when it is no record at all.
local json = require "bittern.json"
local records = require "bittern.coordinator.records"
local routes = require "bittern.coordinator.routes"

local function shape(kind, text)
  local warned = {}
  local record = records.shape(kind, assert(json.decode(text)), function(warning)
    warned[#warned + 1] = warning
  end)
  return record, warned
end

describe("records", function()
  for _, case in ipairs(require "tests.fixtures.odd_records") do
    it(("take %s: %s"):format(case[1], case[2]), function()
      local record, warned = shape(case[1], case[3])
      assert.same(case[4], record)
      assert.same({ case[5] }, warned)
    end)
  end

  it("are objects", function()
    for _, text in ipairs { '"x"', "3", "true", "[1]" } do
      assert.is_nil((shape("claim", text)))
    end
    assert.same({}, (shape("claim", "{}")))
  end)

  it("exist for every route that answers one", function()
    for name, route in pairs(routes) do
      assert.truthy(not route.answer or records.fields[route.answer], name)
    end
  end)
end)
