-- All network by way of a real proxy (tinyproxy) that wants a password. Plain http and this
-- machine's own names go past it, so the server is reached by an address that is neither.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"
local http = require "core.http"
local nginx = require "tests.nginx"
local support = require "tests.support"

local CONFIG <const> = [[
Port %s
Listen 127.0.0.1
Timeout 20
MaxClients 20
LogFile "%s/log"
LogLevel Info
BasicAuth me canary
ConnectPort %s
]]

describe("a proxy of the environment", function()
  local server, child, folder, port, text

  setup(function()
    local ssl, cert = nginx.certificate "IP:0.0.0.0"
    server = nginx.start("} server { listen 127.0.0.1:$tls ssl; root $dir/www; " .. ssl)
    server.cert, folder, port = cert, support.folder(), nginx.free_port()
    text = sys.random(256):rep(20000)
    assert(fs.write(server.www .. "/f", text))
    assert(fs.write(folder .. "/conf", CONFIG:format(port, folder, server.tls)))
    child = assert(process.spawn { argv = { "/usr/bin/tinyproxy", "-d", "-c", folder .. "/conf" },
      stdout = "null", stderr = "null" })
    for _ = 1, 100 do
      if fs.stat(folder .. "/log") and http.request { url = "http://127.0.0.1:" .. port } then
        break
      end
      sys.sleep(0.05)
    end
  end)

  teardown(function()
    child:close()
    server.close()
  end)

  local function proxy(user, tail)
    return ("http://%s@127.0.0.1:%s"):format(user, tail or port)
  end

  local function connections()
    return select(2, fs.read(folder .. "/log"):gsub("CONNECT 0%.0%.0%.0", ""))
  end

  -- A download under these variables: its result, its folder, and how often the proxy was used.
  local function get(env, url)
    local home = support.folder()
    local before = connections()
    local done = support.bittern(home, { "download", url or
      ("https://0.0.0.0:%s/f"):format(server.tls), "--to", home .. "/f", "--parallel", "3",
      "--cacert", server.cert }, { env = env })
    assert.is_nil((done.stdout .. done.stderr):find("canary", 1, true), done.stderr)
    return done, home, connections() - before
  end

  for _, name in ipairs { "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy" } do
    it("is used as " .. name, function()
      local done, home, uses = get { [name] = proxy "me:canary" }
      assert.equal(0, done.status, done.stderr)
      assert.equal(text, fs.read(home .. "/f"))
      assert.is_true(uses >= 2) -- HEAD, and the parts
    end)
  end

  it("is left out for what NO_PROXY names, and for this machine", function()
    local done, home, uses = get { HTTPS_PROXY = proxy "me:canary", NO_PROXY = "x,0.0.0.0" }
    assert.same({ 0, 0 }, { done.status, uses }, done.stderr)
    assert.equal(text, fs.read(home .. "/f"))
    done, home, uses = get({ ALL_PROXY = proxy "me:canary", http_proxy = proxy "me:canary" },
      server.url .. "/f")
    assert.same({ 0, 0 }, { done.status, uses }, done.stderr)
    assert.equal(text, fs.read(home .. "/f"))
  end)

  it("says at once that it refuses the password, or the port", function()
    local done = get { HTTPS_PROXY = proxy "me:canary2" }
    assert.equal(6, done.status)
    assert.matches("response 40[17]", done.stderr)
    assert.matches("the proxy refuses: check HTTPS_PROXY", done.stderr)
    assert.is_nil(done.stderr:find("again in", 1, true))
    done = get({ HTTPS_PROXY = proxy "me:canary" }, "https://0.0.0.0:1/f")
    assert.equal(6, done.status)
    assert.matches("response 403", done.stderr)
  end)

  it("is not named with its password when its address is wrong", function()
    for _, address in ipairs { proxy("me:canary", 99999), proxy "me:can ary", "foo://me:canary@x",
      "http://me:canary@[x", "http://me:canary" } do
      local done = get { HTTPS_PROXY = address }
      assert.equal(3, done.status, address .. ": " .. done.stderr)
      assert.matches("HTTPS_PROXY or ALL_PROXY is not of the form", done.stderr)
    end
  end)
end)
