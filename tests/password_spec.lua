local fs = require "core.fs"
local nacl = require "tests.nacl"
local password = require "bittern.password"
local support = require "tests.support"

local ADDRESS <const> = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"
local PHRASE <const> = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

describe("bittern.password", function()
  it("takes the first line of a file, once", function()
    local path = support.folder() .. "/p"
    for text, line in pairs { ["a b\r\nc"] = "a b", ["x"] = "x", [" y \n"] = " y " } do
      assert(fs.write(path, text, { mode = 0x180 }))
      local ask = password.source({ password_file = path }, "key")
      assert.equal(line, ask(1):text())
      assert.is_nil((ask(2)))
    end
  end)

  it("asks nobody when nobody is there", function()
    local none, message, code = password.source({ terminal = false }, "key")(1)
    assert.is_nil(none)
    assert.equal("is encrypted, and nobody may be asked", message)
    assert.equal("key_encrypted", code)
  end)

  describe("at a terminal", function()
    local home

    local function at_terminal(answers, ...)
      return support.at_terminal(home, answers, {
        "wallet", "show", "--hotkey-file", home .. "/key", ...,
      })
    end

    setup(function()
      home = support.folder()
      nacl.encrypt("right one", { [home .. "/key"] = PHRASE })
    end)

    it("shows nothing of what is typed, and asks again", function()
      if not support.has_terminals() then return pending("no pseudo-terminals here") end
      local done = at_terminal "wrong one\nright one"
      assert.equal(0, done.status, done.stdout)
      local question = "password of " .. home .. "/key: "
      assert.equal(question .. "\nwarning: the password does not open it\n" .. question .. "\n"
        .. ADDRESS .. "\n  from " .. home .. "/key\n[echo]\n", done.stdout)
    end)

    it("is not needed for a file, whose readers are warned of", function()
      if not support.has_terminals() then return pending("no pseudo-terminals here") end
      local path = home .. "/password"
      assert(fs.write(path, "right one\n", { mode = 0x1A4 }))
      local done = at_terminal("", "--password-file", path)
      assert.equal(0, done.status, done.stdout)
      assert.matches("warning: " .. path .. ": others may read", done.stdout, 1, true)
    end)

    it("asks nothing with --no-input", function()
      if not support.has_terminals() then return pending("no pseudo-terminals here") end
      local done = at_terminal("right one", "--no-input")
      assert.equal(4, done.status, done.stdout)
      assert.matches("is encrypted, and nobody may be asked", done.stdout, 1, true)
    end)

    it("gives up at Ctrl-C and at an empty line, and shows again what is typed", function()
      if not support.has_terminals() then return pending("no pseudo-terminals here") end
      local done = at_terminal "\\3"
      assert.equal(130, done.status, done.stdout)
      assert.matches("%[echo%]", done.stdout)
      done = at_terminal ""
      assert.equal(4, done.status, done.stdout)
      assert.matches("the password is empty", done.stdout)
    end)
  end)
end)
