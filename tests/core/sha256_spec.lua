local fs = require "core.fs"
local map = require "core.map"
local sha256 = require "core.sha256"
local support = require "tests.support"

local EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

describe("core.sha256", function()
  it("hashes in one go, in pieces and from a file alike (FIPS 180-4 examples)", function()
    assert.equal(EMPTY, sha256.hex(""))
    assert.equal(ABC, sha256.hex("abc"))
    assert.equal(ABC, sha256.new():update("a"):update(""):update("bc"):hex())
    local path = support.folder() .. "/abc"
    assert(fs.write(path, "abc"))
    local digest, size = sha256.file(path)
    assert.equal(ABC, digest)
    assert.equal(3, size)
    assert.equal(ABC, sha256.hex(assert(map.open(path))))
  end)

  it("agrees with sha256sum over more than one chunk", function()
    local path = support.folder() .. "/big"
    assert(fs.write(path, ("bittern"):rep(400000)))
    local judge = support.run({ "sha256sum", path }).stdout:sub(1, 64)
    assert.equal(judge, (sha256.file(path)))
  end)

  it("is finished once", function()
    local hash = sha256.new()
    hash:hex()
    assert.has_error(function() hash:update("x") end)
    assert.has_error(function() hash:hex() end)
    assert.equal("sha256 (finished)", tostring(hash))
  end)

  it("names the file it cannot read", function()
    local value, message, code = sha256.file("/nonexistent/file")
    assert.is_nil(value)
    assert.matches("^/nonexistent/file: ", message)
    assert.equal("not_found", code)
  end)
end)
