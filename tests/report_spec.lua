local fs = require "core.fs"
local json = require "bittern.json"
local report = require "bittern.report"
local support = require "tests.support"

describe("bittern.report", function()
  it("takes escape sequences and control bytes out of outside text", function()
    assert.equal("red alert", report.clean("\27[31mred\27[0m alert"))
    assert.equal("title", report.clean("\27]0;evil\7title"))
    assert.equal("a b c", report.clean("a\nb\tc"))
    assert.equal("a\nb", report.clean("a\nb\r\8", true))
    assert.equal("ab", report.clean("a\xC2\x9Bb"))
  end)

  it("prints no control bytes of a message from outside", function()
    local home = support.folder()
    local path = home .. "/s.lua"
    assert(fs.write(path, "return nil, 'bad \\27[31mred\\27[0m\\7', 'usage'"))
    assert.matches("bittern: bad red\n", support.bittern(home, { "run", path }).stderr)
  end)

  it("leaves out what a terminal has no room for, then cuts; a pipe gets all", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    local home = support.folder()
    assert(fs.write(home .. "/t.lua", [[
      local report = require "bittern.report"
      local columns = { { "A" }, { "B", spare = true }, { "C", cut = true } }
      local rows = { { ("a"):rep(40), ("b"):rep(30), ("\u{e9}"):rep(60) } }
      for _, line in ipairs(report.table(columns, rows)) do report.out(line) end]]))
    local narrow = support.at_terminal(home, "", { "run", home .. "/t.lua" }).stdout
    assert.equal(("A%s  C\n%s  %s...\n"):format((" "):rep(39), ("a"):rep(40),
      ("\u{e9}"):rep(35)), narrow:match("^(.-\n.-\n)"))
    local whole = support.bittern(home, { "run", home .. "/t.lua" }).stdout
    assert.matches(("b"):rep(30) .. "  " .. ("\u{e9}"):rep(60) .. "\n", whole, 1, true)
  end)

  it("hangs a step's further lines below its first at a terminal; a pipe gets one line", function()
    if not support.has_terminals() then return pending("no pseudo-terminals here") end
    local home = support.folder()
    assert(fs.write(home .. "/s.lua", [[
      require("bittern.report").step("rules", ("word "):rep(20) .. "end")]]))
    local wide = "  rules     " .. ("word "):rep(20) .. "end\n"
    assert.equal(wide, support.bittern(home, { "run", home .. "/s.lua" }).stderr)
    local narrow = support.at_terminal(home, "", { "run", home .. "/s.lua" }).stdout
    local hanging = "  rules     " .. ("word "):rep(12) .. "word\n" .. (" "):rep(12) .. "word word"
    assert.equal(hanging, narrow:sub(1, #hanging))
    assert.matches("word end\n", narrow, 1, true)
  end)

  it("wipes a progress line before it tells something else", function()
    local path = support.folder() .. "/s.lua"
    assert(fs.write(path, [[
      local progress = require("bittern.report").progress {
        label = "work", total = 10, terminal = ... == "terminal",
      }
      require("core.sys").sleep(0.11)
      progress:update(5)
      return nil, "broken", "io"
    ]]))
    local home = support.folder()
    local told = support.bittern(home, { "run", path, "terminal" }).stderr
    assert.matches("^work   50%%  %d+ items/s  %d+ s left\r\27%[Kbittern: broken\n", told)
    assert.matches("^bittern: broken\n", support.bittern(home, { "run", path }).stderr)
  end)

  it("tells programs of progress in JSON, and nobody who does not want to hear", function()
    local path, home = support.folder() .. "/s.lua", support.folder()
    assert(fs.write(path, [[
      local progress = require("bittern.report").progress { label = "work", total = 10, unit = "B" }
      require("core.sys").sleep(1.1)
      progress:update(5, "half")
      progress:finish()
    ]]))
    local told = json.decode(support.bittern(home, { "--progress", "json", "run", path }).stderr)
    assert.same({ "work", "B", 5, 10, "half" }, { told.progress.label, told.progress.unit,
      told.progress.done, told.progress.total, told.progress.note })
    assert.near(told.progress.seconds_left, 5 / told.progress.rate, 1e-6)
    assert.equal("", support.bittern(home, { "--progress=none", "run", path }).stderr)
    assert.equal(2, support.bittern(home, { "--progress", "loud", "tasks" }).status)
  end)

  it("groups digits by thousands", function()
    assert.equal("1,234,567", report.thousands(1234567))
    assert.equal("123", report.thousands(123))
    assert.equal("-1,000", report.thousands(-1000))
  end)

  it("aligns columns, numbers to the right, by characters and not bytes", function()
    assert.same({ "NAME   N", "\u{e9}     10", "abc    2" },
      report.table({ { "NAME" }, { "N", right = true } }, { { "\u{e9}", "10" }, { "abc", "2" } }))
  end)
end)
