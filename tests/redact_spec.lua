local redact = require "bittern.redact"

local WORDS <const> = ("abandon "):rep(11) .. "about"

local function env_of(values)
  return function(name) return values[name] end
end

local env = env_of { HOME = "/home/jo.e", HF_TOKEN = "hub-token-of-mine" }

describe("bittern.redact", function()
  it("takes secrets out of a text", function()
    for text, expected in pairs {
      ["a " .. WORDS .. ", b"] = "a [redacted], b",
      ['{"secretPhrase":"' .. WORDS .. '"}'] = '{"secretPhrase":"[redacted]"}',
      ["seed 0x" .. ("ab"):rep(32)] = "seed [redacted]",
      ["token hub-token-of-mine!"] = "token [redacted]!",
      ["other hf_AbCd1234"] = "other [redacted]",
      ["http://me:pass@proxy:3128/x"] = "http://[redacted]@proxy:3128/x",
      ["https://s3/a?X-Sig=1&b=2 end"] = "https://s3/a?[redacted] end",
      ["/home/jo.e/w and /home/jo.ex"] = "~/w and /home/jo.ex",
      ["plain text about a model, six words long"] = "plain text about a model, six words long",
    } do
      assert.equal(expected, redact.text(text, env))
    end
  end)

  it("knows secrets by the names of their variables", function()
    for _, name in ipairs { "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "BITTERN_PUT_PASSWORD",
      "my_api_key", "BT_PW_HOME", "BITTERN_S3_SECRET" } do
      assert.is_true(redact.is_secret(name), name)
    end
    for _, name in ipairs { "BT_WALLET_HOTKEY", "BITTERN_ISA", "HF_HOME", "LANG" } do
      assert.is_false(redact.is_secret(name), name)
    end
  end)
end)
