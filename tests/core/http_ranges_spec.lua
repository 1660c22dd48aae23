local fs = require "core.fs"
local http = require "core.http"
local httpd = require "core.httpd"
local sys = require "core.sys"
local support = require "tests.support"

local TEXT <const> = ("0123456789abcdef"):rep(40000)
local ETAG <const> = '"v1"'

-- What an honest server answers to a range.
local function part_of(request)
  local first, last = request.headers.range:match("^bytes=(%d+)-(%d+)$")
  first, last = math.tointeger(first), math.tointeger(last)
  return {
    status = 206, body = TEXT:sub(first + 1, last + 1),
    headers = { ETag = ETAG,
      ["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, #TEXT) },
  }
end

-- Fetches ranges {first, last} from a server with that handler, in one process by turns.
local function fetch(handler, wanted, options)
  local server <close> = assert(httpd.listen { on_error = error })
  local path = support.folder() .. "/file"
  assert(fs.write(path, ""))
  local ranges <close> = http.ranges()
  for id, pair in ipairs(wanted) do
    local start = { url = ("http://127.0.0.1:%d/f?key=secret"):format(server:port()), path = path,
      id = id, first = pair[1], last = pair[2], total = #TEXT, etag = ETAG }
    for key, value in pairs(options or {}) do start[key] = value end
    assert(ranges:start(start))
  end
  local ended = {}
  local until_time = os.time() + 20
  while ranges:count() > 0 do
    assert(os.time() < until_time, "the ranges do not end")
    assert(server:step(handler, 0.01))
    local one, message = ranges:step(0.01)
    assert(one ~= nil, message)
    if one then ended[one.id] = one end
  end
  return ended, fs.read(path), ranges:received()
end

describe("core.http.ranges", function()
  it("writes ranges into their places, many at once", function()
    local wanted, step = {}, 50000
    for first = 0, #TEXT - 1, step do
      wanted[#wanted + 1] = { first, math.min(first + step, #TEXT) - 1 }
    end
    local seen = {}
    local ended, text, received = fetch(function(request)
      seen[#seen + 1] = request.headers["if-range"] .. request.headers["accept-encoding"]
      return part_of(request)
    end, wanted)
    assert.equal(TEXT, text)
    assert.equal(#TEXT, received)
    assert.equal(#wanted, #ended)
    assert.same({}, (function()
      local codes = {}
      for _, one in ipairs(ended) do codes[#codes + 1] = one.code end
      return codes
    end)())
    for _, line in ipairs(seen) do assert.equal(ETAG .. "identity", line) end
    assert.equal(ETAG, ended[1].headers.etag)
  end)

  it("takes the whole file where the whole was asked for", function()
    local ended, text = fetch(function() return { status = 200, body = TEXT } end,
      { { 0, #TEXT - 1 } })
    assert.is_nil(ended[1].code)
    assert.equal(TEXT, text)
  end)

  -- name, answer, code
  local bad = {
    { "a 200 for a part", function() return { status = 200, body = TEXT } end, "not_partial" },
    { "no Content-Range", function() return { status = 206, body = "0123" } end,
      "invalid_response" },
    { "another part", function(request)
      local answer = part_of(request)
      answer.headers["Content-Range"] = ("bytes 15-30/%d"):format(#TEXT)
      return answer
    end, "invalid_response" },
    { "a Content-Range of letters", function(request)
      local answer = part_of(request)
      answer.headers["Content-Range"] = "bytes a-b/c"
      return answer
    end, "invalid_response" },
    { "more than was asked for", function(request)
      local answer = part_of(request)
      answer.headers["Content-Range"] = ("bytes 10-9999/%d"):format(#TEXT)
      answer.body = TEXT:sub(11, 10000)
      return answer
    end, "invalid_response" },
    { "another length of the file", function(request)
      local answer = part_of(request)
      answer.headers["Content-Range"] = ("bytes 10-99/%d"):format(#TEXT + 1)
      return answer
    end, "changed" },
    { "another ETag", function(request)
      local answer = part_of(request)
      answer.headers.ETag = '"v2"'
      return answer
    end, "changed" },
    { "a body that is longer than its range", function(request)
      local answer = part_of(request)
      answer.body = answer.body .. "x"
      return answer
    end, "invalid_response" },
    { "gzip", function(request)
      local answer = part_of(request)
      answer.headers["Content-Encoding"] = "gzip"
      return answer
    end, "encoded" },
    { "a refusal", function() return { status = 403, body = "it has expired" } end,
      "http_status" },
    { "a redirect", function()
      return { status = 302, headers = { Location = "http://127.0.0.1:1/" } }
    end, "http_status" },
    { "a range that it does not have", function() return { status = 416 } end, "http_status" },
  }
  for _, case in ipairs(bad) do
    it("writes nothing of " .. case[1], function()
      local ended, text = fetch(case[2], { { 10, 99 } })
      assert.equal(case[3], ended[1].code)
      assert.equal("", text)
      assert.equal(0, ended[1].received)
      assert.is_not.matches("secret", ended[1].message)
    end)
  end

  it("keeps what a refusal says", function()
    local ended = fetch(function() return { status = 403, body = "it has expired" } end,
      { { 10, 99 } })
    assert.equal("it has expired", ended[1].note)
    assert.equal(403, ended[1].status)
  end)

  it("accepts a shorter part and says how much it was", function()
    local ended, text = fetch(function(request)
      local answer = part_of(request)
      answer.headers["Content-Range"] = ("bytes 10-49/%d"):format(#TEXT)
      answer.body = TEXT:sub(11, 50)
      return answer
    end, { { 10, 99 } })
    assert.is_nil(ended[1].code)
    assert.equal(40, ended[1].received)
    assert.equal(("\0"):rep(10) .. TEXT:sub(11, 50), text)
  end)

  it("gives up a connection that stands still", function()
    local server <close> = assert(httpd.listen {})
    local path = support.folder() .. "/file"
    assert(fs.write(path, ""))
    local ranges <close> = http.ranges()
    assert(ranges:start { url = ("http://127.0.0.1:%d/"):format(server:port()), path = path,
      first = 0, last = 9, total = 10, stall_timeout = 0.2 })
    local one = ranges:step(5)
    assert.equal("timeout", one.code)
  end)

  it("refuses plain http to other machines, ranges outside of the file, missing files", function()
    local ranges <close> = http.ranges()
    local path = support.folder() .. "/file"
    local options = { url = "http://example.com/", path = path, first = 0, last = 9, total = 10 }
    assert.equal("insecure", select(3, ranges:start(options)))
    options.url = "https://127.0.0.1:1/"
    assert.equal("not_found", select(3, ranges:start(options)))
    options.last = 10
    assert.has_error(function() ranges:start(options) end)
    options.last, options.headers = 9, { "Bad\nheader: x" }
    assert.has_error(function() ranges:start(options) end)
    assert.equal(0, ranges:count())
    ranges:close()
    ranges:close()
    assert.has_error(function() ranges:count() end)
  end)

  it("gives no credit for a bandwidth that was not used", function()
    local server <close> = assert(httpd.listen { on_error = error })
    local path = support.folder() .. "/file"
    assert(fs.write(path, ""))
    local ranges <close> = http.ranges { speed = 400000 }
    local function get(first, last)
      assert(ranges:start { url = ("http://127.0.0.1:%d/f"):format(server:port()), path = path,
        first = first, last = last, total = #TEXT })
      local started = sys.clock()
      while ranges:count() > 0 do
        assert(server:step(part_of, 0.001))
        assert(ranges:step(0.01) ~= nil)
      end
      return sys.clock() - started
    end
    get(0, 9)
    sys.sleep(1) -- as long as the next range needs
    assert.is_true(get(0, 399999) > 0.6)
  end)

  -- Sends the ranges of a file, in one process by turns.
  local function send(handler, wanted, options)
    local server <close> = assert(httpd.listen { on_error = error })
    local path = support.folder() .. "/file"
    assert(fs.write(path, TEXT))
    local ranges <close> = http.ranges()
    for id, pair in ipairs(wanted) do
      local start = { url = ("http://127.0.0.1:%d/%d?key=secret"):format(server:port(), id),
        id = id, path = path, first = pair[1], last = pair[2], headers = { "X-Part: " .. id } }
      for key, value in pairs(options or {}) do start[key] = value end
      assert(ranges:send(start))
    end
    local ended = {}
    local deadline = os.time() + 20
    while ranges:count() > 0 do
      assert(os.time() < deadline, "the ranges do not end")
      assert(server:step(handler, 0.01))
      local one, message = ranges:step(0.01)
      assert(one ~= nil, message)
      if one then ended[one.id] = one end
    end
    return ended, ranges:received()
  end

  it("sends ranges of a file, many at once", function()
    local seen = {}
    local ended, sent = send(function(request)
      seen[request.path] = request.method .. request.headers["x-part"] .. request.body
      return { status = 201, headers = { ETag = request.path }, body = "well done" }
    end, { { 0, 99 }, { 100, 400000 }, { 400001, #TEXT - 1 } })
    assert.equal("PUT1" .. TEXT:sub(1, 100), seen["/1"])
    assert.equal("PUT2" .. TEXT:sub(101, 400001), seen["/2"])
    assert.equal("PUT3" .. TEXT:sub(400002), seen["/3"])
    assert.equal(#TEXT, sent)
    assert.same({ 201, "/2", "well done" },
      { ended[2].status, ended[2].headers.etag, ended[2].note })
    assert.is_nil(ended[2].code)
  end)

  it("tells of a PUT that is refused, and of a file that was cut", function()
    local refused = send(function() return { status = 403, body = "no" } end, { { 0, 9 } })[1]
    assert.same({ "http_status", 403, "no" }, { refused.code, refused.status, refused.note })
    assert.equal(403, send(function() return { status = 403 } end, { { 0, 9 } })[1].status)
    assert.equal("http_status",
      send(function() return { status = 500 } end, { { 0, 400000 } })[1].code)
    local cut = send(function() return { status = 200 } end, { { #TEXT - 5, #TEXT + 5 } })[1]
    assert.equal("io", cut.code)
    local ranges <close> = http.ranges()
    assert.equal("not_found", select(3, ranges:send { url = "http://127.0.0.1:1/", first = 0,
      last = 1, path = "/none" }))
    assert.equal("insecure", select(3, ranges:send { url = "http://example.org/", first = 0,
      last = 1, path = "/none" }))
    assert.has_error(function() ranges:send { total = 1 } end, "unknown option 'total'")
  end)
end)
