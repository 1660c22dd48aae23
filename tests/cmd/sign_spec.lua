local auth = require "bittern.auth"
local fs = require "core.fs"
local sha256 = require "core.sha256"
local json = require "bittern.json"
local support = require "tests.support"

local ABANDON = ("abandon "):rep(11) .. "about"
local ADDRESS = "5EPCUjPxiHAcNooYipQFWr9NmmXJKpNG5RhcntXwbtUySrgH"
local TASK = "c54218ce-9ffd-4389-b97d-2d952adb4a1a"

describe("bittern sign", function()
  local home, words

  setup(function()
    home = support.folder()
    words = home .. "/words"
    assert(fs.write(words, ABANDON .. "\n", { mode = 0x180 }))
  end)

  local function sign(argv, options)
    local all = { "sign", table.unpack(argv) }
    all[#all + 1], all[#all + 2] = "--wallet-file", words
    return support.bittern(home, all, options)
  end

  local function judge(request, headers)
    request.headers = {}
    for name, value in pairs(headers) do request.headers[name:lower()] = value end
    return auth.verify(request)
  end

  local function body_file(text)
    local path = home .. "/body.json"
    assert(fs.write(path, text))
    return path
  end

  it("signs the contract's first request, as JSON", function()
    local path = "/api/v1/tasks/" .. TASK .. "/claim"
    local done = sign {
      "--json", "--method", "POST", "--path", path, "--timestamp", "1781500000",
      "--body", body_file '{\n  "claim_description": "manual miner run"\n}\n',
    }
    assert.equal("", done.stderr)
    assert.equal(0, done.status)
    local answer = assert(json.decode(done.stdout))
    assert.equal(ADDRESS, answer["X-Hotkey"])
    assert.equal("1781500000", answer["X-Timestamp"])
    assert.equal("application/json", answer["Content-Type"])
    assert.equal("c1be902f35c60f63f4624eeb84549ac540c54eec7a0fe818943f81145cec43ad",
      answer.body_sha256)
    assert.equal('{"claim_description":"manual miner run"}', answer.body)
    assert.equal(ADDRESS, judge({
      method = "POST", path = path, body = answer.body, now = 1781500000,
    }, answer))
  end)

  it("signs the contract's second request, one header a line", function()
    local query = "task_id=" .. TASK .. "&status=pending_verification"
    local done = sign {
      "--method", "get", "--path", "/api/v1/submissions", "--query", query,
      "--timestamp", "1781500003",
    }
    assert.equal(0, done.status)
    local headers, count = {}, 0
    for name, value in done.stdout:gmatch("([^\n:]+): ([^\n]*)\n") do
      headers[name], count = value, count + 1
    end
    assert.equal(3, count)
    assert.equal(ADDRESS, judge({
      method = "GET", path = "/api/v1/submissions", query = query, now = 1781500003,
    }, headers))
  end)

  it("hashes the contract's third body as Python writes it", function()
    local summary = [[naïve 1.3-bit \"pack\" 🚀\nline2\t\/end]] .. "\127"
    local text = '{"summary": "' .. summary .. [[", "patch": "",
      "claimed_metrics": {"whole": 3.0, "big": 1E16, "tiny": 0.00001, "heldout_ppl": 254.690,
        "parameter_count": 2097152},
      "claim_id": "11111111-2222-4333-8444-555555555555", "artifact_size_bytes": 301118,
      "base_ref": "0123456789abcdef0123456789abcdef01234567",
      "artifact_uri": "https://example.org/a.zip", "artifact_sha256": "]] .. ("ab"):rep(32) .. '"}'
    local done = sign {
      "--method", "POST", "--path", "/api/v1/submissions", "--timestamp", "1781500004", "--json",
      "--body", body_file(text),
    }
    local answer = assert(json.decode(done.stdout))
    assert.equal("b5dd5cf942423752c320ad0d475f3155227ef86e11f8ab17e6dee4ddaed0bc9c",
      answer.body_sha256)
    assert.equal(answer.body_sha256, sha256.hex(answer.body))
    assert.equal(ADDRESS, judge({
      method = "POST", path = "/api/v1/submissions", body = answer.body, now = 1781500004,
    }, answer))
  end)

  it("takes the time from the clock, and another signature each time", function()
    local argv = { "--json", "--method", "GET", "--path", "/p" }
    local first, second = json.decode(sign(argv).stdout), json.decode(sign(argv).stdout)
    assert.is_true(math.abs(os.time() - tonumber(first["X-Timestamp"])) < 30)
    assert.not_equal(first["X-Signature"], second["X-Signature"])
    assert.equal(auth.EMPTY, first.body_sha256)
    assert.is_nil(first["Content-Type"])
    assert.is_nil(first.body)
  end)

  it("refuses what cannot be signed", function()
    local function refused(status, says, argv)
      local done = sign(argv)
      assert.equal(status, done.status)
      assert.equal("", done.stdout)
      assert.matches(says, done.stderr)
      assert.is_nil(done.stderr:find("abandon", 1, true))
    end
    local get = { "--method", "GET", "--path" }
    refused(2, "the path must begin", { get[1], get[2], get[3], "p" })
    refused(2, "the path must begin", { get[1], get[2], get[3], "/p?q" })
    refused(2, "the query must", { get[1], get[2], get[3], "/p", "--query", "?a" })
    refused(2, "the method must", { "--method", "G T", "--path", "/p" })
    refused(2, "whole seconds", { get[1], get[2], get[3], "/p", "--timestamp", "1.5" })
    refused(2, "%-%-path", { "--method", "GET" })
    refused(7, "none: No such file", { get[1], get[2], get[3], "/p", "--body", home .. "/none" })
    refused(6, "body.json: 1:6: a number too large",
      { get[1], get[2], get[3], "/p", "--body", body_file '{"a":1e999}' })
    refused(6, "body.json: 1:8: a key that is already there",
      { get[1], get[2], get[3], "/p", "--body", body_file '{"a":1,"a":2}' })
  end)

  it("says which file is wrong, and never what is in it", function()
    local bad = home .. "/bad"
    assert(fs.write(bad, (ABANDON:gsub("about", "zebra")), { mode = 0x180 }))
    local done = support.bittern(home, {
      "sign", "--method", "GET", "--path", "/p", "--wallet-file", bad, "--json",
    })
    assert.equal(4, done.status)
    local failure = assert(json.decode(done.stdout)).error
    assert.equal("key", failure.id)
    assert.matches("/bad: holds no mnemonic: the mnemonic's checksum does not match",
      failure.message)
    assert.is_nil((done.stdout .. done.stderr):find("abandon", 1, true))
    assert.is_nil((done.stdout .. done.stderr):find("zebra", 1, true))
  end)
end)
