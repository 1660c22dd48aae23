-- `bittern test`: which files run, what their tests are given, and what is told of them.
local fs = require "core.fs"

local json = require "bittern.json"

local support = require "tests.support"

local RECIPE <const> = [[
return { api = 1, about = "keeps all", tensor = function(ctx) return ctx.keep() end }
]]

describe("bittern test", function()
  local home
  before_each(function()
    home = support.folder()
    assert(fs.mkdir(home .. "/mine/recipes"))
    assert(fs.write(home .. "/mine/recipes/first.lua", RECIPE))
  end)

  -- Runs tests with this body, which may say `test`.
  local function run(body, ...)
    local path = home .. "/mine/recipes/first.test.lua"
    assert(fs.write(path, 'local test = require "bittern.testing"\n' .. body))
    return support.bittern(home, { "test", path, ... })
  end

  it("says how to get tests where there are none", function()
    local done = support.bittern(home, { "test" })
    assert.equal(7, done.status)
    assert.matches("bittern: no file NAME.test.lua is here\n  next: `bittern new ", done.stderr)
  end)

  it("tells each test, where one failed and why, and counts", function()
    local done = run [[
describe("numbers", function()
  it("add", function() assert.equal(2, 1 + 1) end)
  it("do not", function() assert.equal(3, 1 + 1) end)
  pending "subtract"
end)]]
    assert.equal(1, done.status)
    assert.matches("  ok      numbers add\n  failed  numbers do not\n", done.stdout, 1, true)
    assert.matches("\n    %S*first.test.lua:4: Expected", done.stdout)
    assert.matches("  skipped numbers subtract", done.stdout)
    assert.equal("1 passed, 1 failed, 1 skipped\n", done.stderr)
  end)

  it("prints one object with --json, whatever the tests print", function()
    local done = run('it("says", function() print "noise" end)', "--json")
    assert.same({ 0, "" }, { done.status, done.stderr })
    local told = json.decode(done.stdout)
    assert.same({ 1, 0, 0 }, { told.passed, told.failed, told.skipped })
    assert.same({ "says", "passed" }, { told.tests[1].name, told.tests[1].status })
  end)

  it("gives a home of its own, the script, a model and no way to production", function()
    local done = run [[
it("has all that", function()
  local fs = require "core.fs"
  assert.matches("/bittern%-tests%-", os.getenv "HOME")
  assert.equal("keeps all", test.load().about)
  assert.matches("/mine$", test.root)
  assert.equal("directory", fs.stat(test.model).type)
  assert.equal("file", fs.stat(test.text).type)
  assert.matches("^http://127.0.0.1:", os.getenv "BITSOTA_COORDINATOR_URL")
  assert.is_nil(os.getenv "BITTERN_SECRET")
end)]]
    assert.equal(0, done.status, done.stdout)
  end)

  it("runs this program against a practice coordinator, with a hotkey", function()
    local done = run [[
it("claims", function()
  local claimed = test.bittern { "claim", "tiny-binary-frontier", "--json" }
  assert.equal(0, claimed.status, claimed.stderr)
  assert.is_string(claimed.json.claim.id)
end)]]
    assert.equal(0, done.status, done.stdout)
  end)

  it("leaves nothing behind", function()
    local temporary = support.folder()
    assert(fs.write(home .. "/mine/recipes/first.test.lua", [[
local test = require "bittern.testing"
it("makes folders", function() test.folder(); test.artifact(); test.practice() end)]]))
    local done = support.bittern(home, { "test", home .. "/mine" },
      { env = { TMPDIR = temporary } })
    assert.equal(0, done.status, done.stdout .. done.stderr)
    assert.equal("", support.run({ "ls", temporary }).stdout)
  end)

  it("says that a file cannot be read, and that a process ended early", function()
    local broken = run "it(\"is cut off\", function("
    assert.equal(1, broken.status)
    assert.matches("failed .*first.test.lua", broken.stdout)
    local gone = run 'it("dies", function() os.exit(7) end)'
    assert.equal(1, gone.status)
    assert.matches("ended with exit code 7 before the tests did", gone.stdout)
  end)

  it("finds the tests beside a script and below a folder, and says when there are none", function()
    local none = support.bittern(home, { "test", home .. "/mine/recipes/first.lua" })
    assert.equal(7, none.status)
    assert.matches("first.lua: has no tests; they belong into .*/first.test.lua", none.stderr)
    assert.equal(7, support.bittern(home, { "test", home .. "/mine" }).status)
    assert.equal(7, support.bittern(home, { "test", home .. "/nowhere" }).status)
    run 'it("passes", function() end)'
    for _, path in ipairs { "first.lua", "first.test.lua", "" } do
      assert.equal(0, support.bittern(home, { "test", home .. "/mine/recipes/" .. path }).status)
    end
    assert.equal(0, support.bittern(home, { "--root", home .. "/mine", "test" }).status)
  end)
end)
