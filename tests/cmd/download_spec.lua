-- bittern download as users meet it: nginx for plain URLs, a small hub for repositories.
local fs = require "core.fs"
local http = require "core.http"
local httpd = require "core.httpd"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local json = require "bittern.json"
local nginx = require "tests.nginx"
local support = require "tests.support"

local function run(home, argv, options)
  return support.bittern(home, { "download", table.unpack(argv) }, options)
end

describe("bittern download", function()
  local server, text, hash

  setup(function()
    server = nginx.start [[ location /slow/ { alias $dir/www/; limit_rate 1m; } ]]
    text = sys.random(256):rep(40000)
    hash = sha256.hex(text)
    assert(fs.write(server.www .. "/model file.bin", text))
  end)

  teardown(function() server.close() end)

  it("gives the path on stdout and the hash to people", function()
    local home = support.folder()
    local result = run(home, { server.url .. "/model%20file.bin", "--to", home .. "/" })
    assert.equal(0, result.status, result.stderr)
    assert.equal(home .. "/model file.bin\n", result.stdout)
    assert.matches(hash .. " (nobody said what it must be)", result.stderr, 1, true)
    assert.equal(text, fs.read(home .. "/model file.bin"))
  end)

  it("tells JSON", function()
    local home = support.folder()
    local result = support.bittern(home, { "--json", "download", server.url .. "/model%20file.bin",
      "--to", home .. "/x", "--sha256", hash })
    local data = assert(json.decode(result.stdout))
    assert.same({ files = { { path = home .. "/x", size = #text, sha256 = hash, resumed = 0,
      verified = true, url = server.url .. "/model%20file.bin" } } }, data)
  end)

  it("does nothing twice, and replaces nothing", function()
    local home = support.folder()
    local argv = { server.url .. "/model%20file.bin", "--to", home .. "/x", "--sha256", hash }
    assert.equal(0, run(home, argv).status)
    local again = run(home, argv)
    assert.equal(0, again.status)
    assert.matches("is there already", again.stderr)
    assert(fs.write(home .. "/x", "mine"))
    local refused = run(home, argv)
    assert.equal(2, refused.status)
    assert.equal("mine", fs.read(home .. "/x"))
    -- Nobody says what the bytes must be: still the user's to remove.
    local unknown = run(home, { server.url .. "/model%20file.bin", "--to", home .. "/x" })
    assert.equal(2, unknown.status)
    assert.matches("something is there already", unknown.stderr)
    assert.equal("mine", fs.read(home .. "/x"))
  end)

  it("refuses another hash with exit 12, and wrong words with exit 2", function()
    local home = support.folder()
    local url = server.url .. "/model%20file.bin"
    assert.equal(12, run(home, { url, "--to", home .. "/x", "--sha256", ("0"):rep(64) }).status)
    assert.equal(2, run(home, { url, "--sha256", "beef" }).status)
    assert.equal(2, run(home, { url, "--limit-rate", "fast" }).status)
    assert.equal(2, run(home, { "hf:nonsense" }).status)
    assert.equal(3, run(home, { "ftp://127.0.0.1/x" }).status)
    assert.equal(7, run(home, { server.url .. "/none" }).status)
    assert.equal(7, run(home, { server.url .. "/none", "--to", "/" }).status)
    assert.equal(2, run(home, { "hf:o/.." }).status)
    assert.equal(6, support.bittern(home, { "--offline", "download", url }).status)
  end)

  it("says what a source is when a word is none", function()
    local wrong = run(support.folder(), { "Qwen/Qwen3-0.6B" })
    assert.same({ 2, "bittern: Qwen/Qwen3-0.6B: is no URL, and no hf:owner/repo\n"
      .. "  next: see `bittern download --help`\n" }, { wrong.status, wrong.stderr })
  end)

  it("needs far less memory than the file has bytes", function()
    local home, file <close> = support.folder(), assert(fs.part(server.www .. "/large"))
    assert(file:truncate(256 << 20)) -- a hole
    assert(file:commit())
    local status, _, peak = support.cost(home, { "--quiet", "download", server.url .. "/large",
      "--to", home .. "/large" })
    assert.equal(0, status)
    assert.equal(256 << 20, fs.stat(home .. "/large").size)
    assert.is_true(peak < 64 << 20, peak .. " bytes")
    fs.remove(home .. "/large")
  end)

  -- Interrupts a download `seconds` after `is_there` says that it has begun.
  local function interrupt(home, url, seconds, is_there)
    local child <close> = assert(process.spawn { argv = { support.bin, "download", url, "--to",
      home .. "/x", "--parallel", "2" }, stdout = "null", stderr = home .. "/stderr",
      env = support.environment(home) })
    for _ = 1, 200 do
      if is_there() then break end
      sys.sleep(0.05)
    end
    sys.sleep(seconds)
    child:kill(2)
    assert.equal(130, assert(child:wait(10)).status)
    assert.is_nil(fs.stat(home .. "/x"))
    assert.matches("interrupted", fs.read(home .. "/stderr"))
  end

  it("is interrupted by Ctrl-C while bytes come, and the same command goes on", function()
    local home, url = support.folder(), server.url .. "/slow/model%20file.bin"
    interrupt(home, url, 0.3, function() return fs.stat(home .. "/x.ranges.part") end)
    local result = run(home, { "--parallel", "32", url, "--to", home .. "/x" })
    assert.equal(0, result.status, result.stderr)
    assert.equal(text, fs.read(home .. "/x"))
  end)

  it("is interrupted while it waits for the first answer", function()
    local home, mute <close> = support.folder(), assert(httpd.listen {}) -- nobody steps it
    interrupt(home, ("http://127.0.0.1:%d/x"):format(mute:port()), 0.3, function() return true end)
    assert.is_nil(fs.stat(home .. "/x.part"))
  end)

  it("is interrupted in the last check, and the same command needs no more bytes", function()
    local home, bytes = support.folder(), 1 << 30
    local function hole(path)
      local file <close> = assert(fs.part(path))
      assert(file:truncate(bytes))
      assert(file:commit())
    end
    hole(server.www .. "/hole")
    hole(home .. "/x.part")
    local etag = assert(http.request { url = server.url .. "/hole", method = "HEAD" }).headers.etag
    assert(fs.write(home .. "/x.ranges.part", json.encode { url = server.url .. "/hole",
      size = bytes, etag = etag, missing = json.array {} }))
    interrupt(home, server.url .. "/hole", 0.2, function() return true end)
    assert.equal(bytes, fs.stat(home .. "/x.part").size)
    fs.remove(server.www .. "/hole")
    local state = assert(json.decode(fs.read(home .. "/x.ranges.part")))
    assert.same({ etag, 0 }, { state.etag, #state.missing })
  end)
end)

describe("bittern download over TLS", function()
  local server, port

  setup(function()
    local ssl, cert = nginx.certificate "DNS:localhost"
    server = nginx.start(([[ } server { listen 127.0.0.1:$tls ssl http2; root $dir/www;
      %s
      location = /version { return 200 $server_protocol; }
      location = /on { if ($request_method = GET) { return 302 /f; } alias $dir/www/f; }
      location = /get { if ($request_method = GET) { return 302 http://127.0.0.1:$port/f; }
        alias $dir/www/f; }
      location = /down { return 302 http://127.0.0.1:$port/f; } ]]):format(ssl))
    port, server.cert = server.tls, cert
    assert(fs.write(server.www .. "/f", ("tls"):rep(1000000)))
  end)

  teardown(function() server.close() end)

  local function get(path, ...)
    local home = support.folder()
    return support.bittern(home, { "download", ("https://localhost:%s%s"):format(port, path),
      "--to", home .. "/f", ... }), home
  end

  it("trusts the authorities that --cacert names, and no others", function()
    local good, home = get("/f", "--cacert", server.cert)
    assert.equal(0, good.status, good.stderr)
    assert.equal(("tls"):rep(1000000), fs.read(home .. "/f"))
    local bad = get("/f")
    assert.equal(6, bad.status)
    assert.matches("certificate", bad.stderr)
  end)

  it("speaks HTTP/2 where it is offered, and HTTP/1.1 where that is asked for", function()
    local url = ("https://localhost:%s/version"):format(port)
    assert.equal("HTTP/2.0", assert(http.request { url = url, ca_file = server.cert }).body)
    assert.equal("HTTP/1.1", assert(http.request { url = url, ca_file = server.cert,
      http2 = false }).body)
  end)

  it("does not leave https", function()
    local result, home = get("/down", "--cacert", server.cert)
    assert.equal(3, result.status)
    assert.matches("a redirect away from https", result.stderr)
    assert.is_nil(fs.stat(home .. "/f"))
    result = get("/get", "--cacert", server.cert)
    assert.equal(3, result.status)
    assert.matches("/get: a redirect away from https", result.stderr)
  end)

  it("follows a GET that is sent on where HEAD was not", function()
    local result, home = get("/on", "--cacert", server.cert)
    assert.equal(0, result.status, result.stderr)
    assert.equal(("tls"):rep(1000000), fs.read(home .. "/f"))
  end)
end)

describe("bittern download hf:", function()
  local COMMIT <const> = ("c0ffee12"):rep(5)
  local TREE <const> = {
    { type = "directory", path = "sub" },
    { type = "file", path = "config.json", size = 2, oid = "aa" },
    { type = "file", path = "sub/w.bin", size = 5, oid = "bb" },
  }

  -- What a hub answers: the tree in two pages, files behind a redirect to another port.
  local function hub(request, store_url, seen)
    seen[#seen + 1] = request.path .. " " .. tostring(request.headers.authorization)
    if request.path == "/api/models/o/r/revision/main" then
      return { status = 200, body = json.encode { sha = COMMIT } }
    end
    if request.path == "/api/models/o/r/tree/" .. COMMIT then
      if request.query == "recursive=true" then
        return { status = 200, body = json.encode(json.array { TREE[1], TREE[2] }),
          headers = {
            Link = ('</api/models/o/r/tree/%s?recursive=true&cursor=x>; rel="next"')
            :format(COMMIT) } }
      end
      local weights = { type = "file", path = "sub/w.bin", size = 5, oid = "bb",
        lfs = { oid = sha256.hex("01234"), size = 5 } }
      return { status = 200, body = json.encode(json.array { weights }) }
    end
    if request.path == "/o/r/resolve/" .. COMMIT .. "/sub/w.bin" then
      return { status = 302, headers = { Location = store_url .. "/w?Signature=s",
        ["X-Linked-Etag"] = '"' .. sha256.hex("01234") .. '"', ["X-Linked-Size"] = "5" } }
    end
    if request.path == "/o/r/resolve/" .. COMMIT .. "/config.json" then
      return { status = 200, body = "{}", headers = { ["Accept-Ranges"] = "none" } }
    end
    return { status = 404, body = "{}" }
  end

  -- Runs the command while this process serves.
  local function with_hub(argv, env, folder)
    local front <close> = assert(httpd.listen {})
    local store <close> = assert(httpd.listen {})
    local home = folder or support.folder()
    local seen, stored = {}, {}
    local all = { HOME = home, PATH = os.getenv("PATH"),
      HF_ENDPOINT = "http://127.0.0.1:" .. front:port() }
    for key, value in pairs(env or {}) do all[key] = value end
    local child <close> = assert(process.spawn { argv = { support.bin, table.unpack(argv) },
      cwd = home, env = all, stdout = home .. "/out", stderr = home .. "/err" })
    local done
    for _ = 1, 2000 do
      front:step(function(request)
        return hub(request, "http://127.0.0.1:" .. store:port(), seen)
      end, 0.005)
      store:step(function(request)
        stored[#stored + 1] = tostring(request.headers.authorization)
        local first, last = (request.headers.range or ""):match("(%d+)-(%d+)")
        if not first then return { status = 403 } end
        return { status = 206, body = ("01234"):sub(first + 1, last + 1),
          headers = { ["Content-Range"] = ("bytes %s-%s/5"):format(first, last) } }
      end, 0.005)
      done = child:wait(0)
      if done then break end
    end
    return assert(done, "it does not end"), home, seen, stored
  end

  it("fetches a repository, with the token for the hub alone", function()
    local done, home, seen, stored = with_hub({ "download", "hf:o/r" }, { HF_TOKEN = "hf_secret" })
    assert.equal(0, done.status, fs.read(home .. "/err"))
    assert.equal("{}", fs.read(home .. "/r/config.json"))
    assert.equal("01234", fs.read(home .. "/r/sub/w.bin"))
    assert.is_true(#seen > 0 and #stored > 0)
    for _, line in ipairs(seen) do assert.matches("Bearer hf_secret", line, 1, true) end
    for _, line in ipairs(stored) do assert.equal("nil", line) end
    assert.is_nil((fs.read(home .. "/out") .. fs.read(home .. "/err")):find("hf_secret", 1, true))
  end)

  it("asks for the files of one commit, whatever is pushed in the meantime", function()
    local done, home, seen = with_hub { "download", "hf:o/r@main" }
    assert.equal(0, done.status, fs.read(home .. "/err"))
    assert.matches("hf:o/r@main is commit " .. COMMIT, fs.read(home .. "/err"), 1, true)
    for i, line in ipairs(seen) do
      assert.equal(i == 1, line:find("/main", 1, true) ~= nil, line)
    end
    -- A commit is taken at its word.
    done, home, seen = with_hub { "download", "hf:o/r@" .. COMMIT .. ":config.json" }
    assert.equal(0, done.status, fs.read(home .. "/err"))
    assert.matches("/tree/" .. COMMIT, seen[1], 1, true)
  end)

  it("leaves what is there of a repository", function()
    local home = support.folder()
    assert(fs.mkdir(home .. "/r"))
    assert(fs.write(home .. "/r/config.json", "[]")) -- of the listed size, without a stated hash
    local done = with_hub({ "download", "hf:o/r" }, { HOME = home }, home)
    assert.equal(0, done.status, fs.read(home .. "/err"))
    assert.equal("[]", fs.read(home .. "/r/config.json"))
    assert.equal("01234", fs.read(home .. "/r/sub/w.bin"))
    assert.matches("of that size is there already", fs.read(home .. "/err"))
    assert(fs.write(home .. "/r/config.json", "longer"))
    assert.equal(2, (with_hub({ "download", "hf:o/r" }, { HOME = home }, home)).status)
    assert.equal("longer", fs.read(home .. "/r/config.json"))
  end)

  it("fetches one folder or file of it", function()
    local done, home = with_hub { "download", "hf:o/r@main:sub", "--to", "here" }
    assert.equal(0, done.status, fs.read(home .. "/err"))
    assert.equal("01234", fs.read(home .. "/here/sub/w.bin"))
    assert.is_nil(fs.stat(home .. "/here/config.json"))
    assert.equal(7, (with_hub { "download", "hf:o/r:none" }).status)
    assert.equal(7, (with_hub { "download", "hf:o/none" }).status)
  end)

  it("lists without downloading", function()
    local done, home = with_hub { "download", "--dry-run", "hf:o/r" }
    assert.equal(0, done.status)
    assert.matches("r/sub/w.bin +5", fs.read(home .. "/out"))
    assert.is_nil(fs.stat(home .. "/r"))
  end)

  it("asks nothing when the hub is to be left alone", function()
    local done, _, seen = with_hub({ "download", "hf:o/r" }, { HF_HUB_OFFLINE = "1" })
    assert.equal(6, done.status)
    assert.same({}, seen)
  end)
end)
