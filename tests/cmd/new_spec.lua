-- Scripts to begin with: what is written is loaded, and a mode's test passes as it was written.
local fs = require "core.fs"

local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local script = require "bittern.script"

local support = require "tests.support"

describe("bittern new", function()
  local home

  before_each(function() home = support.folder() end)

  local function new(...)
    return support.bittern(home, { "new", ... })
  end

  it("writes a mode, a practice task and a test that passes, and replaces nothing", function()
    local done = new("mode", "my-mode")
    assert.equal(0, done.status, done.stderr)
    local _, count = done.stdout:gsub("\n", "")
    assert.equal(5, count)
    local test = done.stderr:match("bittern run (%S+)")
    local ran = support.bittern(home, { "run", test })
    assert.same({ 0, "mode my-mode: all as it should be\n" }, { ran.status, ran.stderr })
    assert.matches("mode +my%-mode +user", support.bittern(home, { "scripts" }).stdout)
    local again = new("mode", "my-mode")
    assert.equal(2, again.status)
    assert.matches("is there already", again.stderr)
  end)

  it("has a test that can fail", function()
    assert.equal(0, new("mode", "weak", "--to", home .. "/mine").status)
    local path = home .. "/mine/modes/weak.lua"
    local text = assert(fs.read(path))
    assert(fs.write(path, (text:gsub("gain > args.step", "true"))))
    assert.not_equal(0, support.bittern(home, { "run", home .. "/mine/tests/weak.lua" }).status)
  end)

  it("writes scripts of every other kind that load", function()
    for kind, place in pairs { recipe = { "recipe", "recipes" }, command = { "cmd", "cmd" },
      publisher = { "publish", "publish" }, workflow = { "workflow", "workflows" } } do
      local done = new(kind, "first", "--to", home .. "/own", "--json")
      assert.equal(0, done.status, done.stderr)
      local path = home .. "/own/" .. place[2] .. "/first.lua"
      assert.same({ path }, json.decode(done.stdout).files)
      assert(script.load(path, place[1]))
    end
    local result = assert(engine.run { model = support.model, budget = "binary", dry_run = true,
      recipe = home .. "/own/recipes/first.lua" })
    assert.is_true(result.bytes <= result.budget)
    assert.matches("the task's slug or id", support.bittern(home, { "--root", home .. "/own",
      "first", "--help" }).stdout)
  end)

  it("refuses names that are none, and writes nothing with --dry-run", function()
    for _, name in ipairs { "ab", "../etc", "a.b", "1st", "a b" } do
      assert.equal(2, new("mode", name).status, name)
    end
    assert.equal(2, new("thing", "name").status)
    local done = new("recipe", "later", "--dry-run")
    assert.matches("/recipes/later.lua\n$", done.stdout)
    assert.is_nil(fs.stat(done.stdout:match("[^\n]+")))
  end)
end)
