local json = require "bittern.json"

local function refused(text)
  local value, message, code = json.decode(text)
  assert.is_nil(value, text)
  assert.equal("invalid_json", code)
  assert.equal("not JSON: ", message:sub(1, 10))
  return message
end

describe("bittern.json", function()
  it("turns whole numbers into integers and leaves null members out", function()
    local value = assert(json.decode '{"a":3,"b":3.0,"c":2.5,"d":null,"e":[null,1]}')
    assert.same({ a = 3, b = 3, c = 2.5, e = { json.null, 1 } }, value)
    assert.equal("integer", math.type(value.a))
    assert.equal("integer", math.type(value.b))
    assert.equal(json.null, json.decode "null")
    assert.is_false(json.decode "false")
  end)

  it("keeps empty arrays and integers beyond 2^53", function()
    local text = '{"big":9007199254740993,"list":[],"object":{}}'
    assert.equal(text, json.encode(assert(json.decode(text))))
    assert.equal(27e18, assert(json.decode "[27000000000000000000]")[1])
  end)

  it("refuses trailing bytes, NaN, infinities, deep nesting and broken UTF-8", function()
    for _, text in ipairs {
      "", "{} x", "[1],", "NaN", "[Infinity]", "-Infinity", "1e999", "[-1e999]", "0x10", "[1,]",
      "{", '{"a"}', "<html>", '"\xff"', '["\\ud800"]', ("["):rep(70) .. ("]"):rep(70),
      ("["):rep(70) .. "1" .. ("]"):rep(70), ("[[],"):rep(1000),
    } do refused(text) end
    assert.equal("not JSON: byte 2 is not UTF-8", refused '"\xff"')
    assert.equal("too_large", select(3, json.decode((" "):rep((64 << 20) + 1))))
  end)

  it("raises for what is no text", function()
    assert.has_error(function() json.decode(nil) end)
  end)
end)
