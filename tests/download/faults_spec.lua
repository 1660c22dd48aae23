-- Every way in which a transfer goes wrong: the run ends with the right bytes or with a precise
-- error and no file under the final name; and the same call again ends with the right bytes.
local fs = require "core.fs"
local http = require "core.http"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local check = require "bittern.check"
local download = require "bittern.download"
local support = require "tests.support"

local PART <const> = 1 << 20

local child, base, hash, hash_of_big

setup(function()
  child = assert(process.spawn { argv = { "/usr/bin/python3",
    support.root .. "/tests/fixtures/fault_server.py" }, stdout = "pipe" })
  base = "http://127.0.0.1:" .. assert(child:read_line(10))
  hash = sha256.hex(assert(http.request { url = base .. "/none/GET/0/f" }).body)
  hash_of_big = sha256.hex(assert(http.request { url = base .. "/none/GET/0/big" }).body)
end)

teardown(function() child:close() end)

local runs = 0

-- One download; `kept` is the path of an earlier one, to go on from there.
local function fetch(fault, options, kept)
  runs = runs + 1
  local path = kept and kept.path or support.folder() .. "/file"
  local url = kept and kept.url or ("%s/%s/%d"):format(base, fault, runs)
  local file = { url = url, path = path, sha256 = options.sha256 }
  local results, message, code = download.run({ file }, { say = function() end, part = PART,
    parallel = options.parallel or 3, speed = options.speed or 0, pause = 0.01, stall = 0.3 })
  return { path = path, url = url, result = results and results[1], message = message, code = code }
end

local function check_good(got, what)
  assert.is_truthy(got.result, what .. ": " .. tostring(got.message))
  assert.equal(hash, got.result.sha256, what)
  assert.equal(hash, (sha256.file(got.path)), what)
  assert.is_nil(fs.stat(got.path .. ".part"))
end

-- Faults that happen a few times and go away: the run itself gets over them.
local passing <const> = {
  "refuse/GET/2", "reset=0/GET/2", "reset=1/GET/2", "reset=70000/GET/3", "reset=1048575/GET/2",
  "stall=0/GET/1", "stall=500000/GET/2", "silence/GET/1", "drip/GET/9", "garbage/GET/2",
  "headers/GET/1", "short/GET/3", "less/GET/5", "lie/GET/2", "nolength/GET/9", "chunked/GET/9",
  "weak/GET/9", "noetag/GET/9", "swap/GET/2", "long-etag/GET/9", "unknown/GET/0",
  "status=500/GET/2", "status=502/GET/2", "status=503/GET/2", "status=504/GET/2",
  "status=408/GET/2", "status=429/GET/2", "status=429,0/GET/2", "status=429,date/GET/1",
  "status=403/GET/2", "status=401/GET/2", "status=404/GET/2", "status=410/GET/2",
  "status=416/GET/1", "whole/GET/1", "redirect/GET/5", "etag/GET/1", "total/GET/1",
  "refuse/HEAD/2", "reset=0/HEAD/1", "silence/HEAD/1", "garbage/HEAD/1",
  "status=500/HEAD/2", "status=502/HEAD/2", "status=503,0/HEAD/2", "status=429/HEAD/2",
  "status=403/HEAD/9", "status=405/HEAD/9", "status=501/HEAD/9",
  "weak/HEAD/9", "noetag/HEAD/9", "drip/HEAD/1", "nolength/HEAD/9", "chunked/HEAD/9",
}

-- Faults that stay for the first run, by the id of the error.
local lasting <const> = {
  network = { "refuse/GET/99", "reset=0/GET/99", "garbage/GET/99", "refuse/HEAD/99",
    "garbage/HEAD/99" },
  timeout = { "stall=0/GET/99", "silence/GET/99", "silence/HEAD/99" },
  invalid_response = { "shift/GET/1", "norange/GET/1", "words/GET/1", "huge/GET/1", "long/GET/1" },
  encoded = { "gzip/GET/1", "unknown/GET/9", "gzip/HEAD/1" },
  http_status = { "status=500/GET/99", "status=503/GET/99", "status=400/GET/1",
    "status=451/GET/1", "status=304/GET/1", "status=500/HEAD/99" },
  access = { "status=403/GET/99", "status=404/GET/99", "status=401/HEAD/1" },
  not_found = { "status=404/HEAD/1", "status=410/HEAD/1" },
  redirect = { "redirect/GET/99", "redirect=ftp:%2F%2Fx/GET/1", "redirect/HEAD/9",
    "redirect=data:,x/HEAD/1" },
  integrity = { "etag/GET/99", "weaker/GET/99", "total/GET/99", "status=416/GET/99" },
}

