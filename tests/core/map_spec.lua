local fs = require "core.fs"
local map = require "core.map"
local support = require "tests.support"

local function file_with(text)
  local path = support.folder() .. "/file"
  assert(fs.write(path, text))
  return path
end

describe("core.map", function()
  it("reads inside its bounds and nowhere else", function()
    local m <close> = assert(map.open(file_with("0123456789")))
    assert.equal(10, m:size())
    assert.equal("345", m:read(3, 3))
    assert.equal("", m:read(10, 0))
    for _, range in ipairs { { 0, 11 }, { 10, 1 }, { 11, 0 }, { 5, 1 << 52 }, { 1 << 52, 1 } } do
      local value, message, code = m:read(range[1], range[2])
      assert.is_nil(value)
      assert.equal("out_of_range", code)
      assert.matches("outside of 10 bytes", message)
    end
    assert.has_error(function() m:read(-1, 2) end)
    assert.has_error(function() m:read(0, (1 << 53) + 1) end)
  end)

  it("slices of slices stay inside", function()
    local m <close> = assert(map.open(file_with("0123456789")))
    local slice = assert(m:slice(2, 6))
    assert.equal("234567", slice:read(0, 6))
    assert.equal("45", slice:slice(2, 2):read(0, 2))
    assert.is_nil((slice:slice(2, 5)))
    assert.is_nil((slice:read(0, 7)))
  end)

  it("a slice refuses once its map is closed", function()
    local m = assert(map.open(file_with("0123456789")))
    local slice = assert(m:slice(2, 6))
    m:close()
    m:close()
    assert.has_error(function() slice:read(0, 1) end)
    assert.has_error(function() m:size() end)
    assert.equal("map (closed)", tostring(m))
  end)

  it("a slice keeps its map alive", function()
    local slice = assert(map.open(file_with("0123456789"))):slice(1, 3)
    collectgarbage()
    collectgarbage()
    assert.equal("123", slice:read(0, 3))
  end)

  it("maps an empty file and refuses a folder and a missing one", function()
    local m <close> = assert(map.open(file_with("")))
    assert.equal(0, m:size())
    assert.equal("", m:read(0, 0))
    assert.is_nil((map.open(support.folder())))
    local value, _, code = map.open(support.folder() .. "/none")
    assert.is_nil(value)
    assert.equal("not_found", code)
  end)

  it("gives pages back and reads them again", function()
    local path = support.folder() .. "/pages"
    local text = ("0123456789abcdef"):rep(1024)
    assert(fs.write(path, text))
    local m = assert(map.open(path))
    local slice = assert(m:slice(5, 9000))
    assert.equal(text:sub(6, 9005), slice:read(0, 9000))
    slice:release()
    slice:release()
    assert.equal(text:sub(6, 9005), slice:read(0, 9000))
    assert.equal(text, m:read(0, #text))
    assert(m:slice(3, 0)):release()
    m:close()
    assert.error_matches(function() slice:release() end, "closed")
    local borrowed = map.of(text):slice(0, #text)
    borrowed:release()
    assert.equal(text, borrowed:read(0, #text))
  end)
end)
