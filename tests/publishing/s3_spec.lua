-- Publisher s3 against a small, strict store, and that store against s3cmd.
local fs = require "core.fs"
local s3_server = require "tests.s3_server"
local serving = require "tests.serving"
local common = require "tests.publishing.common"

local artifact, publish = common.artifact, common.publish
local MIB <const> = 1 << 20

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

  it("wants whole numbers of parts", function()
    local file = artifact(10)
    for _, set in ipairs { "part=0", "part=0.5", "parallel=0", "parallel=1.5", "parallel=65" } do
      local result = publish(file, "s3", {}, { env = ENV, set = { "bucket=b", set } })
      assert.equal(2, result.status, result.stderr)
      assert.matches("must be whole numbers", result.stderr)
    end
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
