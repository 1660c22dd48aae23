-- `bittern repl`: at a terminal lines are edited, completed and remembered; else stdin is a script.
local fs = require "core.fs"

local complete = require "bittern.repl.complete"
local evaluate = require "bittern.repl.evaluate"
local history = require "bittern.repl.history"
local json = require "bittern.json"
local show = require "bittern.repl.show"

local support = require "tests.support"

describe("bittern repl", function()
  local home
  before_each(function() home = support.folder() end)

  -- Types at a terminal: array of {text to wait for, what to type then}.
  local function type_in(steps)
    if not support.has_terminals() then pending "no pseudo-terminals here" end
    return support.run({ "/usr/bin/python3", support.root .. "/tests/fixtures/typing.py",
      assert(json.encode(json.array(steps))), support.bin, "repl" },
      { env = support.environment(home, { TERM = "dumb", NO_COLOR = "1" }) })
  end

  it("shows values, goes on until an input is whole, and leaves at Ctrl-D", function()
    local done = type_in { { "> ", "x = { 1, 2, a = 'b' }\n" }, { "> ", "=x\n" },
      { "}\n> ", "for i = 1, 2 do\n" }, { ">> ", "print(i) end\n" }, { "2\n> ", "_.a\n" },
      { "> ", "\4" } }
    assert.equal(0, done.status, done.stdout)
    assert.matches("\n> =x\n{ 1, 2, a = \"b\" }\n", done.stdout, 1, true)
    assert.matches(">> print(i) end\n1\n2\n", done.stdout, 1, true)
    assert.matches('> _.a\n"b"\n', done.stdout, 1, true)
  end)

  it("gives a line up at Ctrl-C, and an input that does not end", function()
    local done = type_in { { "> ", "half\3" }, { "^C\n> ", "while true do end\n" },
      { "end\n", "\3" }, { "interrupted\n> ", "6 * 7\n" }, { "42\n> ", "\4" } }
    assert.equal(0, done.status, done.stdout)
  end)

  it("ends when somebody asks the process to end", function()
    assert.equal(130, type_in({ { "> ", "TERM" } }).status)
  end)

  it("completes fields, modules and what was typed before", function()
    local done = type_in { { "> ", "core.sha2\t.hex 'x'\n" }, { '1"\n> ', "\16\n" },
      { '1"\n> ', "core.sys.c\t" }, { "clock    columns  cores\n", "\3" }, { "> ", "\4" } }
    assert.equal(0, done.status, done.stdout)
    local _, count = done.stdout:gsub('"2d711642b726b044', "")
    assert.equal(2, count)
  end)

  it("remembers what was typed, for its owner alone, and no secrets", function()
    local words = ("abandon "):rep(11) .. "about"
    assert.equal(0, type_in({ { "> ", "1 + 1\n" }, { "2\n> ", ("t = %q\n"):format(words) },
      { "> ", "\4" } }).status)
    local path = home .. "/.local/state/bittern/repl_history"
    assert.equal(384, assert(fs.stat(path)).mode) -- 0600
    assert.equal('"1 + 1"\n', (fs.read(path)))
    local again = type_in { { "> ", "\16\n" }, { "2\n> ", "\4" } }
    assert.equal(0, again.status, again.stdout)
    for _, text in ipairs { "x = 'hf_abcdefghijklmnopqrstuvwxyz'", "0x" .. ("ab"):rep(32) } do
      assert.is_false(history.may_keep(text), text)
    end
    assert.is_true(history.may_keep("fs.read '/tmp/x'"))
  end)

  it("reads a script from what is no terminal, and tells its errors", function()
    local function run(text)
      return support.bittern(home, { "repl" }, { input = text })
    end
    local done = run "#!/usr/bin/env bittern\nprint(core.hex or bittern.hex.encode 'a')\nreturn 3"
    assert.same({ 3, "61\n" }, { done.status, done.stdout })
    assert.equal(14, run("return +").status)
    assert.matches("stdin:2: oh", run("\nerror 'oh'").stderr, 1, true)
    assert.matches("^core.sys.time%(%)\n\nGives number", run("help(core.sys.time)").stdout)
  end)
end)

describe("the prompt's completion", function()
  local env = evaluate.globals()

  local function of(text)
    return (complete.candidates(text, env))
  end

  it("knows globals, Lua's words, modules, their functions and methods", function()
    assert.same({ "repeat", "require", "return" }, of "re")
    assert.same({ "sha256" }, of "x = core.sha")
    assert.same({ "hex" }, of "core.sha256.he")
    assert.same({ "nearest" }, of "bittern.check.ne")
    env.hash = require("core.sha256").new()
    assert.same({ "update" }, of "hash:up")
    assert.same({ "format" }, of "string.fo")
    assert.same({ "core.sha256" }, of 'require "core.sh')
    assert.same({}, of "nothing.here")
  end)

  it("calls nothing of the user's", function()
    env.trap = setmetatable({}, { __index = function() error "called" end })
    assert.same({}, of "trap.field.x")
  end)

  it("inserts what all have in common, then shows them", function()
    local tab = complete.of(env)
    assert.equal("urn", (tab "ret"))
    local insert, shown = tab "core.sys.c"
    assert.is_nil(insert)
    assert.matches("clock +columns +cores", shown)
  end)
end)

describe("the prompt's answers", function()
  it("are written as Lua, within limits", function()
    assert.equal('"a\\nb\\27"', show.value "a\nb\27")
    assert.equal("{ 1, { x = true } }", show.value { 1, { x = true } })
    assert.equal('{ [7] = 2, ["a b"] = 1 }', show.value { ["a b"] = 1, [7] = 2 })
    local again = {}
    again.self = again
    assert.equal("{ self = { again } }", show.value(again))
    local many = {}
    for i = 1, 100 do many[i] = i end
    assert.matches("\n  40,\n  ... 60 more\n}$", show.value(many))
    assert.equal("{ { { { ... } } } }", show.value { { { { {} } } } })
  end)

  it("trace an error through the input's own functions only", function()
    local env = evaluate.globals()
    local chunk = assert(evaluate.compile("local function f() error 'deep' end "
      .. "local function g() f() return 1 end g() return 2", env))
    local ok, text = evaluate.run(chunk)
    assert.is_false(ok)
    assert.matches("^prompt:1: deep\n", text)
    assert.matches("in upvalue 'f'", text)
    assert.is_nil(text:find("xpcall", 1, true) or text:find("evaluate.lua", 1, true))
    assert.equal("prompt:1: flat", select(2, evaluate.run(evaluate.compile("error 'flat'", env))))
  end)

  it("say whether more lines are to come", function()
    local env = evaluate.globals()
    assert.is_false(evaluate.compile("for i = 1, 2 do", env))
    assert.is_false(evaluate.compile("x = {", env))
    assert.is_function(evaluate.compile("= 1 + 1", env))
    assert.matches("prompt:1: .* near '%)'", select(2, evaluate.compile("x = )", env)))
  end)
end)
