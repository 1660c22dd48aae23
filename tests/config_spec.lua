-- config.lua: defaults and aliases of the user's own.
local fs = require "core.fs"
local json = require "bittern.json"
local support = require "tests.support"

local function with(text)
  local home = support.folder()
  assert(fs.mkdir(home .. "/.config/bittern"))
  assert(fs.write(home .. "/.config/bittern/config.lua", text))
  return function(argv, env) return support.bittern(home, argv, { env = env }) end
end

local function settings(done)
  local by_name = {}
  for _, setting in ipairs(assert(json.decode(done.stdout), done.stderr).settings) do
    by_name[setting.name] = { setting.value, setting.from }
  end
  return by_name
end

describe("config.lua", function()
  it("stands behind the command line and the environment, and before what is built in", function()
    local bittern = with [[return {
      coordinator = "https://c.example.org", wallet = "w", settle = 60,
      publish = { s3 = { bucket = "sn94" }, huggingface = { create = false } },
    }]]
    local found = settings(bittern { "config", "--json" })
    assert.same({ "https://c.example.org", "config.lua" }, found.coordinator)
    assert.same({ "w", "config.lua" }, found.wallet)
    assert.same({ "60", "config.lua" }, found.settle)
    assert.same({ "sn94", "config.lua" }, found["s3 bucket"])
    assert.same({ "false", "config.lua" }, found["huggingface create"])
    assert.same({ "default", "built in" }, found.hotkey)
    found = settings(bittern({ "config", "--json", "--wallet", "o" },
      { BITSOTA_COORDINATOR_URL = "https://e.example.org" }))
    assert.same({ "https://e.example.org", "BITSOTA_COORDINATOR_URL" }, found.coordinator)
    assert.same({ "o", "--wallet" }, found.wallet)
  end)

  it("holds profiles, whose values come before the others", function()
    local bittern = with [[return {
      coordinator = "https://c.example.org", wallet = "w",
      profiles = {
        test = { coordinator = "http://127.0.0.1:8094", publish = { s3 = { bucket = "t" } } },
      },
    }]]
    for _, how in ipairs { { argv = { "config", "--json", "--profile", "test" } },
      { argv = { "config", "--json" }, env = { BITTERN_PROFILE = "test" } } } do
      local found = settings(bittern(how.argv, how.env))
      assert.same({ "http://127.0.0.1:8094", "config.lua" }, found.coordinator)
      assert.same({ "w", "config.lua" }, found.wallet)
      assert.same({ "t", "config.lua" }, found["s3 bucket"])
    end
    local done = bittern { "version", "--profile", "tset" }
    assert.equal(3, done.status)
    assert.matches("no profile 'tset'; did you mean 'test'?", done.stderr, 1, true)
    done = support.bittern(support.folder(), { "version", "--profile", "test" })
    assert.equal(3, done.status)
  end)

  it("leaves a script's own --profile to the script", function()
    local home = support.folder()
    assert(fs.write(home .. "/s.lua", "print(...)"))
    local done = support.bittern(home, { "run", home .. "/s.lua", "--profile", "mine" })
    assert.same({ 0, "--profile\tmine\n" }, { done.status, done.stdout }, done.stderr)
  end)

  it("names commands, which help and completion show", function()
    local bittern = with [[return { aliases = {
      look = "inspect --all", tree = { "scripts" }, version = "tasks",
    } }]]
    local done = bittern { "--json", "look", support.model }
    assert.equal(0, done.status, done.stderr)
    assert.equal(2428672, json.decode(done.stdout).parameters)
    assert.matches("\n  look%s+inspect %-%-all\n", bittern({ "--help" }).stdout)
    assert.matches("^Usage: bittern inspect", bittern({ "help", "look" }).stdout)
    -- A command comes before an alias of its name.
    assert.matches("^bittern %d", bittern({ "version" }).stdout)
    local function candidates(...)
      return bittern({ "completions", "candidates", "--", ... }).stdout
    end
    assert.matches("look\tinspect", candidates "lo", 1, true)
    assert.matches("%-%-all\t", candidates("look", "--a"))
  end)

  it("is missed when it is there and cannot be read", function()
    local home = support.folder()
    assert(fs.mkdir(home .. "/.config/bittern"))
    support.run { "ln", "-s", "config.lua", home .. "/.config/bittern/config.lua" }
    local done = support.bittern(home, { "config" })
    assert.equal(13, done.status)
    assert.matches("config%.lua: Too many levels of symbolic links", done.stderr)
  end)

  it("is refused by name and line when it is wrong", function()
    local function refused(text, why)
      local done = with(text) { "version" }
      assert.equal(3, done.status)
      assert.matches(why, done.stderr)
    end
    refused("return { coordinatr = 'x' }", "did you mean 'coordinator'")
    refused("return {\n  wallet = \n}", "config.lua:3:")
    refused("return nil", "must return a table")
    refused("return os.getenv 'HOME'", "config.lua:1:")
    refused("return { wallet = {} }", "'wallet' must be a string")
    refused("return { publish = { s3 = 'x' } }", "'publish.s3' must be a table")
    refused("return { aliases = { x = 3 } }", "alias 'x' must be a command's words")
    refused("return { aliases = { ['a b'] = 'tasks' } }", "a name has letters")
  end)
end)
