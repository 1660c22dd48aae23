local make = require "tests.archives"
local map = require "core.map"
local sha256 = require "core.sha256"
local unpack_ = require "core.unpack"

local tar = make.tar { { name = "a", text = "first" }, { name = "d/", type = "5" },
  { name = "b", text = ("x"):rep(3 << 20) } }

-- The bytes of the present entry.
local function text_of(unpacker)
  local sizes, total = {}, 0
  while true do
    local size = assert(unpacker:block())
    if size == 0 then return total, sizes end
    sizes[#sizes + 1], total = size, total + size
  end
end

describe("core.unpack", function()
  it("gives entries in their order, then false", function()
    local unpacker <close> = assert(unpack_.tar(tar))
    assert.same({ name = "a", kind = "file", size = 5 }, unpacker:next())
    assert.equal(5, unpacker:block())
    assert.equal(sha256.hex "first", sha256.hex(unpacker))
    assert.equal(0, unpacker:block())
    assert.same({ name = "d/", kind = "folder", size = 0 }, unpacker:next())
    assert.equal("b", unpacker:next().name)
    assert.equal(3 << 20, (text_of(unpacker)))
    assert.is_false(unpacker:next())
    assert.is_true(unpacker:finish())
    assert.equal(#tar, unpacker:unpacked())
  end)

  it("skips what nobody read", function()
    local unpacker <close> = assert(unpack_.tar(make.gzip(tar), { filter = "gzip" }))
    local seen = {}
    local entry = assert(unpacker:next())
    while entry do
      seen[#seen + 1] = entry.name
      entry = unpacker:next()
    end
    assert.same({ "a", "d/", "b" }, seen)
    assert.is_true(unpacker:finish())
  end)

  it("counts what comes out and stops at `most`", function()
    local bomb = make.gzip(make.tar { { name = "a", text = ("\0"):rep(4 << 20) } })
    local unpacker <close> = assert(unpack_.tar(bomb, { filter = "gzip", most = 1 << 20 }))
    assert.equal(4 << 20, unpacker:next().size)
    local size, message, code
    repeat size, message, code = unpacker:block() until not size
    assert.equal("unpacks to more than 1048576 bytes", message)
    assert.equal("archive_bomb", code)
    assert.is_true(unpacker:unpacked() <= 1 << 20)
  end)

  it("reads one member of a zip", function()
    local zip = make.zip { { name = "w", text = ("w"):rep(1000), method = 8 } }
    local unpacker <close> = assert(unpack_.member(zip))
    assert.same({ name = "w", kind = "file", size = 1000 }, unpacker:next())
    assert.equal(1000, (text_of(unpacker)))
    assert.equal(1000, unpacker:unpacked())
    assert.has_error(function() unpacker:finish() end)
  end)

  it("refuses once its map is closed, and never dangles", function()
    local path = require "tests.support".folder() .. "/x.tar"
    assert(require "core.fs".write(path, tar))
    local source = assert(map.open(path))
    local unpacker = assert(unpack_.tar(source))
    assert(unpacker:next())
    assert(unpacker:block())
    source:close()
    assert.error_matches(function() unpacker:block() end, "input is closed")
    assert.error_matches(function() unpacker:next() end, "input is closed")
    assert.error_matches(function() sha256.hex(unpacker) end, "owner is closed")
    unpacker:close()
    unpacker:close()
    assert.equal("unpacker (tar, closed)", tostring(unpacker))
    assert.error_matches(function() unpacker:next() end, "closed")
  end)

  it("is harmless half-open", function()
    for _ = 1, 50 do
      assert.is_nil((unpack_.tar("", { filter = "gzip" })))
      assert(unpack_.tar(tar)):next()
    end
    collectgarbage()
    collectgarbage()
  end)

  it("raises for misuse", function()
    assert.error_matches(function() unpack_.tar(tar, { filter = "zstd" }) end, "'filter'")
    assert.error_matches(function() unpack_.tar(tar, { most = -1 }) end, "'most'")
    assert.error_matches(function() unpack_.tar(tar, { least = 1 }) end, "unknown option 'least'")
    assert.error_matches(function() unpack_.tar(5.5) end, "")
    assert.error_matches(function() assert(unpack_.tar(tar)):finish() end, "entries left")
  end)
end)
