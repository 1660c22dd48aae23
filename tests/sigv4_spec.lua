local hex = require "bittern.hex"
local sha256 = require "core.sha256"
local sigv4 = require "bittern.sigv4"
local support = require "tests.support"

describe("sigv4", function()
  it("makes HMAC-SHA-256 as Python does, whatever the lengths", function()
    local out = support.python [[
import hashlib, hmac
for n in (0, 1, 63, 64, 65, 200):
    for m in (0, 1, 100):
        print(hmac.new(bytes(range(n)), b"m" * m, hashlib.sha256).hexdigest())]]
    local lines = {}
    for _, n in ipairs { 0, 1, 63, 64, 65, 200 } do
      local key = {}
      for i = 1, n do key[i] = string.char(i - 1) end
      for _, m in ipairs { 0, 1, 100 } do
        lines[#lines + 1] = hex.encode(sigv4.hmac(table.concat(key), ("m"):rep(m)))
      end
    end
    assert.equal(out, table.concat(lines, "\n") .. "\n")
  end)

  -- The example "GET Object" of the API reference.
  it("signs the published example", function()
    local lines = sigv4.sign({ method = "GET", host = "examplebucket.s3.amazonaws.com",
      path = "/test.txt", headers = { range = "bytes=0-9" }, payload_sha256 = sha256.hex("") },
      { id = "AKIAIOSFODNN7EXAMPLE", secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
      { region = "us-east-1", now = 1369353600 })
    assert.equal("Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524"
      .. "/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date"
      .. ", Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", lines[1])
  end)

  it("escapes and sorts a query", function()
    assert.equal("a=1%2F2&b%20c=~", sigv4.query { ["b c"] = "~", a = "1/2" })
    assert.equal("a/b%2A~", sigv4.escape("a/b*~", "/"))
  end)
end)
