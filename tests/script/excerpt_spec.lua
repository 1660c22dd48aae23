-- What people see of a script's fault: the line, and a caret below the word that is meant.
local fs = require "core.fs"

local excerpt = require "bittern.script.excerpt"

local support = require "tests.support"

describe("a script's fault", function()
  local home
  before_each(function() home = support.folder() end)

  local function run(text, folder)
    local path = (folder or home) .. "/own.lua"
    assert(fs.write(path, text))
    return support.bittern(home, { "run", path })
  end

  it("is shown with its line, and a caret below the word that the message names", function()
    local done = run "local t\nlocal text = t.field\n"
    assert.equal(14, done.status)
    assert.matches("own.lua:2: attempt to index a nil value %(local 't'%)\n", done.stderr)
    assert.matches("\n    2 | local text = t.field\n      |              ^\n", done.stderr, 1, true)
    -- The word stands there twice: no caret is better than a wrong one.
    local syntax = run "local a = 1\nlocal b = = 2\nreturn nope()"
    assert.matches("\n    2 | local b = = 2\n  next: ", syntax.stderr, 1, true)
    local call = run "\nreturn nope()"
    assert.matches("\n    2 | return nope()\n      |        ^\n", call.stderr, 1, true)
  end)

  it("is shown below a recipe's complaint, too", function()
    assert(fs.write(home .. "/mine.lua", 'return {\n  api = 1, about = "x",\n'
      .. '  tensor = function(ctx)\n    return ctx.kep()\n  end,\n}\n'))
    local done = support.bittern(home, { "compress", support.model, "--recipe", home .. "/mine.lua",
      "--dry-run" })
    assert.equal(14, done.status)
    assert.matches("\n    4 |     return ctx.kep()\n      |                ^\n", done.stderr, 1,
      true)
  end)

  it("names the whole path, where Lua would shorten it", function()
    local deep = home .. ("/a-folder-with-a-long-name"):rep(4)
    assert(fs.mkdir(deep))
    local done = run("local x <const> = 1 + {}", deep)
    assert.matches("bittern: " .. deep .. "/own.lua:1: ", done.stderr, 1, true)
    assert.matches("\n    1 | local x", done.stderr, 1, true)
  end)

  it("is not shown where no script is meant, nor in JSON", function()
    assert.same({ "no such file" }, { excerpt.of "no such file" })
    assert.same({ "/etc/x.lua:1: no" }, { excerpt.of "/etc/x.lua:1: no" })
    local path = home .. "/own.lua"
    assert(fs.write(path, "error 'no'"))
    local done = support.bittern(home, { "--json", "run", path })
    assert.same({ 14, "" }, { done.status, done.stderr })
  end)

  it("is cut on both sides when its line is long", function()
    local done = run("local s = '" .. ("x"):rep(200) .. "' .. missing.word .. '" .. ("y"):rep(200)
      .. "'")
    local line, caret = done.stderr:match("\n    1 | ([^\n]*)\n      | ( *)^\n")
    assert.is_true(#line <= 80)
    assert.equal("missing", line:sub(#caret + 1, #caret + 7))
  end)
end)
