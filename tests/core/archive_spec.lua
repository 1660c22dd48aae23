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
  end)
end)
