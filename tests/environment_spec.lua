local fs = require "core.fs"
local environment = require "bittern.environment"
local support = require "tests.support"

describe("bittern.environment", function()
  it("knows the variables that hold secrets of keys", function()
    for _, name in ipairs {
      "BT_PW__HOME_ME__BITTENSOR", "BT_COLD_PW_DEFAULT", "BT_HOT_PW_X", "HOTKEY_MNEMONIC",
      "my_mnemonic", "SECRET_PHRASE", "SECRETSEED", "WALLET_PRIVATE_KEY",
    } do
      assert.is_true(environment.is_secret(name), name)
    end
    for _, name in ipairs { "PATH", "HF_TOKEN", "BT_WALLET_NAME", "BITTERN_ISA", "PWD" } do
      assert.is_false(environment.is_secret(name), name)
    end
  end)

  it("keeps them from scripts and from children, and nothing else", function()
    local home = support.folder()
    local script = home .. "/s.lua"
    assert(fs.write(script, [[
      local process = require "core.process"
      io.write(tostring(os.getenv "BT_PW_A"), " ", tostring(os.getenv "HF_TOKEN"), "\n")
      io.write(process.run { argv = { "env" } }.stdout)
    ]]))
    local done = support.bittern(home, { "run", script }, { env = {
      BT_PW_A = "canary1", HOTKEY_MNEMONIC = "canary2", BT_COLD_PW_B = "canary3",
      HF_TOKEN = "token",
    } })
    assert.equal("nil token", done.stdout:match("^[^\n]*"))
    assert.is_nil(done.stdout:find("canary", 1, true))
    assert.matches("HF_TOKEN=token", done.stdout, 1, true)
    assert.matches("HOME=" .. home, done.stdout, 1, true)
  end)
end)
