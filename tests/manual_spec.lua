local fs = require "core.fs"
local errors = require "bittern.errors"
local manual = require "bittern.manual"
local script = require "bittern.script"
local support = require "tests.support"

-- What a reader sees of roff: no fonts, no escapes.
local function plain(text)
  return (text:gsub("\\f%u", ""):gsub("\\%-", "-"):gsub("\\&", ""):gsub("\\e", "\\"))
end

local pages = manual.pages()

describe("manual pages", function()
  it("tell every option and argument that a command's help does", function()
    local count = 0
    for _, found in ipairs(script.list "cmd") do
      local page = plain(assert(pages[("bittern-%s.1"):format(found.name)], found.name))
      local help = support.bittern(support.folder(), { found.name, "--help" }).stdout
      for option in help:gmatch("%f[%S](%-%-?[%w-]+)") do
        count = count + 1
        assert.is_truthy(page:find("\n[^\n]*" .. option:gsub("%-", "%%-") .. "%f[^%w-]"),
          found.name .. ": " .. option)
      end
      local listed = ("\n" .. help):match("\nArguments:\n(.-)\n\n") or ""
      for argument in ("\n" .. listed):gmatch("\n   (%l[%w-]*)") do
        assert.is_truthy(page:find(argument:upper(), 1, true), found.name .. ": " .. argument)
      end
    end
    assert.is_true(count > 300)
  end)

  it("name every command and exit code on the first one", function()
    local page = plain(pages["bittern.1"])
    for name in pairs(pages) do
      local command = name:match("^(bittern%-.*)%.1$")
      if command then assert.is_truthy(page:find(command .. "(1)", 1, true), name) end
    end
    for _, exit in ipairs(errors.exits) do
      assert.is_truthy(page:find(("\n%d\n%s\n"):format(exit[1], exit[2]), 1, true))
    end
  end)

  it("let no text become a request", function()
    local page = manual.page("odd", {
      about = "a\\b", args = function(parser)
        parser:option("--x-y", ".de evil"):argname "A\\n"
        parser:epilog("'so /etc/passwd\n.ab\ntext")
      end,
    })
    for line in page:gmatch("[^\n]+") do
      if line:find("^[.']") then
        assert.is_truthy(line:find("^%.SH ") or line:find("^%.T[HP]") or line:find("^%.[nf][fi]$")
          or line:find('^%.\\"'), line)
      end
    end
    assert.matches("\n\\&.ab\n", page, 1, true)
    assert.matches("a\\eb", page, 1, true)
  end)

  it("are written where they are asked for, and please those who judge them", function()
    local dir = support.folder()
    local done = support.bittern(support.folder(), { "run", support.root .. "/docs/man.lua", dir })
    assert.equal(0, done.status, done.stderr)
    assert.equal(pages["bittern-tasks.1"], fs.read(dir .. "/bittern-tasks.1"))
    local function judged(tool, command)
      if support.run({ "/bin/sh", "-c", "command -v " .. tool }).status ~= 0 then return end
      local said = support.run({ "/bin/sh", "-c", command }, { cwd = dir })
      -- A page is the same on every day: it has no date.
      local text = (said.stdout .. said.stderr):gsub("[^\n]*missing date[^\n]*\n", "")
      assert.equal("", text, tool)
    end
    judged("mandoc", "mandoc -T lint -W warning *.1")
    judged("groff", "groff -man -ww -z -Tutf8 *.1")
  end)
end)
