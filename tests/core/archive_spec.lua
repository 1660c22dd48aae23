local archive = require "core.archive"

describe("core.archive", function()
  it("gives the CRC-32 that everybody checks with", function()
    assert.equal(0xCBF43926, archive.crc32("123456789"))
    assert.equal(0, archive.crc32(""))
  end)

  it("continues from a previous piece", function()
    assert.equal(archive.crc32("123456789"), archive.crc32("6789", archive.crc32("12345")))
    assert.equal(7, archive.crc32("", 7))
  end)

  it("is the same on any number of threads", function()
    local text = ("123456789"):rep(700001)
    for _, previous in ipairs { 0, 1, 0xFFFFFFFF } do
      local whole = archive.crc32(text, previous)
      for _, threads in ipairs { 2, 3, 5, 7, 300 } do
        assert.equal(whole, archive.crc32(text, previous, threads))
        assert.equal(archive.crc32("1", previous), archive.crc32("1", previous, threads))
      end
    end
    assert.equal(5, archive.crc32("", 5, 2))
  end)

  it("takes a slice of a map", function()
    local fs = require "core.fs"
    local path = require("tests.support").folder() .. "/x"
    assert(fs.write(path, "..123456789.."))
    local map <close> = assert(require("core.map").open(path))
    local slice = assert(map:slice(2, 9))
    assert.equal(0xCBF43926, archive.crc32(slice))
    map:close()
    assert.has_error(function() archive.crc32(slice) end)
  end)

  it("refuses a previous value that is no CRC", function()
    assert.has_error(function() archive.crc32("x", -1) end)
    assert.has_error(function() archive.crc32("x", 1 << 32) end)
    assert.has_error(function() archive.crc32(5.5, {}) end)
    assert.has_error(function() archive.crc32("x", 0, 0) end)
  end)
end)
