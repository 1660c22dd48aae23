local auth = require "bittern.auth"
local sha256 = require "core.sha256"
local sr25519 = require "core.sr25519"

local ABANDON = ("abandon "):rep(11) .. "about"
local ADDRESS = "5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH"
local ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
local TASK = "c54218ce-9ffd-4389-b97d-2d952adb4a1a"

-- The three worked requests of contract.md 2.5.
local worked = {
  {
    method = "POST", path = "/api/v1/tasks/" .. TASK .. "/claim", timestamp = 1781500000,
    body = '{"claim_description":"manual miner run"}', size = 149,
    hash = "c1be902f35c60f63f4624eeb84549ac540c54eec7a0fe818943f81145cec43ad",
    signature = "8699345fbb4818eaf80c00bbf607448e3e49e34943d7a52ea7fc4df10c96d602"
      .. "2d600a594631856d85cca2dfbf9fe5b2d36dc12a0c23a34125c792a4acb30684",
  },
  {
    method = "GET", path = "/api/v1/submissions", timestamp = 1781500003, size = 183,
    query = "task_id=" .. TASK .. "&status=pending_verification", hash = auth.EMPTY,
    signature = "d05a8ce009d26ea70e22c5354a8db0698805852ca384e6e2b74337ed2aa37437"
      .. "c046c0dabcd593f7c11b5f4a07a60278f9da3bb8e45c1c5da06ed2a5931e218c",
  },
  {
    method = "POST", path = "/api/v1/submissions", timestamp = 1781500004, size = 112,
    body = '{"artifact_sha256":"' .. ("ab"):rep(32) .. '","artifact_size_bytes":301118,'
      .. '"artifact_uri":"https://example.org/a.zip",'
      .. '"base_ref":"0123456789abcdef0123456789abcdef01234567",'
      .. '"claim_id":"11111111-2222-4333-8444-555555555555",'
      .. '"claimed_metrics":{"big":1e+16,"heldout_ppl":254.69,"parameter_count":2097152,'
      .. '"tiny":1e-05,"whole":3.0},"patch":"",'
      .. [["summary":"na\u00efve 1.3-bit \"pack\" \ud83d\ude80\nline2\t/end\u007f"}]],
    hash = "b5dd5cf942423752c320ad0d475f3155227ef86e11f8ab17e6dee4ddaed0bc9c",
    signature = "bef04e43c25d7e56fc5315376625ec1724ed460889a814503d51ff51e5981a21"
      .. "0b1c37b11e49b3b52a8a52966cfaae849da2d16c39a92c505ce45c39aa7b5482",
  },
}

local function judge(request, changes)
  local all = {
    method = request.method, path = request.path, query = request.query, body = request.body,
    now = request.timestamp,
    headers = {
      ["x-hotkey"] = ADDRESS, ["x-timestamp"] = tostring(request.timestamp),
      ["x-signature"] = request.signature,
    },
  }
  for name, value in pairs(changes or {}) do
    if name:find("^x%-") then all.headers[name] = value else all[name] = value end
  end
  return auth.verify(all)
end

local function refused(changes, request)
  local address, message, code = judge(request or worked[1], changes)
  assert.is_nil(address)
  assert.equal("unauthorized", code)
  return message
end

