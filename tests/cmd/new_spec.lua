-- Scripts to begin with: what is written is loaded, and a mode's test passes as it was written.
local fs = require "core.fs"

local json = require "bittern.json"
local script = require "bittern.script"

local support = require "tests.support"

describe("bittern new", function()
  local home

  before_each(function() home = support.folder() end)

  local function new(...)
    return support.bittern(home, { "new", ... })
  end

  it("writes a mode, a practice task and tests that pass, and replaces nothing", function()
    local done = new("mode", "my-mode")
    assert.equal(0, done.status, done.stderr)
    local _, count = done.stdout:gsub("\n", "")
    assert.equal(5, count)
    local path = done.stderr:match("bittern test (%S+)")
    local ran = support.bittern(home, { "test", path })
    assert.equal(0, ran.status, ran.stdout .. ran.stderr)
    assert.equal("2 passed, 0 failed\n", ran.stderr)
    assert.matches("mode +my%-mode +user", support.bittern(home, { "scripts" }).stdout)
    local again = new("mode", "my-mode")
    assert.equal(2, again.status)
    assert.matches("is there already", again.stderr)
  end)

  it("writes tests that can fail", function()
    for kind, change in pairs {
      mode = { "modes", "gain > args.step", "true" },
      publisher = { "publish", '"%.zip"', '".tar"' },
      recipe = { "recipes", 'rescue = "budget"', "rescue = 0" },
    } do
      assert.equal(0, new(kind, "weak", "--to", home .. "/mine").status)
      local path = ("%s/mine/%s/weak.lua"):format(home, change[1])
      local text, changes = assert(fs.read(path)):gsub(change[2], change[3])
      assert.is_true(changes > 0, kind)
      assert(fs.write(path, text))
      local ran = support.bittern(home, { "test", path })
      assert.equal(1, ran.status, kind .. ": " .. ran.stdout)
      assert.matches("\n  failed  ", ran.stdout)
    end
  end)

  it("writes scripts of every other kind that load, and whose tests pass", function()
    for kind, place in pairs { recipe = { "recipe", "recipes" }, command = { "cmd", "cmd" },
      publisher = { "publish", "publish" }, workflow = { "workflow", "workflows" } } do
      local done = new(kind, "first", "--to", home .. "/own", "--json")
      assert.equal(0, done.status, done.stderr)
      local path = ("%s/own/%s/first"):format(home, place[2])
      assert.same({ path .. ".lua", path .. ".test.lua" }, json.decode(done.stdout).files)
      assert(script.load(path .. ".lua", place[1]))
    end
    local ran = support.bittern(home, { "test", home .. "/own" })
    assert.equal(0, ran.status, ran.stdout .. ran.stderr)
    assert.equal("10 passed, 0 failed\n", ran.stderr)
    assert.matches("the task's slug or id", support.bittern(home, { "--root", home .. "/own",
      "first", "--help" }).stdout)
  end)

  it("refuses names that are none, and writes nothing with --dry-run", function()
    for _, name in ipairs { "ab", "../etc", "a.b", "1st", "a b" } do
      assert.equal(2, new("mode", name).status, name)
    end
    assert.equal(2, new("thing", "name").status)
    local done = new("recipe", "later", "--dry-run")
    assert.matches("/recipes/later.lua\n.*/recipes/later.test.lua\n$", done.stdout)
    assert.is_nil(fs.stat(done.stdout:match("[^\n]+")))
  end)
end)
