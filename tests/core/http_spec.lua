-- core.http against a server that misbehaves on request (fixtures/wire_server.py) and nginx.
local fs = require "core.fs"
local http = require "core.http"
local json = require "bittern.json"
local map = require "core.map"
local nginx = require "tests.nginx"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local support = require "tests.support"

local function start_wire(...)
  local argv = { "/usr/bin/python3", support.root .. "/tests/fixtures/wire_server.py", ... }
  local child = assert(process.spawn { argv = argv, stdout = "pipe" })
  return child, assert(child:read_line(10))
end

local wire, port
local base

local function get(path, options)
  local all = { url = base .. path, timeout = 10 }
  for key, value in pairs(options or {}) do all[key] = value end
  return http.request(all)
end

-- Request heads that the server has seen for a path, newest last.
local function heads(path)
  local list = {}
  for _, entry in ipairs(json.decode(assert(get("/log")).body)) do
    if entry.head:match("^%u+ (%S+)") == path then list[#list + 1] = entry.head end
  end
  return list
end

local function took(work)
  local started = sys.clock()
  work()
  return sys.clock() - started
end

-- Runs Lua source as a `bittern run` child that prints one line when it is about to block.
local function background(source)
  local script = support.folder() .. "/script.lua"
  assert(fs.write(script, source))
  local child = assert(process.spawn {
    argv = { support.bin, "run", script }, stdout = "pipe", stderr = "null" })
  assert.equal("ready", child:read_line(10))
  return child
end

setup(function()
  wire, port = start_wire()
  base = "http://127.0.0.1:" .. port
end)

teardown(function() wire:close() end)

describe("http.request", function()
  it("gives status, headers, body, size and URL", function()
    local response = assert(get("/hello?x=1"))
    assert.same({ status = 200, body = "/hello?x=1", size = 10, url = base .. "/hello?x=1",
      headers = { ["content-length"] = "10" } }, response)
  end)

  it("takes any status as a result", function()
    for _, status in ipairs { 204, 301, 404, 422, 500, 503 } do
      local response = assert(get("/" .. status))
      assert.equal(status, response.status)
    end
    assert.equal("<html>/500", assert(get("/500")).body)
  end)

  it("sends the URL byte for byte", function()
    local path = "/a/../b/./%2f%2F%7e~/;x=+%20?q=%e2%82%AC+a&b=[]&c=%zz"
    assert.equal(path, assert(get(path)).body)
  end)

  it("sends no header that was not asked for but Host and Accept", function()
    assert(get("/plain", { headers = { "X-Hotkey: 5abc" } }))
    assert.equal(("GET /plain HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAccept: */*\r\n" ..
      "X-Hotkey: 5abc\r\n\r\n"):format(port), heads("/plain")[1])
    assert(get("/posted", { method = "POST", body = "{}" }))
    assert.equal(("POST /posted HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAccept: */*\r\n" ..
      "Content-Length: 2\r\n\r\n"):format(port), heads("/posted")[1])
  end)

  it("folds repeated headers and trims them", function()
    local headers = assert(get("/headers")).headers
    assert.equal("a, b", headers["x-two"])
    assert.equal("", headers["x-empty"])
  end)

  it("sends strings, maps and slices with every byte value", function()
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    local text = table.concat(bytes):rep(20)
    local path = support.folder() .. "/body"
    assert(fs.write(path, text))
    local mapped <close> = assert(map.open(path))
    assert.is_true(assert(get("/echo", { method = "POST", body = text })).body == text)
    assert.is_true(assert(get("/echo", { method = "PUT", body = mapped })).body == text)
    assert.is_true(assert(get("/echo", { method = "PUT", body = mapped:slice(256, 512) })).body
      == text:sub(257, 768))
  end)

  it("uploads a large map, past an interim answer", function()
    local path = support.folder() .. "/big"
    local text = sys.random(256):rep(1 << 15)
    assert(fs.write(path, text))
    local mapped <close> = assert(map.open(path))
    local seen = {}
    local response = assert(get("/echo", { method = "PUT", body = mapped, timeout = 30,
      on_progress = function(done, total) seen[#seen + 1] = { done, total } end }))
    assert.is_true(response.body == text)
    assert.is_nil(response.headers["x-interim"])
    for _, pair in ipairs(seen) do assert.is_true(pair[1] <= #text and pair[2] <= #text) end
  end)

  it("states the length of an empty body", function()
    assert(get("/empty", { method = "POST" }))
    assert.is_truthy(heads("/empty")[1]:find("\r\nContent-Length: 0\r\n", 1, true))
    assert(get("/deleted", { method = "DELETE" }))
    assert.is_nil(heads("/deleted")[1]:find("Content-Length", 1, true))
  end)

  it("answers HEAD without a body", function()
    local response = assert(get("/200", { method = "HEAD" }))
    assert.equal(200, response.status)
    assert.equal("", response.body)
  end)

  it("leaves Content-Encoding alone", function()
    local response = assert(get("/gzip"))
    assert.equal("\x1f\x8bnot really", response.body)
    assert.equal("gzip", response.headers["content-encoding"])
  end)

  it("joins chunks and drops trailers", function()
    local response = assert(get("/chunked"))
    assert.equal("hello, world", response.body)
    assert.equal(12, response.size)
    assert.is_nil(response.headers["x-t"])
  end)

  it("gives the bytes of any status to a sink", function()
    for _, path in ipairs { "/hello", "/500" } do
      local pieces = {}
      local response = assert(get(path, { sink = function(piece)
        pieces[#pieces + 1] = piece
        return true
      end }))
      assert.is_nil(response.body)
      assert.equal(path, table.concat(pieces):match("/%w+$"))
    end
  end)

  it("returns what a sink that stopped said", function()
    assert.same({ nil, "no room", "disk_full" }, { get("/endless", { sink = function()
      return nil, "no room", "disk_full"
    end }) })
    assert(get("/hello"))
  end)

  it("raises what a sink raised, and works afterwards", function()
    local thing = {}
    local ok, message = pcall(get, "/endless", { sink = function() error(thing) end })
    assert.is_false(ok)
    assert.equal(thing, message)
    ok, message = pcall(get, "/drip", { on_progress = function() error("enough", 0) end })
    assert.is_false(ok)
    assert.equal("enough", message)
    assert.equal("/hello", assert(get("/hello")).body)
  end)

  it("refuses a request inside a request's callback", function()
    local ok, message = pcall(get, "/hello", { sink = function() return get("/other") end })
    assert.is_false(ok)
    assert.is_truthy(message:find("a request is made inside another's callback", 1, true))
  end)

  it("does not read a body whose owner was closed on the way", function()
    local path = support.folder() .. "/body"
    assert(fs.write(path, ("x"):rep(64 << 20)))
    local mapped = assert(map.open(path))
    local response, _, code = get("/echo", { method = "PUT", body = mapped, timeout = 20,
      on_progress = function() mapped:close() end })
    assert.is_nil(response)
    assert.equal("network", code)
  end)

  it("caps what it collects, and headers", function()
    local response, message, code = get("/endless", { max_bytes = 100000 })
    assert.is_nil(response)
    assert.equal("GET " .. base .. "/endless: the answer is larger than 100000 bytes", message)
    assert.equal("too_large", code)
    assert.equal("too_large", select(3, get("/hello", { max_bytes = 5 })))
    assert.equal("/hello", assert(get("/hello", { max_bytes = 6 })).body)
    assert.equal("too_large", select(3, get("/big-headers")))
    assert.equal("too_large", select(3, get("/endless", { max_bytes = 10,
      sink = function() return true end })))
  end)

  it("tells unreachable from broken after sending", function()
    local codes = {}
    local function fails(path, options)
      local response, message, code = get(path, options)
      assert.is_nil(response)
      assert.is_truthy(message:find("^GET http://%S+: %l"), message)
      codes[#codes + 1] = code
    end
    fails("/truncated")
    fails("/cut-chunked")
    fails("/drop")
    fails("/garbage")
    fails("", { url = "http://127.0.0.1:1/" })
    fails("", { url = "http://no-such-host.invalid/", allow_http = true })
    local n, u = "network", "unreachable"
    assert.same({ n, n, n, n, u, u }, codes)
  end)

  it("keeps the query out of its messages", function()
    local _, message = get("/drop?signature=secret")
    assert.is_nil(message:find("secret"))
  end)

  it("ends at the total and at the stall timeout", function()
    local seconds = took(function()
      local _, message, code = get("/stall", { stall_timeout = 0.3 })
      assert.equal("timeout", code)
      assert.is_truthy(message:find("no byte moved for 0.3 s", 1, true))
    end)
    assert.is_true(seconds < 1.5)
    seconds = took(function()
      assert.equal("timeout", select(3, get("/silent", { timeout = 0.3 })))
    end)
    assert.is_true(seconds < 1.5)
    -- A slow drip is not a stall: the total ends it.
    local got = 0
    assert.equal("timeout", select(3, get("/drip", { timeout = 0.6, stall_timeout = 0.3,
      sink = function(piece) got = got + #piece return true end })))
    assert.is_true(got >= 4)
  end)

  it("keeps connections, and sends what changes something only once", function()
    for _ = 1, 2 do assert(get("/keep")) end
    -- The server closes after its answer; a GET simply goes over a new connection.
    for _ = 1, 3 do assert.equal("once", assert(get("/once")).body) end
    -- A POST whose connection breaks is not sent again behind our back.
    assert.equal("network", select(3, get("/drop", { method = "POST", body = "claim" })))
    local posts = 0
    for _, head in ipairs(heads("/drop")) do
      if head:find("^POST") then posts = posts + 1 end
    end
    assert.equal(1, posts)
  end)

  it("follows no redirect unless told to, and then GET only", function()
    local response = assert(get("/to//hello"))
    assert.equal(302, response.status)
    assert.equal("/hello", response.headers.location)
    assert.equal("moved", response.body)
    response = assert(get("/to//hello", { redirects = 1 }))
    assert.equal(200, response.status)
    assert.equal("/hello", response.body)
    assert.is_nil(response.headers["x-hop"])
    assert.equal(base .. "/hello", response.url)
    response = assert(get("/to//to//hello", { redirects = 1 }))
    assert.equal(302, response.status, "the one over the limit is the result")
    response = assert(get("/to//hello", { method = "POST", body = "x", redirects = 5 }))
    assert.equal(302, response.status)
  end)

  it("leaves headers behind when a redirect goes elsewhere", function()
    local other <close>, other_port = start_wire()
    assert.is_truthy(other)
    assert(get("/to//same", { redirects = 1, headers = { "X-Signature: secret" } }))
    assert.is_truthy(heads("/same")[1]:find("X-Signature", 1, true))
    local away = ("http://127.0.0.1:%s/away"):format(other_port)
    assert(get("/to/" .. away, { redirects = 1, headers = { "X-Signature: secret" } }))
    local log = assert(http.request { url = ("http://127.0.0.1:%s/log"):format(other_port) }).body
    assert.is_truthy(log:find("/away", 1, true))
    assert.is_nil(log:find("secret", 1, true))
  end)

  it("speaks plain http to this machine only", function()
    for _, url in ipairs { "http://example.com/", "http://127.0.0.1.example.com/" } do
      local response, message, code = http.request { url = url }
      assert.is_nil(response)
      assert.equal("GET " .. url .. ": plain http only reaches this machine", message)
      assert.equal("insecure", code)
    end
    assert.equal("insecure", select(3, get("/to/http://example.com/x", { redirects = 1 })))
    assert.equal("unreachable", select(3, http.request { url = "http://localhost:1/" }))
    assert.equal("unreachable", select(3, http.request { url = "http://[::1]:1/" }))
  end)

  it("refuses URLs it cannot send as they are", function()
    for _, url in ipairs { "", "no url", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://",
      base .. "/a b", base .. "/\xe2\x82\xac", base .. "/\r\nX: y",
      "https://user:secret@example.com/" } do
      local response, message, code = http.request { url = url }
      assert.is_nil(response)
      assert.equal("config", code, url)
      assert.is_nil(message:find("secret", 1, true), message)
    end
  end)

  it("goes past a proxy to reach this machine", function()
    local script = support.folder() .. "/proxied.lua"
    assert(fs.write(script, ([[
      local response = assert(require("core.http").request { url = "%s/near" })
      print(response.body)]]):format(base)))
    local done = support.run({ support.bin, "run", script },
      { env = { http_proxy = "http://127.0.0.1:1", https_proxy = "http://127.0.0.1:1" } })
    assert.equal("/near\n", done.stdout, done.stderr)
  end)

  it("raises for misuse", function()
    assert.has_error(function() http.request {} end, "option 'url' is missing")
    assert.has_error(function() get("/", { method = "get" }) end,
      "option 'method' must be a word in capital letters")
    assert.has_error(function() get("/", { redirect = 1 }) end, "unknown option 'redirect'")
    assert.has_error(function() get("/", { headers = { "X: a\r\nY: b" } }) end,
      "option 'headers': not of the form 'Name: value'")
    assert.has_error(function() get("/", { headers = { "no colon" } }) end,
      "option 'headers': not of the form 'Name: value'")
    assert.has_error(function() get("/", { headers = { "content-length: 3" } }) end,
      "option 'headers': the body decides about its length")
    assert.has_error(function() get("/", { timeout = -1 }) end,
      "option 'timeout' must lie in 0..1e6")
    assert.has_error(function() get("/", { sink = 1 }) end, "option 'sink' must be a function")
    assert.equal("/fine", assert(get("/fine")).body)
  end)

  it("is stopped by Ctrl-C within a second, in a download and in a wait", function()
    for _, path in ipairs { "/endless", "/drip", "/silent" } do
      local child <close> = background(([[
        print("ready")
        io.stdout:flush()
        local sink = function() return true end
        local _, message, code = require("core.http").request {
          url = "%s", timeout = 0, stall_timeout = 0, sink = sink }
        return nil, message, code]]):format(base .. path))
      sys.sleep(0.3)
      local seconds = took(function()
        child:kill(2)
        assert.equal(130, child:wait(5).status)
      end)
      assert.is_true(seconds < 1, path)
    end
  end)
end)

describe("http.request over TLS", function()
  local folder, child, url

  setup(function()
    folder = support.folder()
    local done = support.run({ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
      "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder .. "/key", "-out",
      folder .. "/cert", "-days", "2", "-subj", "/CN=localhost", "-addext",
      "subjectAltName=DNS:localhost" })
    assert.equal(0, done.status, done.stderr)
    local tls_port
    child, tls_port = start_wire(folder .. "/cert", folder .. "/key")
    url = "https://localhost:" .. tls_port
  end)

  teardown(function() child:close() end)

  it("trusts a certificate that ca_file names", function()
    local response = assert(http.request { url = url .. "/safe", ca_file = folder .. "/cert" })
    assert.equal("/safe", response.body)
  end)

  it("refuses one that nobody vouches for, or for another name", function()
    local response, _, code = http.request { url = url .. "/x" }
    assert.is_nil(response)
    assert.equal("tls", code)
    local other = url:gsub("localhost", "127.0.0.1")
    assert.equal("tls", select(3, http.request { url = other, ca_file = folder .. "/cert" }))
    assert.equal("tls", select(3, http.request { url = url, ca_file = "/no/such/file" }))
  end)

  it("does not follow a redirect from https to http", function()
    local response, message, code = http.request {
      url = url .. "/to/" .. base .. "/hello", ca_file = folder .. "/cert", redirects = 3 }
    assert.is_nil(response)
    assert.is_truthy(message:find("a redirect away from https", 1, true))
    assert.equal("insecure", code)
  end)
end)

describe("http.request and nginx", function()
  local server, url, hash

  setup(function()
    server = nginx.start [[
      location = /moved { return 307 /big.bin; }
      location = /broken { return 502; }
      location = /slow.bin { alias $dir/www/big.bin; limit_rate 20k; }]]
    url = server.url
    local text = sys.random(256):rep(1 << 17)
    hash = sha256.hex(text)
    assert(fs.write(server.www .. "/big.bin", text))
  end)

  teardown(function() server.close() end)

  it("downloads 32 MiB through a sink, unchanged", function()
    local hasher = sha256.new()
    local response = assert(http.request { url = url .. "/big.bin", sink = function(piece)
      hasher:update(piece)
      return true
    end })
    assert.equal(32 << 20, response.size)
    assert.equal(hash, hasher:hex())
  end)

  it("names redirects, errors and missing files by their status", function()
    assert.equal(307, assert(http.request { url = url .. "/moved" }).status)
    assert.equal(404, assert(http.request { url = url .. "/none" }).status)
    local broken = assert(http.request { url = url .. "/broken" })
    assert.equal(502, broken.status)
    assert.is_truthy(broken.body:find("<html>", 1, true))
    assert.equal(32 << 20, assert(http.request { url = url .. "/moved", redirects = 1,
      sink = function() return true end }).size)
  end)

  it("stops a throttled download when the sink has enough", function()
    local response, _, code = http.request { url = url .. "/slow.bin", sink = function()
      return nil, "enough", "stopped"
    end }
    assert.is_nil(response)
    assert.equal("stopped", code)
  end)
end)
