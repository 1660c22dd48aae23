-- bittern publish against real and small servers: whatever the way, the URL must give the bytes.
local fs = require "core.fs"
local http = require "core.http"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local hub_server = require "tests.hub_server"
local json = require "bittern.json"
local nginx = require "tests.nginx"
local publishing = require "bittern.publishing"
local s3_server = require "tests.s3_server"
local serving = require "tests.serving"
local support = require "tests.support"

local MIB <const> = 1 << 20

-- A file to publish in a home of its own.
local function artifact(size)
  local home = support.folder()
  local bytes = sys.random(256):rep(size // 256 + 1):sub(1, size)
  assert(fs.write(home .. "/a.zip", bytes))
  return { home = home, path = home .. "/a.zip", bytes = bytes, sha256 = sha256.hex(bytes) }
end

local function publish(file, to, servers, options)
  local argv = { "publish", file.path, "--to", to }
  if options.measured then -- its peak of memory is the last word of stdout then
    argv = { "run", support.root .. "/tests/fixtures/peak.lua", support.bin, table.unpack(argv) }
  end
  for _, set in ipairs(options.set or {}) do
    argv[#argv + 1] = "--set"
    argv[#argv + 1] = set
  end
  return serving.bittern(argv, servers, { home = file.home, env = options.env,
    kill_when = options.kill_when })
end

describe("the proof of a URL", function()
  it("uses a connection of its own", function()
    local server = nginx.start [[ location = /c { return 200 $connection; } ]]
    local function connection(fresh)
      return assert(http.request { url = server.url .. "/c", fresh = fresh }).body
    end
    local first = connection(false)
    assert.equal(first, connection(false))
    assert.is_not.equal(first, connection(true))
    server.close()
  end)

  it("refuses an encoding that nobody asked for", function()
    local server = nginx.start [[ location / { add_header Content-Encoding gzip; } ]]
    assert(fs.write(server.www .. "/f", "bytes"))
    local _, message, code = publishing.prove(server.url .. "/f",
      { size = 5, sha256 = sha256.hex("bytes") })
    assert.equal("encoded", code)
    assert.matches("sends the file encoded (gzip)", message, 1, true)
    server.close()
  end)
end)

describe("publisher directory", function()
  it("copies into a served folder and proves the URL", function()
    local server = nginx.start()
    local file = artifact(3 * MIB)
    local result = publish(file, "directory", {}, { set = { "folder=" .. server.www,
      "url=" .. server.url .. "/" } })
    assert.equal(0, result.status, result.stderr)
    assert.equal(("%s/%s.zip\n"):format(server.url, file.sha256), result.stdout)
    local missing = publish(file, "directory", {}, { set = { "folder=" .. server.www,
      "url=" .. server.url .. "/elsewhere" } })
    assert.equal(7, missing.status)
    server.close()
  end)

  it("takes its arguments from the environment, too", function()
    local file = artifact(10)
    local result = publish(file, "directory", {},
      { env = { BITTERN_DIRECTORY_FOLDER = file.home } })
    assert.equal(2, result.status)
    assert.matches("url=URL", result.stderr)
    assert.equal(2, publish(file, "directory", {}, { set = { "foldr=x" } }).status)
    assert.matches("did you mean 'folder'", publish(file, "directory", {},
      { set = { "foldr=x" } }).stderr)
  end)
end)

describe("publisher command", function()
  local function program(file, text)
    local path = file.home .. "/up"
    assert(fs.write(path, "#!/bin/sh\n" .. text, { mode = 448 }))
    return { set = { "run=" .. path } }
  end

  it("takes the URL that a program prints", function()
    local server = nginx.start()
    local file = artifact(1000)
    local result = publish(file, "command", {}, program(file, ([[
      cp "$BITTERN_ARTIFACT_PATH" %s/x && echo %s/x]]):format(server.www, server.url)))
    assert.equal(0, result.status, result.stderr)
    assert.equal(server.url .. "/x\n", result.stdout)
    server.close()
  end)

  it("tells of one that fails, or prints something else", function()
    local file = artifact(10)
    local failed = publish(file, "command", {}, program(file, "echo no room >&2; exit 3"))
    assert.equal(14, failed.status)
    assert.matches("exit 3: no room", failed.stderr)
    local silent = publish(file, "command", {}, program(file, "echo done"))
    assert.matches("printed 'done ?', not one URL", silent.stderr)
  end)
end)

describe("publisher put", function()
  it("puts the file where the URL says, with the headers of a file", function()
    local file, seen = artifact(5000), {}
    local objects = {}
    local server = serving.listen(function(request)
      if request.method == "PUT" then
        seen[#seen + 1] = request
        objects[request.path] = request.body
        return { status = 201 }
      end
      return { status = objects[request.path] and 200 or 404, body = objects[request.path] }
    end)
    assert(fs.write(file.home .. "/auth", "Authorization: Basic c2VjcmV0\n", { mode = 384 }))
    local set = { "url=" .. server.url .. "/d/{sha256}?sig=canary", "headers=" .. file.home
      .. "/auth" }
    local result = publish(file, "put", { server }, { set = set })
    assert.equal(0, result.status, result.stderr)
    assert.equal(("%s/d/%s\n"):format(server.url, file.sha256), result.stdout)
    assert.equal("Basic c2VjcmV0", seen[1].headers.authorization)
    assert.equal("sig=canary", seen[1].query)
    assert.is_nil((result.stdout .. result.stderr):find("canary", 1, true))
    assert(fs.write(file.home .. "/auth", "Authorization: x\n", { mode = 420 }))
    assert.matches("others may read it", publish(file, "put", { server }, { set = set }).stderr)
  end)
end)

-- nginx's WebDAV is the judge: folders must be there before files, and are told from them.
describe("publisher webdav", function()
  local server

  setup(function()
    server = nginx.start [[
      client_max_body_size 64m;
      location /dav/ { alias $dir/www/; dav_methods PUT MKCOL; }
      location /locked/ { return 401; }]]
  end)

  teardown(function() server.close() end)

  local function up(file, ...)
    return publish(file, "webdav", {}, { set = { "url=" .. server.url .. "/dav/", ... } })
  end

  it("makes folders, puts the file, and proves its public URL", function()
    local file = artifact(3 * MIB)
    local set = { "name=sn94/a b/{sha256}.zip", "public=" .. server.url }
    local result = up(file, table.unpack(set))
    assert.equal(0, result.status, result.stderr)
    assert.equal(("%s/sn94/a%%20b/%s.zip\n"):format(server.url, file.sha256), result.stdout)
    assert.equal(file.bytes, fs.read(("%s/sn94/a b/%s.zip"):format(server.www, file.sha256)))
    file.home = support.folder()
    local again = up(file, table.unpack(set))
    assert.equal(result.stdout, again.stdout)
  end)

  it("replaces nothing unless it is told to", function()
    local file = artifact(1000)
    assert(fs.write(server.www .. "/named.zip", "somebody's"))
    local refused = up(file, "name=named.zip")
    assert.equal(2, refused.status)
    assert.matches("is there already; --set overwrite=true replaces it", refused.stderr, 1, true)
    assert.equal("somebody's", fs.read(server.www .. "/named.zip"))
    local forced = up(file, "name=named.zip", "overwrite=true")
    assert.equal(0, forced.status, forced.stderr)
    assert.equal(file.bytes, fs.read(server.www .. "/named.zip"))
  end)

  it("says who refuses", function()
    local result = up(artifact(10), "url=" .. server.url .. "/locked")
    assert.equal(4, result.status)
    assert.matches("HEAD .*/locked/.*: status 401", result.stderr)
  end)
end)

describe("publisher s3", function()
  local KEYS <const> = { id = "AKIATEST", secret = "very/secret+key" }
  local ENV <const> = { AWS_ACCESS_KEY_ID = KEYS.id, AWS_SECRET_ACCESS_KEY = KEYS.secret }

  local function open(store, stop_at)
    return serving.listen(function(request)
      if stop_at and store.received >= stop_at then return { status = 403, body = "" } end
      return s3_server.handle(store, request)
    end, { max_body = 64 * MIB })
  end

  local function set_of(server, more)
    local set = { "endpoint=" .. server.url, "bucket=b", "key=models/{sha256}.zip" }
    for _, text in ipairs(more or {}) do set[#set + 1] = text end
    return set
  end

  it("puts a small file in one piece", function()
    local store, file = s3_server.new(KEYS), artifact(100000)
    local server = open(store)
    local result = publish(file, "s3", { server }, { env = ENV, set = set_of(server) })
    assert.equal(0, result.status, result.stderr)
    assert.equal(("%s/b/models/%s.zip\n"):format(server.url, file.sha256), result.stdout)
    assert.equal(file.bytes, store.objects["/b/models/" .. file.sha256 .. ".zip"])
    assert.is_nil((result.stdout .. result.stderr):find(KEYS.secret, 1, true))
  end)

  it("sends a large one in parts, and after a stop only those that are missing", function()
    local store, file = s3_server.new(KEYS), artifact(17 * MIB)
    local server = open(store, 10 * MIB)
    local options = { env = ENV, set = set_of(server, { "part=5" }) }
    local first = publish(file, "s3", { server }, options)
    assert.equal(4, first.status, first.stderr)
    assert.is_true(store.received >= 10 * MIB and store.received < 17 * MIB)
    server.handler = function(request) return s3_server.handle(store, request) end
    local result = publish(file, "s3", { server }, options)
    assert.equal(0, result.status, result.stderr)
    assert.equal(17 * MIB, store.received)
    assert.equal(file.bytes, store.objects["/b/models/" .. file.sha256 .. ".zip"])
    assert.same({}, store.uploads)
  end)

  it("sends several parts at once, each again when it fails, in little memory", function()
    local store, file = s3_server.new(KEYS), artifact(44 * MIB)
    local failures = 0
    local server = serving.listen(function(request)
      if request.method == "PUT" and request.query:find("partNumber=3", 1, true)
        and failures < 2 then
        failures = failures + 1
        return { status = 503, headers = { ["Retry-After"] = "0" }, body = "" }
      end
      return s3_server.handle(store, request)
    end, { max_body = 64 * MIB })
    local result = publish(file, "s3", { server }, { env = ENV,
      set = set_of(server, { "part=20" }), measured = true })
    assert.equal(0, result.status, result.stderr)
    assert.is_true(tonumber(result.stdout:match("(%d+)%s*$")) < 40 * MIB, result.stdout)
    assert.equal(2, failures)
    assert.equal(44 * MIB, store.received)
    assert.equal(file.bytes, store.objects["/b/models/" .. file.sha256 .. ".zip"])
  end)

  -- The parts under way at once have as many bytes as `part` says; a kill costs no more.
  it("sends at most one part and one request twice after kill -9", function()
    local store, file = s3_server.new(KEYS), artifact(60 * MIB)
    local server = open(store)
    local set = set_of(server, { "part=20" })
    local stopped = publish(file, "s3", { server }, { env = ENV, set = set,
      kill_when = function() return store.received >= 25 * MIB end })
    assert.equal(9, stopped.signal)
    local before = store.received
    assert.is_true(before < 60 * MIB)
    assert.equal(0, publish(file, "s3", { server }, { env = ENV, set = set }).status)
    assert.equal(file.bytes, store.objects["/b/models/" .. file.sha256 .. ".zip"])
    assert.is_true(store.received - 60 * MIB <= 20 * MIB, store.received)
    -- What was whole before the kill was not sent again.
    local times = {}
    for _, line in ipairs(store.log) do
      local number = line:match("^PUT .*partNumber=(%d+)")
      if number then times[number] = (times[number] or 0) + 1 end
    end
    for number, count in pairs(times) do assert.equal(1, count, "part " .. number) end
  end)

  it("names what the store says, and missing keys", function()
    local store, file = s3_server.new { id = KEYS.id, secret = "another" }, artifact(10)
    local server = open(store)
    local result = publish(file, "s3", { server }, { env = ENV, set = set_of(server) })
    assert.equal(4, result.status)
    assert.matches("SignatureDoesNotMatch", result.stderr)
    assert.matches("AWS_ACCESS_KEY_ID", publish(file, "s3", { server },
      { set = set_of(server) }).stderr)
  end)

  -- s3cmd is a client that others wrote: the store of these tests is not wrong in our way.
  it("has a store that s3cmd understands and is understood by", function()
    local store, file = s3_server.new(KEYS), artifact(12 * MIB)
    local server = open(store)
    local host = server.url:match("//(.*)")
    assert(fs.write(file.home .. "/cfg", ("[default]\naccess_key = %s\nsecret_key = %s\n"
      .. "host_base = %s\nhost_bucket = %s\nuse_https = False\nsignature_v2 = False\n")
      :format(KEYS.id, KEYS.secret, host, host)))
    local function s3cmd(...)
      return serving.run({ "s3cmd", "-c", file.home .. "/cfg", "--no-progress",
        "--multipart-chunk-size-mb=5", ... }, { server }, { home = file.home })
    end
    local small = artifact(1000)
    local put = s3cmd("put", small.path, "s3://b/small")
    assert.equal(0, put.status, put.stderr .. table.concat(store.log, "\n"))
    assert.equal(small.bytes, store.objects["/b/small"])
    local get = s3cmd("get", "--force", "s3://b/small", file.home .. "/got")
    assert.equal(0, get.status, get.stderr .. table.concat(store.log, "\n"))
    assert.equal(small.bytes, fs.read(file.home .. "/got"))
    s3cmd("put", "--no-check-md5", file.path, "s3://b/large")
    assert.equal(file.bytes, store.objects["/b/large"])
  end)
end)

describe("publisher huggingface", function()
  local function open(options)
    local hub = hub_server.new(options)
    local front = serving.listen(function(request) return hub_server.handle(hub, request) end)
    local store = serving.listen(function(request) return hub_server.store(hub, request) end,
      { max_body = 64 * MIB })
    hub.url, hub.store_url = front.url, store.url
    hub.decode = function(text)
      return (support.python(("import base64; print(base64.b64decode('%s').hex())"):format(text))
        :gsub("%s", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
    end
    return hub, { front, store }
  end

  local function up(hub, servers, file, set)
    local all = { "repo=o/r" }
    for _, text in ipairs(set or {}) do all[#all + 1] = text end
    return publish(file, "huggingface", servers, { set = all,
      env = { HF_ENDPOINT = hub.url, HF_TOKEN = hub.token } })
  end

  it("commits a small file as it is; its URL answers by itself", function()
    local hub, servers = open()
    local file = artifact(700)
    local result = up(hub, servers, file)
    assert.equal(0, result.status, result.stderr)
    assert.matches("/o/r/resolve/" .. hub.repos["o/r"].head .. "/" .. file.sha256 .. ".zip",
      result.stdout, 1, true)
    assert.equal(1, hub.commits)
    assert.equal(512, #hub.decode(hub.sample))
  end)

  it("says before the upload that a large file will answer with a redirect", function()
    local hub, servers = open()
    local file = artifact(5000)
    local result = up(hub, servers, file)
    assert.equal(12, result.status)
    assert.matches("submission artifact redirects are not allowed", result.stderr, 1, true)
    assert.same({}, hub.stored)
    assert.equal(0, hub.commits)
  end)

  for _, case in ipairs { { "in one piece", 5000 }, { "in parts", 3 * MIB + 5 } } do
    it("uploads by LFS " .. case[1] .. ", verifies, commits once", function()
      local hub, servers = open()
      local file = artifact(case[2])
      local result = up(hub, servers, file, { "redirect=accept" })
      assert.equal(0, result.status, result.stderr)
      assert.equal(file.bytes, hub.stored[file.sha256])
      assert.equal(1, hub.commits)
      assert.is_nil(hub.leaked)
      assert.matches("a validator of the public replay engine would say", result.stderr)
      assert.is_nil((result.stdout .. result.stderr):find(hub.token, 1, true))
      -- The same again sends and commits nothing.
      hub.stored[file.sha256] = file.bytes
      assert.equal(0, up(hub, servers, file, { "redirect=accept" }).status)
      assert.equal(1, hub.commits)
    end)
  end

  -- An upload in parts that is killed when the store has some of them.
  local function killed_midway(hub, servers, file)
    local stopped = publish(file, "huggingface", servers, { set = { "repo=o/r", "redirect=accept",
      "parallel=2" }, env = { HF_ENDPOINT = hub.url, HF_TOKEN = hub.token },
      kill_when = function() return hub.received >= 5 * MIB end })
    assert.equal(9, stopped.signal)
    assert.is_true(hub.received < 12 * MIB)
  end

  it("sends parts that a killed run sent not again", function()
    local hub, servers = open()
    local file = artifact(12 * MIB)
    killed_midway(hub, servers, file)
    assert.equal(0, up(hub, servers, file, { "redirect=accept" }).status)
    assert.equal(file.bytes, hub.stored[file.sha256])
    assert.is_true(hub.received <= 14 * MIB, hub.received) -- what was under way: two parts
    assert.is_nil(hub.leaked)
    assert.equal(1, hub.commits)
  end)

  it("begins anew when the URLs of the parts have expired", function()
    local hub, servers = open()
    local file = artifact(12 * MIB)
    killed_midway(hub, servers, file)
    hub.expired = hub.uploads
    local result = up(hub, servers, file, { "redirect=accept" })
    assert.equal(0, result.status, result.stderr)
    assert.equal(file.bytes, hub.stored[file.sha256])
    -- Of a fresh answer it is an error, and is said.
    local other = artifact(3 * MIB)
    hub.expired = 99
    result = up(hub, servers, other, { "redirect=accept" })
    assert.equal(4, result.status, result.stderr)
    assert.matches("part %d: status 403", result.stderr)
  end)

  it("does not commit on top of somebody else's commit", function()
    local hub, servers = open()
    hub.repos["o/r"] = { head = ("a"):rep(40), files = {} }
    local inner = servers[1].handler
    servers[1].handler = function(request)
      if request.path:find("/preupload/") then hub.repos["o/r"].head = ("b"):rep(40) end
      return inner(request)
    end
    local result = up(hub, servers, artifact(700))
    assert.matches("A commit has happened since", result.stderr)
    assert.equal(0, hub.commits)
  end)

  it("wants a token, and says when the hub refuses it", function()
    local hub, servers = open()
    local file = artifact(10)
    local none = publish(file, "huggingface", servers, { set = { "repo=o/r" },
      env = { HF_ENDPOINT = hub.url } })
    assert.equal(4, none.status)
    hub.token = "another"
    local wrong = publish(file, "huggingface", servers, { set = { "repo=o/r" },
      env = { HF_ENDPOINT = hub.url, HF_TOKEN = "hf_canary" } })
    assert.equal(4, wrong.status)
    assert.is_nil(wrong.stderr:find("hf_canary", 1, true))
    assert.is_nil(json.decode(wrong.stdout or ""))
  end)
end)
