local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

describe("bittern publish", function()
  local miner, file
  local bytes <const> = ("artifact \0"):rep(5000)

  local function start(options)
    miner = mining.start(options)
    file = miner.home .. "/a.zip"
    assert(fs.write(file, bytes))
  end

  after_each(function() miner:stop() end)

  it("puts the bytes at a URL that gives them back", function()
    start()
    local done = miner:run { "publish", file, "--to", "practice", "--json" }
    assert.equal(0, done.status, done.stderr)
    local result = assert(json.decode(done.stdout))
    assert.same({ #bytes, sha256.hex(bytes) }, { result.size, result.sha256 })
    assert.same({ accepted = false, says = "required artifacts must use https" }, result.replay)
    local again = miner:run { "publish", file, "--to", "practice" }
    assert.matches("replay engine would say 'required artifacts must use https'", again.stderr, 1,
      true)
    assert.equal(result.url .. "\n", again.stdout)
  end)

  it("with --dry-run says what would go where, and sends nothing", function()
    start()
    local done = miner:run { "publish", file, "--to", "practice", "--dry-run", "--json" }
    assert.equal(0, done.status, done.stderr)
    local result = assert(json.decode(done.stdout))
    assert.same({ true, #bytes, sha256.hex(bytes) },
      { result.dry_run, result.size, result.sha256 })
    assert.matches("publish/practice.lua$", result.publisher)
    local stored = ("%s/coordinator/files/%s.zip"):format(miner.home, result.sha256)
    assert.is_nil((fs.stat(stored)))
    assert.equal(0, miner:run({ "publish", file, "--to", "practice" }).status)
    assert.is_not_nil((fs.stat(stored)))
  end)

  for fault, expected in pairs {
    ["file-changed"] = { "integrity", "gives other bytes: SHA-256" },
    ["file-redirect"] = { "redirect", "answers 302, a redirect to /files/" },
  } do
    it("is an integrity failure when the URL misbehaves: " .. fault, function()
      start { "--fault", fault }
      local done = miner:run { "publish", file, "--to", "practice", "--json" }
      assert.same({ 12, expected[1] }, { done.status, mining.failure(done).id })
      assert.matches(expected[2], mining.failure(done).message, 1, true)
    end)
  end

  it("names a publisher that is not there, and a file that is not there", function()
    start()
    local done = miner:run { "publish", file, "--to", "practise", "--json" }
    assert.equal(7, done.status)
    assert.matches("did you mean 'practice'", mining.failure(done).message, 1, true)
    done = miner:run { "publish", file .. "x", "--to", "practice", "--json" }
    assert.equal(7, done.status)
    assert.matches("a.zipx", mining.failure(done).message, 1, true)
  end)

  it("says once that nobody takes the bytes", function()
    start()
    local down = "http://127.0.0.1:1"
    local done = miner:run { "publish", file, "--to", "practice", "--coordinator", down, "--json" }
    assert.same({ 6, "unreachable" }, { done.status, mining.failure(done).id })
    assert.equal(1, select(2, mining.failure(done).message:gsub("PUT " .. down, "")))
  end)

  it("uses a publisher of one's own, and believes no URL unseen", function()
    start()
    local folder = miner.home .. "/.config/bittern/publish"
    assert(fs.mkdir(folder))
    assert(fs.write(folder .. "/liar.lua", [[return {
      api = 1, about = "says it did", publish = function(ctx) return ctx.base .. "/files/x" end,
    }]]))
    local done = miner:run { "publish", file, "--to", "liar", "--json" }
    assert.equal(7, done.status)
    assert.matches("/files/x answers 404", mining.failure(done).message, 1, true)
    assert(fs.write(folder .. "/liar.lua", [[return {
      api = 1, about = "does nothing", publish = function() end,
    }]]))
    done = support.bittern(miner.home,
      { "--coordinator", miner.url, "publish", file, "--to", "liar", "--json" })
    assert.equal(14, done.status)
    assert.matches("it named no URL", mining.failure(done).message, 1, true)
  end)
end)
