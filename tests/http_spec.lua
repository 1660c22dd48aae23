-- bittern.http: forms and URLs, then answers of a real server, good and bad.
local http = require "bittern.http"
local json = require "bittern.json"
local process = require "core.process"
local support = require "tests.support"

local child, base

setup(function()
  local port
  child = assert(process.spawn { stdout = "pipe",
    argv = { "/usr/bin/python3", support.root .. "/tests/fixtures/wire_server.py" } })
  port = assert(child:read_line(10))
  base = "http://127.0.0.1:" .. port
end)

teardown(function() child:close() end)

-- The server will give these answers: {status, body, header...}.
local function will_answer(...)
  local list = {}
  for i, entry in ipairs { ... } do
    list[i] = { entry[1], json.array { table.unpack(entry, 3) }, entry[2] or "" }
  end
  local body = json.encode(json.array(list))
  assert(http.request { method = "POST", url = base .. "/script", body = body })
end

local function heads(path)
  local list = {}
  for _, entry in ipairs(json.decode(assert(http.get(base .. "/log")).body)) do
    if entry.head:match("^%u+ (%S+)") == path then list[#list + 1] = entry.head end
  end
  return list
end

describe("http.form", function()
  it("encodes as the reference client", function()
    assert.equal("task_id=a+b&status=active",
      http.form { { "task_id", "a b" }, { "status", "active" } })
    assert.equal("k=%2F%3A%26%3D%2B%25%22~-_.", http.form { { "k", "/:&=+%\"~-_." } })
    assert.equal("k=%E2%82%AC%0A%00", http.form { { "k", "\u{20ac}\n\0" } })
  end)

  it("agrees with Python's urlencode for every byte", function()
    local all = { utf8.char(0x80, 0xFF, 0x100, 0x20AC, 0x1F600) }
    for i = 127, 0, -1 do table.insert(all, 1, utf8.char(i)) end
    local text = table.concat(all)
    local expected = support.python([[
import sys, urllib.parse
text = "".join(map(chr, list(range(128)) + [0x80, 0xFF, 0x100, 0x20AC, 0x1F600]))
sys.stdout.write(urllib.parse.urlencode([("a b", text), ("n", 12)]))]])
    assert.equal(expected, http.form { { "a b", text }, { "n", 12 } })
  end)

  it("drops what has no value and repeats lists", function()
    assert.equal("", http.form { { "task_id", nil }, { "status", json.null } })
    assert.equal("k=v1&k=v2&z=", http.form { { "k", { "v1", "v2" } }, { "z", "" } })
  end)

  it("raises for values that have no one text", function()
    assert.has_error(function() http.form { { "k", 1.5 } } end)
    assert.has_error(function() http.form { { "k", true } } end)
  end)
end)

describe("http.split", function()
  it("gives the parts as they are", function()
    assert.same({ scheme = "https", host = "example.com", port = 443, path = "/", query = "" },
      http.split("https://Example.com"))
    assert.same({ scheme = "http", host = "127.0.0.1", port = 8000, path = "/a%20b/",
      query = "x=+?&y" }, http.split("HTTP://127.0.0.1:8000/a%20b/?x=+?&y#z"))
    assert.same({ scheme = "http", host = "[::1]", port = 80, path = "/", query = "q" },
      http.split("http://[::1]?q"))
  end)

  it("refuses everything else", function()
    for _, url in ipairs { "", "example.com", "ftp://example.com/", "https://", "https://a:b@c/",
      "https://a:99999/", "https://a:0/", "https://a\nb/", "hf://a/b", "https:///x" } do
      local parts, message, code = http.split(url)
      assert.is_nil(parts, url)
      assert.is_string(message)
      assert.equal("config", code)
    end
  end)
end)

describe("http.request", function()
  it("says who asks, unless told otherwise", function()
    assert(http.get(base .. "/agent"))
    assert.is_truthy(heads("/agent")[1]:find("\r\nUser%-Agent: bittern/%d"))
    assert(http.get(base .. "/other-agent", { headers = { "user-agent: me" } }))
    assert.is_truthy(heads("/other-agent")[1]:find("\r\nuser%-agent: me\r\n"))
    assert.is_nil(heads("/other-agent")[1]:find("bittern"))
  end)

  it("sends nothing when offline", function()
    local before = #heads("/s")
    local response, message, code = http.get(base .. "/s?secret", { offline = true })
    assert.is_nil(response)
    assert.equal("GET " .. base .. "/s: not sent, because of --offline", message)
    assert.equal("offline", code)
    http.configure { offline = true }
    assert.equal("offline", select(3, http.json("POST", base .. "/s", { body = "{}" })))
    http.configure { offline = false }
    assert.equal(before, #heads("/s"))
  end)

  it("repeats what may be repeated, with headers made anew", function()
    will_answer({ 503, "", "Retry-After: 0" }, { 502 }, { 200, "[1]" })
    local made = 0
    local value = assert(http.json("GET", base .. "/s/list", {
      headers = function()
        made = made + 1
        return { "X-Timestamp: " .. made }
      end,
      retry = { base = 0.01, say = function() end },
    }))
    assert.same({ 1 }, value)
    local seen = heads("/s/list")
    assert.is_truthy(seen[#seen]:find("X-Timestamp: 3", 1, true))
  end)

  it("never repeats a POST that may have arrived", function()
    will_answer({ 0 }, { 200, "{}" })
    local value, _, code = http.json("POST", base .. "/s/post", { body = "{}", retry = true })
    assert.is_nil(value)
    assert.equal("network", code)
    assert.equal(1, #heads("/s/post"))
  end)

  it("does not repeat a download whose sink has bytes", function()
    local calls = 0
    local response, _, code = http.get(base .. "/truncated", { retry = { base = 0.01 },
      sink = function()
        calls = calls + 1
        return true
      end })
    assert.is_nil(response)
    assert.equal("network", code)
    assert.equal(1, calls)
  end)
end)

describe("http.json", function()
  it("gives values, and null for nothing", function()
    will_answer({ 200, '{"a":[1,2.5]}' }, { 204 }, { 200, " \n" }, { 201, "null" }, { 200, "[]" })
    local value, response = http.json("GET", base .. "/s")
    assert.same({ a = { 1, 2.5 } }, value)
    assert.equal(200, response.status)
    for _ = 1, 3 do assert.equal(json.null, (http.json("GET", base .. "/s"))) end
    assert.same({}, { table.unpack((http.json("GET", base .. "/s"))) })
  end)

  -- What a status and a body become: message and code.
  local function failure(status, body, ...)
    will_answer { status, body, ... }
    local url = base .. "/s/api?q=secret"
    local value, message, code, response = http.json("POST", url, { body = "{}" })
    assert.is_nil(value)
    assert.equal(status, response.status)
    assert.equal(body, response.body)
    assert.equal(("POST /s/api: %d "):format(status), message:sub(1, 17))
    return message:sub(18), code
  end

  it("reads every shape of detail", function()
    assert.same({ "missing auth headers", "unauthorized" },
      { failure(401, '{"detail":"missing auth headers"}') })
    assert.same({ 'insufficient_miner_stake: bond more: {"required":5}', "stake" },
      { failure(403, '{"detail":{"error":"insufficient_miner_stake","message":"bond more",' ..
        '"required":5}}') })
    assert.same({ "insufficient_miner_stake", "stake" },
      { failure(403, '{"detail":"insufficient_miner_stake"}') })
    assert.same({ "body.task_id: Field required; body.0.x: bad", "rejected" },
      { failure(422, '{"detail":[{"loc":["body","task_id"],"msg":"Field required",' ..
        '"type":"missing"},{"loc":["body",0,"x"],"msg":"bad"}]}') })
    assert.same({ "claim exists", "conflict" }, { failure(409, '{"detail":"claim exists"}') })
    assert.same({ '{"reason":"closed"}', "rejected" }, { failure(400, '{"reason":"closed"}') })
    assert.same({ "no", "not_found" }, { failure(404, '{"error":"no"}') })
    assert.same({ "{}", "rejected" }, { failure(400, '{"detail":{}}') })
    assert.same({ "5", "rejected" }, { failure(400, '{"detail":5}') })
    assert.same({ "null", "server_error" }, { failure(500, "null") })
  end)

  it("reads what proxies say", function()
    assert.same({ "502 Bad Gateway", "server_error" }, { failure(502,
      "<html>\n<head><title>502 Bad Gateway</title></head><body>x</body></html>") })
    assert.same({ "Down for today", "server_error" },
      { failure(503, "<p>Down\n <b>for</b> today</p>", "Content-Type: text/html") })
    assert.same({ "upstream reset", "server_error" }, { failure(503, "upstream reset") })
    assert.same({ "an empty answer", "server_error" }, { failure(500, "") })
    assert.same({ "slow down", "busy" }, { failure(429, '{"detail":"slow down"}') })
  end)

  it("keeps control bytes and endless texts out of messages", function()
    local text = failure(400, '{"detail":"a\\u001b[31mred\\u0007\\nb"}')
    assert.equal("ared b", text)
    text = failure(400, ("\u{20ac}"):rep(2000))
    assert.is_true(#text <= 303 and utf8.len(text) ~= nil)
    assert.equal("...", text:sub(-3))
  end)

  it("refuses answers that are not JSON", function()
    will_answer({ 200, "<!doctype html><title>Sign in</title>", "Content-Type: text/html" },
      { 200, "{broken" }, { 200, "hello" })
    local value, message, code, response = http.json("GET", base .. "/s/x")
    assert.is_nil(value)
    assert.equal("GET /s/x: 200, but not JSON: Sign in", message)
    assert.equal("invalid_response", code)
    assert.equal(200, response.status)
    for _, text in ipairs { "{broken", "hello" } do
      _, message, code = http.json("GET", base .. "/s/x")
      assert.equal("GET /s/x: 200, but not JSON: " .. text, message)
      assert.equal("invalid_response", code)
    end
  end)

  it("follows redirects of a GET, not of a POST", function()
    will_answer({ 307, "", "Location: /s/there" }, { 200, "7" }, { 307, "", "Location: /s/there" })
    assert.equal(7, (http.json("GET", base .. "/s/here")))
    local _, message, code = http.json("POST", base .. "/s/here", { body = "1" })
    assert.equal("POST /s/here: 307, sent elsewhere: /s/there", message)
    assert.equal("invalid_response", code)
  end)

  it("passes on what the network says", function()
    local value, message, code = http.json("GET", "http://127.0.0.1:1/x")
    assert.is_nil(value)
    assert.is_truthy(message:find("^GET http://127.0.0.1:1/x: "))
    assert.equal("unreachable", code)
  end)
end)