describe("bittern.auth", function()
  local key

  setup(function() key = assert(sr25519.from_mnemonic(ABANDON)) end)
  teardown(function() key:close() end)

  it("builds the worked requests' messages", function()
    for _, request in ipairs(worked) do
      assert.equal(request.hash, sha256.hex(request.body or ""))
      local text = auth.message {
        method = request.method, path = request.path, query = request.query,
        timestamp = request.timestamp, body_sha256 = request.hash,
      }
      assert.equal(request.size, #text)
    end
  end)

  it("accepts the worked requests' signatures", function()
    for _, request in ipairs(worked) do assert.equal(ADDRESS, judge(request)) end
  end)

  it("writes headers that it accepts itself", function()
    for _, request in ipairs(worked) do
      local headers = assert(auth.headers(key, {
        method = request.method, path = request.path, query = request.query, body = request.body,
        now = request.timestamp + 0.9,
      }))
      assert.equal("X-Hotkey: " .. ADDRESS, headers[1])
      assert.equal("X-Timestamp: " .. request.timestamp, headers[2])
      local signature = headers[3]:match("^X%-Signature: (%x+)$")
      assert.equal(128, #signature)
      assert.equal(signature:lower(), signature)
      assert.equal(request.body and "Content-Type: application/json", headers[4])
      assert.equal(ADDRESS, judge(request, { ["x-signature"] = signature }))
    end
  end)

  it("tells an empty object from no body", function()
    local request = { method = "POST", path = "/p", body = "{}", now = 5 }
    local headers = assert(auth.headers(key, request))
    request.timestamp, request.signature = 5, headers[3]:match("%x+$")
    assert.equal(ADDRESS, judge(request))
    assert.matches("does not match", refused({ body = "" }, request))
  end)

  it("hashes the canonical form of a JSON body, the bytes of a raw one", function()
    local spaced = '{ "claim_description" :\n"manual\\u0020miner run" }'
    assert.equal(ADDRESS, judge(worked[1], { body = spaced }))
    assert.matches("does not match", refused { body = spaced, raw = true })
    local raw = "PK\3\4 not JSON"
    local headers = assert(auth.headers(key, {
      method = "put", path = "/files/a.zip", body_sha256 = sha256.hex(raw), now = 7,
      content_type = "application/zip",
    }))
    assert.equal("Content-Type: application/zip", headers[4])
    local request = {
      method = "PUT", path = "/files/a.zip", body = raw, timestamp = 7,
      signature = headers[3]:match("%x+$"),
    }
    assert.equal(ADDRESS, judge(request, { raw = true }))
    assert.equal(ADDRESS, judge(request, { body_sha256 = sha256.hex(raw) }))
    local address, message, code = judge(request)
    assert.is_nil(address)
    assert.equal("invalid_json", code)
    assert.matches("^body: ", message)
  end)

  it("notices any change of the request", function()
    assert.matches("does not match", refused { method = "PUT" })
    assert.matches("does not match", refused { path = worked[1].path .. "s" })
    assert.matches("does not match", refused { query = "a=b" })
    assert.matches("does not match", refused { ["x-timestamp"] = "1781500001" })
    assert.matches("does not match", refused { body = '{"claim_description":"other"}' })
    assert.matches("does not match", refused { ["x-hotkey"] = ALICE })
    assert.matches("does not match", refused { ["x-signature"] = worked[2].signature })
  end)

  it("keeps the clocks within the window, on both sides", function()
    local at = worked[1].timestamp
    assert.equal(ADDRESS, judge(worked[1], { now = at + 60, window = 60 }))
    assert.equal(ADDRESS, judge(worked[1], { now = at - 60, window = 60 }))
    assert.matches("61 s away", refused { now = at + 61, window = 60 })
    assert.matches("61 s away", refused { now = at - 61, window = 60 })
    assert.matches("301 s away", refused { now = at + 301 })
  end)

  it("refuses headers that are missing or misshapen", function()
    assert.equal("missing auth headers", select(2, auth.verify {
      method = "GET", path = "/", headers = { ["x-hotkey"] = ADDRESS }, now = 1,
    }))
    assert.matches("X%-Hotkey: not an SS58", refused { ["x-hotkey"] = "5E" })
    for _, text in ipairs { "", "1781500000.0", "-1", "0x10", "1e9", "99999999999999999999" } do
      assert.matches("X%-Timestamp", refused { ["x-timestamp"] = text })
    end
    for _, text in ipairs { "", "0x" .. worked[1].signature, ("g"):rep(128) } do
      assert.matches("X%-Signature", refused { ["x-signature"] = text })
    end
  end)

  it("lets no field pass for two", function()
    local function sign(changes)
      local all = { method = "GET", path = "/p", now = 1 }
      for name, value in pairs(changes) do all[name] = value end
      return function() auth.headers(key, all) end
    end
    assert.error_matches(sign { path = "/p\n" }, "the path")
    assert.error_matches(sign { path = "/p?a=b" }, "the path")
    assert.error_matches(sign { path = "p" }, "the path")
    assert.error_matches(sign { path = "" }, "the path")
    assert.error_matches(sign { path = "/a b" }, "the path")
    assert.error_matches(sign { query = "a=\n" }, "the query")
    assert.error_matches(sign { query = "?a" }, "the query")
    assert.error_matches(sign { query = "a#b" }, "the query")
    assert.error_matches(sign { method = "GET /" }, "the method")
    assert.error_matches(sign { now = -1 }, "the timestamp")
    assert.error_matches(sign { pth = "/p" }, "did you mean 'path'")
    assert.matches("the path", refused { path = "/p q" })
  end)
end)
