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

describe("core.sha256.files", function()
  -- Files of these texts, and what hashing them together gives.
  local function together(texts, options)
    local folder, paths = support.folder(), {}
    for i, text in ipairs(texts) do
      paths[i] = folder .. "/" .. i
      assert(fs.write(paths[i], text))
    end
    return assert(sha256.files(paths, options)), paths
  end

  it("gives the digests of FIPS 180-4 and NIST's examples", function()
    local digests = {
      { "", EMPTY }, { "abc", ABC },
      { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
      { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
        .. "klmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
      { ("a"):rep(1000000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    }
    local texts = {}
    for i, pair in ipairs(digests) do texts[i] = pair[1] end
    for _, lanes in ipairs { true, false } do
      for i, result in ipairs((together(texts, { lanes = lanes }))) do
        assert.equal(digests[i][2], result.sha256)
        assert.equal(#texts[i], result.size)
      end
    end
  end)

  it("agrees with OpenSSL for every length around blocks and pieces", function()
    local sys, texts = require "core.sys", {}
    local salt = sys.random(64)
    for size = 0, 200 do texts[#texts + 1] = salt:rep(4):sub(1, size) end
    for _, size in ipairs { 262143, 262144, 262145, 524288, 600000, 1 } do
      texts[#texts + 1] = salt:rep(10000):sub(1, size)
    end
    for i, result in ipairs((together(texts))) do
      assert.equal(sha256.hex(texts[i]), result.sha256, #texts[i])
      assert.equal(#texts[i], result.size)
    end
  end)

  it("takes one file, none, and the same one many times", function()
    assert.same({}, sha256.files {})
    local one, paths = together { "abc" }
    assert.same({ { sha256 = ABC, size = 3 } }, one)
    local many = sha256.files { paths[1], paths[1], paths[1], paths[1] }
    for i = 1, 4 do assert.same(one[1], many[i]) end
  end)

  it("names the file it cannot read, and keeps none open", function()
    local _, paths = together { ("x"):rep(300000), "y", "z" }
    local lfs = require "lfs"
    local function open_files()
      local count = 0
      for _ in lfs.dir("/proc/self/fd") do count = count + 1 end
      return count
    end
    local before = open_files()
    for _, lanes in ipairs { true, false } do
      local value, message, code = sha256.files({ paths[1], paths[2], "/nonexistent/file" },
        { lanes = lanes })
      assert.is_nil(value)
      assert.matches("^/nonexistent/file: ", message)
      assert.equal("not_found", code)
      value, message = sha256.files({ paths[1], support.folder() }, { lanes = lanes })
      assert.is_nil(value)
      assert.matches("directory", message)
    end
    assert.equal(before, open_files())
  end)

  it("raises for misuse", function()
    assert.has_error(function() sha256.files("x") end)
    assert.has_error(function() sha256.files { 5 } end)
    assert.error_matches(function() sha256.files({}, { lane = true }) end, "unknown option 'lane'")
  end)
end)

describe("core.sha256.follow", function()
  -- A file that is filled piece by piece, and its follower.
  local function filling(pieces)
    local path = support.folder() .. "/growing"
    local part <close> = assert(fs.part(path))
    local follower <close> = assert(sha256.follow(path .. ".part"))
    local text = ""
    for _, piece in ipairs(pieces) do
      assert(part:write(piece))
      text = text .. piece
      follower:advance(#text)
    end
    return follower:hex(), sha256.hex(text)
  end

  it("hashes what is there while more is written", function()
    local pieces = {}
    for i = 1, 40 do pieces[i] = string.char(64 + i):rep(i * 4001) end
    local got, wanted = filling(pieces)
    assert.equal(wanted, got)
  end)

  it("hashes only as far as it was told", function()
    local path = support.folder() .. "/a"
    assert(fs.write(path, ("x"):rep(3 << 20)))
    local follower <close> = assert(sha256.follow(path))
    follower:advance((1 << 20) + 7)
    follower:advance(5) -- never back
    assert.equal(sha256.hex(("x"):rep((1 << 20) + 7)), follower:hex())
    assert.has_error(function() follower:advance(1) end)
  end)

  it("tells of a file that is shorter than was said", function()
    local path = support.folder() .. "/a"
    assert(fs.write(path, "abc"))
    local follower <close> = assert(sha256.follow(path))
    follower:advance(4)
    local digest, _, code = follower:hex()
    assert.is_nil(digest)
    assert.equal("io", code)
  end)

  it("may be dropped at any time", function()
    local path = support.folder() .. "/a"
    assert(fs.write(path, ("x"):rep(8 << 20)))
    for _ = 1, 20 do
      local follower = assert(sha256.follow(path))
      follower:advance(8 << 20)
      follower:close()
      follower:close()
    end
    local gone, _, code = sha256.follow(path .. ".none")
    assert.is_nil(gone)
    assert.equal("not_found", code)
  end)
end)
