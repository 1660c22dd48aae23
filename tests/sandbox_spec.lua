-- Strangers' recipes: none reaches anything, none stays, and what they compute is the same as
-- outside a sandbox. `make torture-sandbox` tries all of the hostile ones, with the usual limits.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local engine = require "bittern.compress.engine"
local message = require "bittern.sandbox.message"
local paths = require "bittern.paths"
local recipes = require "bittern.compress.recipe"
local sandbox = require "bittern.sandbox"
local start = require "bittern.sandbox.start"

local hostile = require "tests.sandbox.hostile"
local small_model = require "tests.small_model"
local support = require "tests.support"
local trial = require "tests.sandbox.trial"

local LIMITS <const> = { seconds = 0.05, memory = 32 << 20 }

describe("a sandbox", function()
  it("ends hostile scripts in time, with nothing reached and nothing left", function()
    local children, files = trial.left_over()
    for i, script in ipairs(hostile) do
      if i <= 20 or i % 6 == 0 then
        local tried = trial.run(script, LIMITS)
        assert.is_false(tried.escaped, script.name .. ": " .. tried.said)
        assert.is_true(tried.seconds < LIMITS.seconds + 0.5,
          ("%s: %.2f s, %s"):format(script.name, tried.seconds, tried.said))
      end
    end
    assert.same({ children, files }, { trial.left_over() })
  end)

  it("gives the bytes of an artifact that the recipe gives outside of it", function()
    local home, sums = support.folder(), {}
    assert(fs.write(home .. "/rowcol.lua", fs.read(support.root .. "/recipes/rowcol.lua")))
    for i, recipe in ipairs { "rowcol", home .. "/rowcol.lua" } do
      local out = ("%s/%d.zip"):format(home, i)
      assert(engine.run { model = support.model, recipe = recipe, budget = "binary", out = out })
      sums[i] = sha256.file(out)
    end
    assert.is_not_nil(sandbox.session(recipes.find(home .. "/rowcol.lua", {}).script))
    assert.equal(sums[1], sums[2])
  end)

  it("walks tables in the order of their keys, and knows no address", function()
    local keys = "{ b = 1, a = 2, [3] = 3, [1] = 4, [true] = 5, [2.5] = 6, [false] = 7 }"
    local recipe = small_model.recipe(("local s = '' for k in pairs(%s) do s = s .. tostring(k) "
      .. ".. ' ' end\nctx.error(s .. tostring({}) .. ' ' .. ('%%s'):format(type) .. "
      .. "tostring(next({ z = 1, y = 2 })))"):format(keys))
    for _ = 1, 2 do
      local _, said = recipes.ask(assert(recipes.find(recipe, {})),
        { name = "a", shape = { 1, 1 }, dtype = "BF16" })
      assert.matches(": 1 2.5 3 a b false true table functiony %(tensor 'a'%)$", said)
    end
  end)

  it("is refused where the kernel cannot keep a script in", function()
    assert.matches("has no seccomp", start.refusal {})
    assert.matches("has no seccomp", start.refusal { { name = "seccomp", error = 38 } })
    assert.is_nil(start.refusal { { name = "seccomp", error = 0 } })
  end)
end)

describe("what a sandbox says", function()
  local root = paths.root()
  after_each(function() paths.set_root(root) end)

  -- A child of ours that lies: `answers` are the bytes of its messages, one for each request.
  local function lying(answers)
    local folder = support.folder()
    assert(fs.mkdir(folder .. "/lua/sandbox"))
    assert(fs.mkdir(folder .. "/lua/compress"))
    for _, name in ipairs { "strict", "check", "sandbox/message", "sandbox/globals",
      "compress/fault", "compress/context" } do
      local file = "/lua/" .. name .. ".lua"
      assert(fs.write(folder .. file, fs.read(root .. file)))
    end
    local text = { "local receive, send = ...", "repeat until receive() == ''" }
    for _, answer in ipairs(answers) do
      text[#text + 1] = ("receive() send(%q)"):format(answer)
    end
    assert(fs.write(folder .. "/lua/sandbox/child.lua", table.concat(text, "\n")))
    paths.set_root(folder)
    return small_model.recipe "return ctx.keep()"
  end

  local function ask(path)
    local recipe, message_, code = recipes.find(path, {})
    if not recipe then return nil, message_, code end
    return recipes.ask(recipe, { name = "a", shape = { 8, 32 }, dtype = "BF16" })
  end

  local LOADED <const> = message.encode { value = { api = 1, about = "x",
    tensor = function() end }, lines = { tensor = { 2 ^ 53, "x" } } }

  it("is never believed", function()
    for answer, expected in pairs {
      [""] = "says what is no message", ["\255\0\1"] = "says what is no message",
      [("{"):rep(1e5)] = "says what is no message",
      [message.encode {}] = "must return a table", [message.encode { value = 1 }] = "not number",
      [message.encode { ask = "keep" }] = "the sandbox ended",
      [message.encode { failed = true, fault = ("x"):rep(1e6), keys = 7 }] = "xxx%.%.%.",
      [message.encode { failed = true, text = ("y"):rep(1e6) }] = "yyy%.%.%.",
      [message.encode { failed = true, kind = {} }] = "raised a value",
    } do
      local item, said, code = ask(lying { answer })
      assert.is_nil(item)
      assert.matches("^script", code)
      assert.matches(expected, said)
      assert.is_true(#said < 1200)
    end
  end)

  it("is no token that was not given, and no function but those of ctx", function()
    for answer, expected in pairs {
      [message.encode { token = 1, kind = "x" }] = "not x",
      [message.encode { token = "__index", kind = {} }] = "must return",
      [message.encode { ask = "__index" }] = "the sandbox ended",
      [message.encode { ask = "keep", options = { dtype = 4 } }] = "the sandbox ended",
      [message.encode { failed = true, text = "no place" }] = "mine.lua:1: no place",
    } do
      local item, said, code = ask(lying { LOADED, answer })
      assert.is_nil(item)
      assert.matches("^script", code)
      assert.matches(expected, said)
    end
  end)

  it("is read without harm, whatever the bytes are", function()
    local value = { 1, -2.5, "text", true, { a = { b = {} } }, [false] = 0 / 1 }
    local bytes = message.encode(value)
    assert.same(value, message.decode(bytes))
    math.randomseed(7)
    for _ = 1, 5000 do
      local at = math.random(#bytes)
      local changed = bytes:sub(1, at - 1) .. string.char(math.random(0, 255))
        .. bytes:sub(at + math.random(0, 2))
      local read = message.decode(changed)
      assert.is_true(read == nil or type(read) == "table")
    end
    assert.has_error(function() message.encode { io.stdout } end)
  end)

  it("is too late after the limit and a quarter of a second", function()
    local path = lying {}
    assert(fs.write(paths.root() .. "/lua/sandbox/child.lua", "while true do end"))
    local started = sys.clock()
    local _, said, code = sandbox.load(path, "", { seconds = 0.1 })
    assert.same({ path .. ":1: took longer than 0.1 s", "script_limit" }, { said, code })
    assert.is_true(sys.clock() - started < 0.6)
  end)
end)
