-- core.httpd, judged by curl(1), Python's http.client and core.http in another process.
local fs = require "core.fs"
local httpd = require "core.httpd"
local json = require "bittern.json"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local lfs = require "lfs"
local support = require "tests.support"

local server, spool, told

local function url(path)
  return ("http://127.0.0.1:%d%s"):format(server:port(), path)
end

-- Runs a client while the server answers; its {status, stdout}.
local function serve(handler, argv)
  local out = support.folder() .. "/out"
  local child <close> = assert(process.spawn { argv = argv, stdout = out })
  local stop = sys.clock() + 20
  repeat
    assert(server:step(handler, 0.02))
    local done = child:wait(0)
  until done or sys.clock() > stop
  local done = assert(child:wait(0))
  assert(server:step(handler, 0.05)) -- the server's side of the end
  return { status = done.status, stdout = assert(fs.read(out)) }
end

local function curl(handler, ...)
  return serve(handler, { "curl", "-sS", "--path-as-is", "-g", ... })
end

-- Names in the spool folder.
local function spooled()
  local names = {}
  for name in lfs.dir(spool) do
    if not name:find("^%.%.?$") then names[#names + 1] = name end
  end
  return names
end

local function echo(request)
  return { headers = { ["Content-Type"] = "application/json" }, body = json.encode(request) }
end

local function write_big(size)
  local path = support.folder() .. "/big"
  local text = sys.random(256):rep(size // 256)
  assert(fs.write(path, text))
  return path, text
end

before_each(function()
  spool, told = support.folder(), {}
  server = assert(httpd.listen {
    spool = spool, max_body = 100000, max_spool = 5000000,
    on_error = function(message) told[#told + 1] = message end,
  })
end)

after_each(function() server:close() end)

describe("httpd", function()
  it("hands over the request as it was sent", function()
    local done = curl(echo, url("/a/../%2f%7E;x/?q=%20+&b=[]"), "-X", "PATCH", "--data-binary",
      "body\n", "-H", "X-Hotkey: 5abc", "-H", "X-Two: a", "-H", "x-two: b")
    local request = assert(json.decode(done.stdout))
    assert.equal("PATCH", request.method)
    assert.equal("/a/../%2f%7E;x/", request.path)
    assert.equal("q=%20+&b=[]", request.query)
    assert.equal("body\n", request.body)
    assert.equal(5, request.size)
    assert.equal("5abc", request.headers["x-hotkey"])
    assert.equal("a, b", request.headers["x-two"])
    assert.equal("", json.decode(curl(echo, url("/")).stdout).query)
  end)

  it("keeps every byte of a body", function()
    local path, text = write_big(99840)
    local seen
    local done = curl(function(request)
      seen = request.body
      return { body = request.body }
    end, url("/"), "--data-binary", "@" .. path)
    assert.is_true(seen == text and done.stdout == text)
  end)

  it("sends status, headers and a body, and its own date", function()
    local done = curl(function()
      return { status = 422, headers = { ["Content-Type"] = "application/json", ["X-N"] = 1 },
        body = '{"detail":[]}' }
    end, url("/"), "-i")
    assert.is_truthy(done.stdout:find("^HTTP/1.1 422 "))
    assert.is_truthy(done.stdout:find("\r\nContent%-Type: application/json\r\n"))
    assert.is_truthy(done.stdout:find("\r\nX%-N: 1\r\n"))
    assert.is_truthy(done.stdout:find("\r\nDate: %a+, %d+ %a+ %d+ %d%d:%d%d:%d%d GMT\r\n"))
    assert.is_truthy(done.stdout:find('\r\n\r\n{"detail":[]}', 1, true))
  end)

  it("answers HEAD with the length and no body", function()
    local method
    local done = curl(function(request)
      method = request.method
      return { body = "12345" }
    end, url("/"), "-I")
    assert.equal("HEAD", method)
    assert.is_truthy(done.stdout:find("\r\nContent-Length: 5\r\n", 1, true))
    assert.is_nil(done.stdout:find("12345", 1, true))
  end)

  it("answers several requests of one connection", function()
    local count = 0
    local done = curl(function()
      count = count + 1
      return { body = count .. "\n" }
    end, url("/a"), url("/b"), url("/c"), "-w", "%{num_connects} ")
    assert.equal(3, count)
    assert.equal("1\n1 2\n0 3\n0 ", done.stdout)
  end)

  it("sends files", function()
    local path, text = write_big(8 << 20)
    local done = curl(function() return { file = path } end, url("/"))
    assert.equal(sha256.hex(text), sha256.hex(done.stdout))
    local empty = support.folder() .. "/empty"
    assert(fs.write(empty, ""))
    assert.equal(0, curl(function() return { file = empty } end, url("/"), "-f").status)
  end)

  it("spools a large body to a private file that is gone afterwards", function()
    local path, text = write_big(4 << 20)
    local seen
    local done = curl(function(request)
      assert(request.body == nil and request.size == #text)
      local mode = fs.stat(request.body_path).mode
      seen = { hash = sha256.hex(fs.read(request.body_path)), mode = mode,
        within = request.body_path:sub(1, #spool) == spool }
      return { body = "stored" }
    end, url("/files/x"), "-T", path)
    assert.equal("stored", done.stdout)
    assert.same({ hash = sha256.hex(text), mode = tonumber("600", 8), within = true }, seen)
    assert.same({}, spooled())
  end)

  it("lets a handler keep a spooled body by moving it", function()
    local path, text = write_big(1 << 20)
    local kept = support.folder() .. "/kept"
    curl(function(request)
      assert(fs.rename(request.body_path, kept))
      return {}
    end, url("/"), "-T", path)
    assert.is_true(fs.read(kept) == text)
  end)

  it("refuses bodies over the limit with 413, announced or not", function()
    local path = write_big(6 << 20)
    local function never() error("the handler ran") end
    local done = curl(never, url("/"), "-T", path, "-w", "%{http_code}")
    assert.equal("the body is too large\n413", done.stdout)
    done = curl(never, url("/"), "-T", path, "-H", "Expect:", "-w", "%{http_code}")
    assert.equal("413", done.stdout:match("%d+$"))
    done = curl(never, url("/"), "-T", path, "-H", "Transfer-Encoding: chunked",
      "-w", "%{http_code}")
    assert.equal("the body is too large\n413", done.stdout)
    assert.same({}, told)
    assert.same({}, spooled())
    assert.equal("fine", curl(function() return { body = "fine" } end, url("/")).stdout)
  end)

  it("has no spool unless it is given one", function()
    server:close()
    server = assert(httpd.listen { max_body = 1000 })
    local path = write_big(1280)
    local done = curl(echo, url("/"), "-T", path, "-w", "%{http_code}")
    assert.equal("413", done.stdout:match("%d+$"))
  end)

  it("says 507 when the spool takes no bytes", function()
    server:close()
    server = assert(httpd.listen { max_body = 1000, spool = spool .. "/missing" })
    local path = write_big(2048)
    local done = curl(echo, url("/"), "-T", path, "-w", "%{http_code}")
    assert.equal("no room for the body\n507", done.stdout)
  end)

  it("answers 500 for a handler's error, tells it, and goes on", function()
    local done = curl(function() error("out of ideas", 0) end, url("/"), "-w", "%{http_code}")
    assert.equal("the handler failed\n500", done.stdout)
    curl(function() return nil end, url("/"))
    curl(function() return { stats = 200 } end, url("/"))
    curl(function() return { status = 99 } end, url("/"))
    curl(function() return { file = "/no/such/file" } end, url("/"))
    curl(function() return { file = spool } end, url("/"))
    curl(function() return { headers = { ["X-A"] = "b\r\nX-C: d" } } end, url("/"))
    assert.same({
      "out of ideas", "the handler returned no response", "unknown option 'stats'",
      "option 'status' must lie in 200..599", "response: /no/such/file: No such file or directory",
      "response: " .. spool .. ": not a file that can be sent",
      "response: header 'X-A' cannot be sent",
    }, told)
    assert.equal("fine", curl(function() return { body = "fine" } end, url("/")).stdout)
  end)

  it("returns a handler's error from step when nobody else is told", function()
    server:close()
    server = assert(httpd.listen {})
    local child <close> = assert(process.spawn { argv = { "curl", "-sS", url("/") } })
    local good, message, code = server:step(function() error("lost", 0) end, 10)
    assert.same({ nil, "lost", "script" }, { good, message, code })
    assert.equal(0, child:wait(5).status)
  end)

  it("survives clients that break off, send nonsense or too many headers", function()
    local source = [[
import socket, sys
port = int(sys.argv[1])
def send(data, answer=True):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(data)
        return s.recv(100) if answer else b""
send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npart", False)
send(b"GE", False)
print(send(b"\x16\x03\x01nonsense\r\n\r\n")[9:12])
print(send(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 200 + b"\r\n")[9:12])
print(send(b"GET /ok HTTP/1.1\r\nHost: x\r\n\r\n")[9:12])]]
    local paths = {}
    local done = serve(function(request)
      paths[#paths + 1] = request.path
      return {}
    end, { "/usr/bin/python3", "-c", source, tostring(server:port()) })
    assert.equal(0, done.status)
    assert.equal("b'431'\nb'200'\n", done.stdout:match("[^\n]*\n(.*)$"))
    assert.same({ "/ok" }, paths)
    assert.same({}, told)
  end)

  it("cannot be stepped or closed from its own handler", function()
    curl(function() return server:step(echo, 1) end, url("/"))
    curl(function() return server:close() end, url("/"))
    assert.equal(2, #told)
    assert.is_truthy(told[1]:find("a handler steps its own server", 1, true))
    assert.is_truthy(told[2]:find("a handler closes its own server", 1, true))
  end)

  it("speaks with core.http in another process", function()
    local path, text = write_big(2 << 20)
    local script = support.folder() .. "/client.lua"
    assert(fs.write(script, [[
      local base, path = ...
      local http, map = require "core.http", require "core.map"
      local body <close> = assert(map.open(path))
      local put = assert(http.request { method = "PUT", url = base .. "/files/a%20b", body = body })
      local hasher = require("core.sha256").new()
      local got = assert(http.request { url = base .. "/files/a%20b", sink = function(piece)
        hasher:update(piece)
        return true
      end })
      print(put.status, got.status, got.size, hasher:hex())]]))
    local kept = support.folder() .. "/kept"
    local done = serve(function(request)
      assert(request.path == "/files/a%20b", request.path)
      if request.method ~= "PUT" then return { file = kept } end
      assert(fs.rename(request.body_path, kept))
      return { status = 201 }
    end, { support.bin, "run", script, url(""), path })
    assert.equal(("201\t200\t%d\t%s\n"):format(#text, sha256.hex(text)), done.stdout)
  end)

  it("steps for as long as it was told", function()
    local started = sys.clock()
    assert(server:step(echo, 0.25))
    local seconds = sys.clock() - started
    assert.is_true(seconds >= 0.25 and seconds < 0.6)
  end)

  it("sends part of a file", function()
    local path = support.folder() .. "/part"
    assert(fs.write(path, "0123456789"))
    local function part(offset, size)
      return curl(function()
        return { file = path, offset = offset, size = size, status = 206 }
      end, url("/")).stdout
    end
    assert.same({ "345", "789", "", "0123456789" }, { part(3, 3), part(7, nil), part(10, 5),
      part(nil, 1000) })
    assert.equal("the handler failed\n", part(11, 1))
    assert.matches("not a file that can be sent", told[1])
  end)

  it("breaks off, tells no length, crawls or says nothing, where it is asked to", function()
    local function answered(response, ...)
      local done = curl(function() return response end, "-i", url("/"), ...)
      return { done.status, done.stdout:match("\r\n\r\n(.*)$"),
        done.stdout:lower():match("content%-length: (%d+)") }
    end
    local partial, empty = 18, 52 -- curl's words
    assert.same({ partial, "012", "10" }, answered { body = "0123456789", cut = 3 })
    assert.same({ 0, "0123456789", "10" }, answered { body = "0123456789", cut = 11 })
    assert.same({ 0, "0123456789" }, answered { body = "0123456789", chunked = true })
    assert.equal(partial, answered({ body = "0123456789", chunked = true, cut = 3 })[1])
    assert.same({ 0, "0123", "4" }, answered { body = "0123", pace = 0.001 })
    assert.same({ 0, "", "0" }, answered { body = "", pace = 0.001 })
    assert.same({ empty }, answered { body = "0123", drop = true })
    assert.equal("the handler failed\n", answered({ body = "x", pace = -1 })[2])
  end)

  it("listens where it is told, or says why not", function()
    local taken, message = httpd.listen { port = server:port() }
    assert.is_nil(taken)
    assert.equal(("127.0.0.1 port %d: Address already in use"):format(server:port()), message)
    assert.equal("config", select(3, httpd.listen { host = "example.com" }))
    assert.has_error(function() httpd.listen { ports = 1 } end, "unknown option 'ports'")
    local addresses = support.python [[
import re
for line in open("/proc/net/tcp"):
    print(line.split()[1])]]
    assert.is_truthy(addresses:find(("0100007F:%04X"):format(server:port()), 1, true))
  end)

  it("may be closed twice", function()
    server:close()
    server:close()
    assert.equal("server (closed)", tostring(server))
    assert.has_error(function() server:port() end)
  end)

  it("stops for Ctrl-C within a second", function()
    local script = support.folder() .. "/server.lua"
    assert(fs.write(script, [[
      local server = assert(require("core.httpd").listen {})
      print(server:port())
      io.stdout:flush()
      return server:step(function() while true do end end, 1e6)]]))
    -- ThreadSanitizer keeps signals back until the next call of the system: never, here.
    for _, busy in ipairs(os.getenv "TSAN_OPTIONS" and { false } or { false, true }) do
      local child <close> = assert(process.spawn {
        argv = { support.bin, "run", script }, stdout = "pipe", stderr = "null" })
      local address = "http://127.0.0.1:" .. child:read_line(10)
      local client <close> = busy and assert(process.spawn {
        argv = { "curl", "-s", address } }) or nil
      sys.sleep(0.3)
      local started = sys.clock()
      child:kill(2)
      assert.equal(130, child:wait(5).status)
      assert.is_true(sys.clock() - started < 1)
      if busy then assert.equal(52, client:wait(5).status, "an empty reply") end
    end
  end)
end)
