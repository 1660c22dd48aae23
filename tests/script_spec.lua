local fs = require "core.fs"
local script = require "bittern.script"
local support = require "tests.support"

local GOOD = [[
return {
  api = 1, about = "nothing",
  tensor = function(ctx) return ctx.keep() end,
}
]]

local function recipe(text)
  local path = support.folder() .. "/r.lua"
  assert(fs.write(path, text))
  return path
end

local function refused(text, pattern)
  local path = recipe(text)
  local value, message, code = script.load(path, "recipe")
  assert.is_nil(value)
  assert.equal("script", code)
  assert.matches("^" .. path:gsub("%p", "%%%0") .. ":%d+: ", message)
  assert.matches(pattern, message)
end

describe("bittern.script", function()
  it("loads a recipe, and one with a shebang", function()
    assert.equal("nothing", script.load(recipe(GOOD), "recipe").about)
    assert.equal("nothing", script.load(recipe("#!/usr/bin/env bittern\n" .. GOOD), "recipe").about)
  end)

  it("names file, line and field in every complaint", function()
    refused("return {\n api = 1, about = 'x',\n tensr = function() end }",
      "r.lua:3: .*did you mean 'tensor'")
    refused("return {\n about = 'x',\n api = 2, tensor = print }", "undefined global 'print'")
    refused("return {\n about = 'x',\n api = 2, tensor = type }", "r.lua:3: api = 2 is not known")
    refused("return { api = 1, about = 7, tensor = type }", "'about' must be a string")
    refused("return { api = 1, about = 'x' }", "'tensor' is missing")
    refused("return 7", "must return a table, not number")
    refused("return { api = 1, about = 'x', tensor = type,\n args = { base = 'b1' } }",
      "r.lua:2: recipe: argument 'base' must be { default, \"what it is\" }")
    refused("return { api = 1, about = 'x', tensor = type, args = { on = { type, 'x' } } }",
      "argument 'on' must be { default")
    refused("return {", "unexpected symbol")
    refused("\nlocal x = nil\nreturn { x.y }", "r.lua:3: attempt to index a nil value")
    refused("nam = 1", "assignment to global 'nam'")
  end)

  it("refuses bytecode", function()
    local path = recipe(string.dump(load("return {}")))
    assert.is_nil((script.load(path, "recipe")))
  end)

  it("gives a recipe neither files nor clock nor environment", function()
    for _, name in ipairs { "io", "os", "require", "load", "debug", "package", "dofile" } do
      refused("local x = " .. name .. "\nreturn {}", "undefined global '" .. name .. "'")
    end
  end)

  it("finds by name and suggests the nearest", function()
    local value, path = script.find("cmd", "version")
    assert.is_function(value.run)
    assert.matches("lua/cmd/version.lua$", path)
    local none, message, code = script.find("cmd", "versoin")
    assert.is_nil(none)
    assert.equal("not_found", code)
    assert.equal("no command named 'versoin'; did you mean 'version'?", message)
    message = select(2, script.find("publish", "nothing-like-it"))
    assert.matches("named 'nothing%-like%-it'; there are command, directory, ", message)
  end)

  it("loads a mode by its name only: the coordinator says it, and it is no path", function()
    local path = support.folder() .. "/evil.lua"
    assert(fs.write(path, "error('the file was run')"))
    local value, message, code = script.find("mode", path)
    assert.is_nil(value)
    assert.equal("not_found", code)
    assert.matches("^no mode named", message)
  end)

  it("types what `--set` gives", function()
    local with = { args = { base = { "b1", "codec" }, n = { 4, "count" }, on = { true, "switch" },
      keep = { {}, "names" } } }
    assert.same({ base = "t5", n = 7, on = false, keep = { "a", "b" } },
      script.arguments(with, { base = "t5", n = "7", on = "false", keep = "a,b" }))
    assert.equal("no argument 'bsae'; did you mean 'base'?",
      select(2, script.arguments(with, { bsae = "t5" })))
    assert.equal("argument 'n' must be a number", select(2, script.arguments(with, { n = "many" })))
  end)

  it("the user's scripts come before the installed ones, a project's only when trusted", function()
    local home = support.folder()
    local text = "return { api = 1, about = 'mine', group = 'self', run = function() end }"
    assert(fs.mkdir(home .. "/.config/bittern/cmd"))
    assert(fs.write(home .. "/.config/bittern/cmd/version.lua", text))
    assert(fs.mkdir(home .. "/project/.bittern/cmd"))
    assert(fs.write(home .. "/project/.bittern/cmd/scripts.lua", text))
    local listed = support.bittern(home, { "scripts" }, { cwd = home .. "/project" }).stdout
    assert.matches("command?%s*version%s+user%s+mine", listed:gsub("cmd", "command"))
    assert.matches("version%s+installed[^\n]+hidden by the one above", listed)
    assert.matches("scripts%s+project%s+not trusted", listed)
    local trusted = support.bittern(home, { "scripts", "--trust", ".bittern/cmd/scripts.lua" },
      { cwd = home .. "/project" })
    assert.equal(0, trusted.status)
    local hidden = support.bittern(home, { "scripts" }, { cwd = home .. "/project" })
    assert.equal("", hidden.stdout)
    assert(fs.write(home .. "/project/.bittern/cmd/scripts.lua", text .. " "))
    local again = support.bittern(home, { "scripts" }, { cwd = home .. "/project" }).stdout
    assert.matches("scripts%s+project%s+not trusted", again)
  end)

  it("a publisher or workflow of another place runs only when it is trusted", function()
    local home = support.folder()
    local path, ran = home .. "/p.lua", home .. "/ran"
    local text = "return { api = 1, about = 'x', publish = function()\n"
      .. ("io.open('%s', 'w'):close() return nil, 'it ran' end }"):format(ran)
    assert(fs.write(path, text))
    assert(fs.write(home .. "/file", "bytes"))
    local words = { "publish", home .. "/file", "--to", path }
    local function is_refused()
      local done = support.bittern(home, words)
      assert.equal(14, done.status, done.stderr)
      assert.matches("p.lua: this publisher is not trusted: it could .* use your keys", done.stderr)
      assert.matches("bittern scripts %-%-trust FILE", done.stderr)
      assert.is_nil(fs.stat(ran))
    end
    is_refused()
    assert.equal(0, support.bittern(home, { "scripts", "--trust", path }).status)
    assert.matches("it ran", support.bittern(home, words).stderr)
    assert.matches("p.lua%s+path%s+trusted", support.bittern(home, { "scripts" }).stdout)
    assert(fs.remove(ran))
    assert(fs.write(path, text .. " "))
    is_refused()
    assert.matches("p.lua%s+path%s+not trusted", support.bittern(home, { "scripts" }).stdout)
  end)

  it("runs the bytes that were agreed to, whatever the file holds by then", function()
    local path = recipe "return { api = 1, about = 'agreed', publish = function() end }"
    local loaded = script.load(path, "publish", function(text)
      assert.matches("agreed", text)
      return fs.write(path, "return { api = 1, about = 'another', publish = function() end }")
    end)
    assert.equal("agreed", loaded.about)
    assert.same({ nil, "no", "untrusted" },
      { script.load(path, "publish", function() return nil, "no", "untrusted" end) })
  end)

  it("asks at a terminal, once, whether it is trusted", function()
    if not support.has_terminals() then return pending "needs pseudo-terminals" end
    local home = support.folder()
    local path = home .. "/p.lua"
    assert(fs.write(path, "return { api = 1, about = 'x', publish = function() "
      .. "return nil, 'it ran' end }"))
    local words = { "publish", path, "--to", path }
    local no = support.at_terminal(home, "n", words)
    assert.matches("p.lua: this publisher is not yours; .*trust it, as it is now%? %[y/N%]",
      no.stdout)
    assert.matches("is not trusted", no.stdout)
    assert.matches("it ran", support.at_terminal(home, "y", words).stdout)
    local known = support.at_terminal(home, "", words).stdout
    assert.matches("it ran", known)
    assert.is_nil(known:find "trust it")
  end)

  it("a recipe of another place runs in a sandbox, until it is trusted", function()
    local home = support.folder()
    local path = home .. "/own/recipes/r.lua"
    assert(fs.mkdir(home .. "/own/recipes"))
    assert(fs.write(path, GOOD))
    local function listed()
      return support.bittern(home, { "--root", home .. "/own", "scripts" }).stdout
    end
    assert.matches("recipe%s+r%s+root%s+nothing%s+in a sandbox\n", listed())
    assert.equal(0, support.bittern(home, { "scripts", "--trust", path }).status)
    assert.matches("recipe%s+r%s+root%s+nothing%s+trusted\n", listed())
  end)
end)