describe("a download whose transfer goes wrong", function()
  for _, fault in ipairs(passing) do
    it("gets over " .. fault, function()
      check_good(fetch(fault, {}), fault)
    end)
  end

  for _, id in ipairs(check.sorted_keys(lasting)) do
    for _, fault in ipairs(lasting[id]) do
      it(("ends with '%s' of %s, and the next run is good"):format(id, fault), function()
        local got = fetch(fault, { parallel = 1 })
        assert.is_nil(got.result)
        assert.equal(id, got.code, got.message)
        assert.is_nil(fs.stat(got.path), "there is a file under the final name")
        assert.matches("http://127.0.0.1:%d+/", got.message)
        -- The same again, when the server is honest by then.
        assert(http.request { url = got.url:gsub("^http://[^/]*", "%0/heal") })
        check_good(fetch(nil, {}, got), fault)
      end)
    end
  end

  -- One fault of the server fails all connections at once; that is one failure, not fifteen.
  for _, fault in ipairs { "status=503/GET/15", "refuse/GET/15", "signed=3/HEAD/0" } do
    it("gets over what befalls all connections at once: " .. fault, function()
      local path = support.folder() .. "/file"
      local results, message = download.run({ { url = ("%s/%s/big"):format(base, fault),
        path = path } }, { say = function() end, part = PART, parallel = 16, pause = 0.01 })
      assert.is_truthy(results, message)
      assert.equal(hash_of_big, results[1].sha256)
    end)
  end

  it("never takes corrupt bytes for good when the hash is known", function()
    local got = fetch("corrupt/GET/1", { sha256 = hash })
    assert.equal("integrity", got.code)
    assert.is_nil(fs.stat(got.path))
    check_good(fetch(nil, { sha256 = hash }, got), "again")
  end)

  -- `make bench-corruption` does this 10,000 times.
  it("catches every flipped bit", function()
    for i = 1, 20 do
      local got = fetch("flip/GET/1/" .. i, { sha256 = hash, parallel = 1 })
      assert.equal("integrity", got.code)
      assert.is_nil(fs.stat(got.path))
    end
  end)

  it("holds a file of unknown size to a bandwidth, too", function()
    local started = sys.clock()
    check_good(fetch("unknown/GET/0", { speed = 6 << 20 }), "unknown")
    assert.is_true(sys.clock() - started > 0.35)
  end)

  it("names a host that is not there, and a port where nobody listens", function()
    for url, code in pairs { ["http://127.0.0.1:1/x"] = "unreachable",
      ["https://no-such-host.invalid/x"] = "unreachable" } do
      local _, message, id = download.run({ { url = url, path = support.folder() .. "/f" } },
        { say = function() end, pause = 0.01 })
      assert.equal(code, id, message)
    end
  end)

  it("goes past a state that is garbage, of another file, or out of its bounds", function()
    local states = { "", "null", "{}", "[1]", '{"url":"x"}', ("x"):rep(100) }
    for _, missing in ipairs { "[[0,99999999]]", "[[5,2]]", "[[-1,5]]", "[[0,1],[0,1]]", "[0]",
      '[["a","b"]]', "[[0.5,1]]", "1" } do
      states[#states + 1] = ('{"url":"%%s","size":3145728,"etag":"\\"v1\\"","missing":%s}')
        :format(missing)
    end
    for _, state in ipairs(states) do
      local path = support.folder() .. "/file"
      local url = base .. "/none/GET/0/" .. #state
      assert(fs.write(path .. ".part", ("\0"):rep(3 << 20)))
      assert(fs.write(path .. ".ranges.part", (state:gsub("%%s", url))))
      local results, message = download.run({ { url = url, path = path } },
        { say = function() end })
      assert.is_truthy(results, message)
      assert.equal(hash, results[1].sha256, state)
    end
  end)

  it("tells of a full disk and keeps what there is", function()
    local path = support.folder() .. "/file"
    local script = support.folder() .. "/fetch.lua"
    assert(fs.write(script, ([[
      local download = require "bittern.download"
      local ok, message, code = download.run({ { url = "%s/none/GET/0/full", path = "%s" } },
        { say = function() end })
      print(ok, code)
    ]]):format(base, path)))
    local result = assert(process.run { argv = { "/bin/sh", "-c",
      'ulimit -f 1024; trap "" XFSZ; exec "$0" run "$1"', support.bin, script } })
    assert.matches("disk_full", result.stdout, 1, true)
    assert.is_nil(fs.stat(path))
  end)
end)
