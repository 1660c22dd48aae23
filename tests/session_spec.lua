local fs = require "core.fs"

local session = require "bittern.session"
local support = require "tests.support"

-- A command's context with what it said.
local function context(home, extra)
  local said = {}
  local function note(text) said[#said + 1] = text end
  local env = { HOME = home, BITSOTA_COORDINATOR_URL = "https://env.example.org/" }
  local ctx = {
    args = {}, offline = false, now = os.time, said = said,
    env = function(name) return env[name] end,
    report = { warn = note, detail = note, clean = function(text) return text end },
  }
  for key, value in pairs(extra or {}) do ctx[key] = value end
  return ctx
end

local MNEMONIC <const> = ("abandon "):rep(11) .. "about"

local function wallet_file()
  local path = support.folder() .. "/words"
  assert(fs.write(path, MNEMONIC .. "\n", { mode = 0x180 }))
  return path
end

describe("bittern.session", function()
  it("takes the URL from the option, the environment, production", function()
    local home = support.folder()
    local ctx = context(home, { coordinator = " https://opt.example.org/x/ " })
    assert.equal("https://opt.example.org/x", assert(session.client(ctx)).base)
    ctx.coordinator = " "
    assert.equal("https://env.example.org", assert(session.client(ctx)).base)
    ctx.env = function() return nil end
    assert.equal("https://autoresearch.bitsota.com", assert(session.client(ctx)).base)
  end)

  it("names where a bad URL comes from", function()
    local none, message, code = session.client(context("/", { coordinator = "bitsota" }))
    assert.is_nil(none)
    assert.matches("^%-%-coordinator: 'bitsota' is not a URL", message)
    assert.equal("config", code)
  end)

  it("opens a hotkey only when asked, and wants it when it was named", function()
    local home = support.folder()
    local ctx = context(home)
    assert.is_nil(assert(session.client(ctx)).key)
    assert.is_nil(assert(session.client(ctx, { signed = "optional" })).key)
    assert.matches("no hotkey", ctx.said[1])
    local none, _, code = session.client(ctx, { signed = true })
    assert.is_nil(none)
    assert.equal("key_missing", code)
    ctx.args = { hotkey = "other" }
    assert.is_nil((session.client(ctx, { signed = "optional" })))
    ctx.args = { wallet_file = wallet_file() }
    local client = assert(session.client(ctx, { signed = "optional" }))
    assert.equal("5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH", client.address)
  end)
end)
