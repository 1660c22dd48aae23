local fs = require "core.fs"
local json = require "bittern.json"
local support = require "tests.support"

local home = support.folder()

local function bittern(...)
  return support.bittern(home, { ... })
end

local function script(text)
  local path = support.folder() .. "/s.lua"
  assert(fs.write(path, text))
  return path
end

describe("the command line", function()
  it("shows what there is, on stdout when asked and with exit 2 when not", function()
    local asked = bittern("--help")
    assert.equal(0, asked.status)
    assert.matches("usage: bittern", asked.stdout)
    assert.equal("", asked.stderr)
    local unasked = bittern()
    assert.equal(2, unasked.status)
    assert.equal("", unasked.stdout)
    assert.matches("usage: bittern", unasked.stderr)
    assert.equal(asked.stdout, bittern("help").stdout)
    assert.equal(bittern("hash", "--help").stdout, bittern("help", "hash").stdout)
  end)

  it("every command explains itself within 80 columns, and where it goes wrong", function()
    local overview = bittern("--help").stdout
    for line in overview:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
    for name in overview:gmatch("\n  ([%w-]+) +%l") do
      local help = bittern(name, "--help")
      assert.same({ 0, "" }, { help.status, help.stderr }, name)
      for line in help.stdout:gmatch("[^\n]+") do
        assert.is_true(#line <= 80, name .. ": " .. line)
      end
      local wrong = bittern(name, "--no-such-option")
      assert.same({ 2, "" }, { wrong.status, wrong.stdout }, name)
      assert.matches("^bittern: [^\27]+\n  next: [^\27]+\n$", wrong.stderr, name)
    end
  end)

  -- Whether a failure is told in colour, by the variables of an environment and more words.
  local function is_colored(env, ...)
    local told = support.bittern(home, { "bogus", ... }, { env = env }).stderr
    return told:find("\27[", 1, true) ~= nil
  end

  it("has colours as a terminal, --color, NO_COLOR, CLICOLOR and CLICOLOR_FORCE say", function()
    local force, none = { CLICOLOR_FORCE = "1" }, { CLICOLOR_FORCE = "1", NO_COLOR = "1" }
    assert.is_false(is_colored {})
    assert.is_true(is_colored({}, "--color", "always"))
    assert.is_true(is_colored(force))
    assert.is_false(is_colored { CLICOLOR_FORCE = "0" })
    assert.is_true(is_colored { CLICOLOR_FORCE = "1", NO_COLOR = "" })
    assert.is_false(is_colored(none))
    assert.is_true(is_colored(none, "--color=always"))
    assert.is_false(is_colored(force, "--color", "never"))
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    local function at_terminal(env)
      return support.at_terminal(home, "", { "bogus" }, env).stdout:find("\27[", 1, true) ~= nil
    end
    assert.is_true(at_terminal { TERM = "xterm" })
    for _, env in ipairs { { TERM = "dumb" }, { NO_COLOR = "1" }, { CLICOLOR = "0" } } do
      assert.is_false(at_terminal(env))
    end
  end)

  it("prints JSON without colours to a terminal, too", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    for _, argv in ipairs { { "--json", "version" }, { "--json", "bogus" } } do
      local shown = support.at_terminal(home, "", argv, { CLICOLOR_FORCE = "1" }).stdout
      assert(json.decode(assert(shown:match("^({[^\27\n]+})\n+%[echo%]\n$"), shown)))
    end
  end)

  it("tells in JSON what is wrong with config.lua", function()
    local place = support.folder()
    assert(fs.mkdir(place .. "/.config/bittern"))
    assert(fs.write(place .. "/.config/bittern/config.lua", "return 3"))
    local done = support.bittern(place, { "--json", "version" })
    assert.same({ 3, "" }, { done.status, done.stderr })
    assert.equal("config", assert(json.decode(done.stdout)).error.id)
  end)

  it("keeps data on stdout and everything for people on stderr", function()
    local wrong = bittern("versoin")
    assert.equal(2, wrong.status)
    assert.equal("", wrong.stdout)
    assert.matches("did you mean 'version'%?", wrong.stderr)
    assert.matches("next: ", wrong.stderr)
  end)

  it("names the command whose help tells how it is used", function()
    local more = "  next: see `bittern hash --help`\n"
    assert.equal("bittern: missing argument 'files'\n" .. more, bittern("hash").stderr)
    local wrong = bittern("--json", "compress", "nowhere")
    assert.equal("see `bittern compress --help`", json.decode(wrong.stdout).error.next)
  end)

  it("suggests the nearest option", function()
    local wrong = bittern("version", "--jsn")
    assert.equal(2, wrong.status)
    assert.matches("did you mean '%-%-json'", wrong.stderr)
  end)

  it("prints one JSON object for failures too", function()
    local wrong = bittern("--json", "versoin")
    local failure = assert(json.decode(wrong.stdout)).error
    assert.equal("usage", failure.id)
    assert.equal(2, failure.exit)
    assert.is_string(failure.message)
    assert.is_string(failure.next)
    assert.equal("", wrong.stderr)
  end)

  it("prints one JSON object whatever happens: help, odd bytes, an interrupt", function()
    for _, argv in ipairs { { "--help" }, { "hash", "--help" }, { "help", "hash" } } do
      local done = bittern("--json", table.unpack(argv))
      assert.equal(0, done.status)
      assert.matches("usage: bittern", assert(json.decode(done.stdout)).help:lower())
    end
    for _, argv in ipairs { { "hash", home .. "/no\xff" }, { "no\xff" },
      { "run", script("error('\\xff')") }, { "run", script("return nil, '\\xff', 'io'") } } do
      local done = bittern("--json", table.unpack(argv))
      local failure = assert(json.decode(done.stdout)).error
      assert.matches("\u{FFFD}", failure.message, 1, true)
      assert.equal(done.status, failure.exit)
    end
    -- Later, from the background: while os.execute waits, C's system() ignores the signal.
    local path = script("os.execute('(sleep 0.3; kill -INT ' .. require('core.sys').pid() .. ') &')"
      .. " while true do end")
    local done = bittern("--json", "run", path)
    assert.equal(130, done.status)
    assert.same({ "interrupted", 130 }, { json.decode(done.stdout).error.id,
      json.decode(done.stdout).error.exit })
    assert.equal("", done.stderr)
    assert.equal("bittern: interrupted\n", bittern("run", path).stderr)
  end)

  it("tells people of a failure when its JSON has nowhere to go", function()
    for _, redirection in ipairs { ">/dev/full", ">&-" } do
      local line = '"$0" --json bogus ' .. redirection
      local done = support.run { "/bin/sh", "-c", line, support.bin }
      assert.equal(2, done.status)
      assert.matches("bittern: no command named 'bogus'", done.stderr, 1, true)
    end
  end)

  it("names what a script raised that is no message", function()
    for text, message in pairs {
      ["error()"] = "raised a nil", ["error({ code = 3 })"] = "raised a table",
      ["require 'bittern.nope'"] = ":1: module 'bittern.nope' not found",
    } do
      local done = bittern("run", script(text))
      assert.equal(14, done.status)
      assert.matches(message .. "\n", done.stderr, 1, true)
    end
  end)

  it("says that the folder of --root is not there", function()
    local done = bittern("--root", home .. "/none", "version")
    assert.equal(3, done.status)
    assert.matches("--root: " .. home .. "/none", done.stderr, 1, true)
  end)

  it("says what to do about a folder where a file is wanted, and about a port in use", function()
    local folder = support.folder()
    for _, argv in ipairs { { "hash", folder }, { "run", folder },
      { "eval", support.model, "--text", folder } } do
      local done = bittern(table.unpack(argv))
      assert.equal(2, done.status)
      assert.matches(folder .. ": Is a directory\n  next: name a file", done.stderr, 1, true)
    end
    local server <close> = require("core.httpd").listen {}
    local done = bittern("practice", "serve", "--state", folder, "--port", tostring(server:port()))
    assert.equal(3, done.status)
    assert.matches("in use\n  next: name another port", done.stderr, 1, true)
  end)

  it("takes options before and after the command", function()
    assert.equal(bittern("--json", "version").stdout, bittern("version", "--json").stdout)
  end)

  it("names file and line of a script's fault, with exit 14", function()
    local path = script("local x = nil\nx.y = 1\n")
    local done = bittern("run", path)
    assert.equal(14, done.status)
    assert.is_truthy(done.stderr:find(path .. ":2: attempt to index a nil value", 1, true))
    assert.matches("traceback", bittern("--verbose", "run", path).stderr)
    assert.equal("script", json.decode(bittern("--json", "run", path).stdout).error.id)
  end)

  it("passes a script its arguments, options too", function()
    local path = script([[require("bittern.report").out(table.concat({ ... }, "|")) return 3]])
    local done = bittern("run", path, "--json", "a b", "-x")
    assert.equal("--json|a b|-x\n", done.stdout)
    assert.equal(3, done.status)
  end)

  it("a full disk under stdout is exit 13, a closed pipe is quiet", function()
    local full = support.run({ "/bin/sh", "-c", '"$0" version >/dev/full', support.bin },
      { env = support.environment(home) })
    assert.equal(13, full.status)
    assert.matches("stdout: No space left", full.stderr)
    local path = script("for _ = 1, 1e5 do require('bittern.report').out('line') end")
    local closed = support.run({ "/bin/sh", "-c", '"$0" run "$1" | head -n 1', support.bin, path },
      { env = support.environment(home) })
    assert.equal("line\n", closed.stdout)
    assert.equal("", closed.stderr)
  end)

  it("a second Ctrl-C ends what the first does not reach, a loop in a coroutine", function()
    local path = script("require('bittern.report').out('ready')\n"
      .. "coroutine.wrap(function() while true do end end)()")
    local child <close> = assert(require("core.process").spawn {
      argv = { support.bin, "run", path }, stdout = "pipe", stderr = "null",
      env = support.environment(home),
    })
    assert.equal("ready", child:read_line(10))
    require("core.sys").sleep(0.1)
    child:kill(2)
    assert.is_nil((child:wait(0.1)))
    child:kill(2)
    assert.equal(130, assert(child:wait(3)).status)
  end)

  it("Ctrl-C stops a loop that pcall would swallow, and a sleep, with exit 130", function()
    local process = require "core.process"
    for _, text in ipairs {
      "while true do pcall(function() while true do end end) end",
      "while true do require('core.sys').sleep(100) end",
    } do
      local path = script("require('bittern.report').out('ready')\n" .. text)
      local child <close> = assert(process.spawn { argv = { support.bin, "run", path },
        stdout = "pipe", stderr = "null", env = support.environment(home) })
      assert.equal("ready", child:read_line(10))
      child:kill(2)
      local ended = assert(child:wait(3))
      assert.equal(130, ended.status)
    end
  end)
end)
