local paths = require "bittern.paths"
local support = require "tests.support"
local sys = require "core.sys"
local wallet = require "bittern.wallet"

local function env(values)
  return function(name) return values[name] end
end

describe("bittern.paths", function()
  local uid = tostring(sys.uid())
  local home = support.run({ "getent", "passwd", uid }).stdout:match("^.-:.-:.-:.-:.-:(.-):")

  it("follows XDG where it is absolute, and HOME where it is not", function()
    assert.equal("/x/bittern", paths.config(env { XDG_CONFIG_HOME = "/x", HOME = "/h" }))
    assert.equal("/h/.config/bittern", paths.config(env { XDG_CONFIG_HOME = "x", HOME = "/h" }))
    assert.equal("/h/.local/state/bittern", paths.state(env { HOME = "/h" }))
    assert.equal("/h/.cache/bittern", paths.cache(env { HOME = "/h" }))
  end)

  it("without HOME takes the user's entry in the system's list, as a shell does", function()
    for _, values in ipairs { {}, { HOME = "" }, { HOME = "relative" } } do
      assert.equal(home .. "/.config/bittern", paths.config(env(values)))
      assert.equal(home .. "/.bittensor/wallets/default/hotkeys/default",
        wallet.path(wallet.options({}, env(values))))
    end
  end)
end)
