-- Every fault that can be asked for, as the client meets it: what it makes of a list and of a
-- claim, and whether the claim was made all the same.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local store = require "core.store"
local sys = require "core.sys"

local coordinator = require "bittern.coordinator"
local faults = require "bittern.practice.faults"
local http = require "bittern.http"
local json = require "bittern.json"
local outcome = require "bittern.outcome"
local download = require "bittern.practice.download"

local practice = require "tests.practice.support"
local serving = require "tests.practice.serving"
local support = require "tests.support"

-- What the list gives ("ok" or an error's id), what became of the claim as far as the client can
-- know, and how many were made in truth.
local met = {
  ["500"] = { "server_error", "unknown", 0 }, ["502"] = { "server_error", "unknown", 0 },
  ["503"] = { "server_error", "unknown", 0 }, ["504"] = { "server_error", "unknown", 0 },
  ["502-after-commit"] = { "ok", "unknown", 1 }, ["504-after-commit"] = { "ok", "unknown", 1 },
  ["drop-claim-response"] = { "ok", "unknown", 1 }, ["drop-submit-response"] = { "ok", "ok", 1 },
  ["reset-after-commit"] = { "ok", "unknown", 1 }, ["reset"] = { "network", "unknown", 0 },
  ["429"] = { "busy", "refused", 0 }, ["429-date"] = { "busy", "refused", 0 },
  ["429-absurd"] = { "busy", "refused", 0 },
  ["truncate"] = { "network", "unknown", 1 }, ["truncate-chunk"] = { "network", "unknown", 1 },
  ["cut"] = { "network", "unknown", 1 }, ["chunked"] = { "ok", "ok", 1 },
  ["slow-loris:0.0001"] = { "ok", "ok", 1 }, ["slow:0.01"] = { "ok", "ok", 1 },
  ["clock-ahead"] = { "ok", "ok", 1 }, ["clock-behind"] = { "ok", "ok", 1 },
  ["redirect-loop"] = { "invalid_response", "unknown", 0 },
  ["redirect-away"] = { "unreachable", "unknown", 0 },
  ["redirect-insecure"] = { "insecure", "unknown", 0 },
  ["tasks-html"] = { "invalid_response", "ok", 1 }, ["tasks-null"] = { "ok", "ok", 1 },
  ["tasks-500"] = { "server_error", "ok", 1 }, ["tasks-broken-record"] = { "ok", "ok", 1 },
  ["submit-500"] = { "ok", "ok", 1 }, ["unsigned-401"] = { "ok", "ok", 1 },
  ["stale-401"] = { "ok", "refused", 0 }, ["no-stake"] = { "ok", "refused", 0 },
  ["detail-array"] = { "ok", "refused", 0 }, ["detail-object"] = { "ok", "refused", 0 },
  ["html"] = { "invalid_response", "unknown", 0 }, ["html-after-commit"] = { "ok", "unknown", 1 },
  ["empty"] = { "ok", "unknown", 1 }, ["null"] = { "ok", "unknown", 1 },
  ["broken-json"] = { "invalid_response", "unknown", 1 },
  ["nan"] = { "invalid_response", "unknown", 1 },
  ["not-utf8"] = { "invalid_response", "unknown", 1 }, ["huge"] = { "too_large", "unknown", 1 },
  ["wrong-type"] = { "ok", "ok", 1 }, ["gzip"] = { "invalid_response", "unknown", 1 },
}

-- What a validator says of the artifact, or true.
local fetched = {
  ["file-redirect"] = "redirects are not allowed", ["file-changed"] = "artifact_sha256 mismatch",
  ["file-short"] = "artifact_size_bytes mismatch: expected 4096, got 4095",
  ["file-long"] = "artifact_size_bytes mismatch: expected 4096, got 4097",
  ["file-truncate"] = "download failed: ", ["file-cut:100"] = "download failed: ",
  ["file-chunked"] = true, ["file-slow:0.00001"] = true, ["file-gzip"] = true,
  ["file-encoding"] = "download failed: Content-Encoding br",
  ["file-html"] = "artifact_size_bytes mismatch", ["file-reset"] = "download failed: ",
  ["file-401"] = "HTTP 401", ["file-403"] = "HTTP 403", ["file-404"] = "HTTP 404",
  ["file-500"] = "HTTP 500",
  ["file-whole"] = true, ["file-wrong-range"] = true, ["file-weak-etag"] = true,
  ["file-new-etag"] = true, ["file-416"] = true,
}

local BYTES <const> = ("0123456789abcdef"):rep(256)

describe("with the fault", function()
  local dir, child, url, task_id

  setup(function()
    dir = support.folder()
    assert(fs.mkdir(dir .. "/files"))
    assert(fs.write(dir .. "/files/a.bin", BYTES))
    child = assert(process.spawn {
      argv = { support.bin, "run", support.root .. "/tests/practice/faulty_server.lua", dir },
      stdout = "pipe", stderr = dir .. "/stderr",
    })
    url = assert(json.decode(assert(child:read_line(20)))).url
    task_id = http.json("GET", url .. "/none/api/v1/tasks")[1].id
  end)
  teardown(function() serving.stop(child) end)

  local function client(fault)
    local warned = {}
    return assert(coordinator.new {
      url = url .. "/" .. fault, key = practice.alice, retry = { tries = 1 }, timeout = 5,
      warn = function(text) warned[#warned + 1] = text end,
    }), warned
  end

  -- Claims that say this, as the coordinator knows them.
  local function claims(description)
    local db <close> = assert(store.open(dir .. "/coordinator.db"))
    local sql = "SELECT count(*) AS n FROM claim WHERE claim_description = ?"
    return assert(db:query(sql, description))[1].n
  end

  for text, expected in pairs(met) do
    it(("%s a client knows what it does not know"):format(text), function()
      local c = client(text)
      local list, _, list_code = c:tasks()
      local claim, _, claim_code = c:claim({ id = task_id }, text)
      assert.same(expected, { list and "ok" or list_code,
        claim and "ok" or outcome.of(claim_code), claims(text) })
    end)
  end

  for text, expected in pairs(fetched) do
    it(("%s a validator says what is wrong with an artifact"):format(text), function()
      local ok, message = download.fetch({
        artifact_uri = ("%s/%s/files/a.bin"):format(url, text),
        artifact_sha256 = sha256.hex(BYTES), artifact_size_bytes = #BYTES,
      }, dir .. "/artifact")
      if expected == true then
        assert.is_true(ok, message)
        assert.equal(BYTES, fs.read(dir .. "/artifact"))
      else
        assert.is_nil(ok)
        assert.truthy(message:find(expected, 1, true), message)
      end
    end)
  end

  it("clock-ahead the client warns of the clock, once", function()
    local c, warned = client("clock-ahead:100")
    c:tasks()
    c:tasks()
    assert.equal(1, #warned)
    assert.matches("clock is %d+ s behind", warned[1])
  end)

  it("429 the pause that is asked for can be a date", function()
    local response = assert(http.get(url .. "/429-date:3/api/v1/tasks"))
    assert.equal(429, response.status)
    local at = assert(http.date(response.headers["retry-after"]))
    assert.is_true(math.abs(at - sys.time() - 3) < 3)
  end)

  it("file-* a range is answered as asked, or wrongly in the way that was asked for", function()
    local function range(fault, headers)
      local place = ("%s/%s/files/a.bin"):format(url, fault)
      local response = assert(http.get(place, { headers = headers }))
      return { response.status, response.headers["content-range"], #response.body },
        response.headers.etag
    end
    local asked = { "Range: bytes=16-31" }
    assert.same({ 206, "bytes 16-31/4096", 16 }, range("none", asked))
    assert.same({ 206, "bytes 4086-4095/4096", 10 }, range("none", { "Range: bytes=-10" }))
    assert.same({ 206, "bytes 4090-4095/4096", 6 }, range("none", { "Range: bytes=4090-9999" }))
    assert.equal(416, range("none", { "Range: bytes=4096-" })[1])
    assert.equal(200, range("none", { "Range: bytes=1-2", 'If-Range: "other"' })[1])
    assert.equal(206, range("none", { "Range: bytes=1-2", 'If-Range: "a.bin"' })[1])
    assert.same({ 200, nil, 4096 }, range("file-whole", asked))
    assert.same({ 206, "bytes 17-31/4096", 16 }, range("file-wrong-range", asked))
    assert.same({ 416, "bytes */0", 44 }, range("file-416", asked))
    assert.equal('W/"a.bin"', select(2, range("file-weak-etag", asked)))
    local _, first = range("file-new-etag", asked)
    assert.are_not.equal(first, select(2, range("file-new-etag", asked)))
  end)
end)

describe("faults", function()
  it("are each met by a spec above", function()
    local left = {}
    for name in pairs(faults.all) do left[name] = true end
    for _, list in ipairs { met, fetched } do
      for text in pairs(list) do left[text:match("^[^:]+")] = nil end
    end
    assert.same({}, left)
  end)

  it("strike as often as they are told to", function()
    local draws, hits = 0, 0
    local function random()
      draws = draws + 1
      return (draws % 10) / 10
    end
    local handler = assert(faults.wrap(function() return { status = 200, headers = {} } end,
      { "502=0.3" }, random))
    for _ = 1, 100 do
      local status = handler({ method = "GET", path = "/api/v1/tasks", headers = {} }).status
      hits = hits + (status == 502 and 1 or 0)
    end
    assert.equal(30, hits)
  end)

  it("are refused when they make no sense", function()
    for _, text in ipairs { "slow", "slow:x", "502:3", "502=2", "502=x", "tasks-htm", "", "=1" } do
      local handler, message, code = faults.wrap(print, { text })
      assert.is_nil(handler, text)
      assert.is_string(message)
      assert.equal("usage", code)
    end
    assert.is_function(faults.wrap(print, { "slow:0.5=0.25" }))
  end)
end)
