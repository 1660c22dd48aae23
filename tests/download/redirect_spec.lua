-- A GET that is sent on to another host: the caller's headers do not go along.
local fs = require "core.fs"
local serving = require "tests.serving"
local support = require "tests.support"

local TEXT <const> = ("0123456789"):rep(1000)

local function part_of(request)
  local first, last = (request.headers.range or ""):match("^bytes=(%d+)-(%d+)$")
  return { status = 206, body = TEXT:sub(first + 1, last + 1), headers = { ETag = '"v"',
    ["Content-Range"] = ("bytes %s-%s/%d"):format(first, last, #TEXT) } }
end

describe("a download whose GET is sent on", function()
  local seen, store, front, home

  before_each(function()
    seen, home = {}, support.folder()
    store = serving.listen(function(request)
      seen[#seen + 1] = tostring(request.headers.authorization)
      return part_of(request)
    end)
    front = serving.listen(function(request)
      if request.method == "HEAD" then
        return { status = 200, body = TEXT, headers = { ETag = '"v"' } }
      end
      local to = request.path == "/same" and "/there" or store.url .. "/x?sig=canary"
      if request.path == "/there" then
        seen[#seen + 1] = tostring(request.headers.authorization)
        return part_of(request)
      end
      return { status = 307, headers = { Location = to } }
    end)
  end)

  local function fetch(path)
    local script = home .. "/fetch.lua"
    assert(fs.write(script, ([[
      assert(require("bittern.download").run { { url = "%s", path = "%s/out",
        headers = { "Authorization: Bearer token" } } })]]):format(front.url .. path, home)))
    local done = serving.bittern({ "run", script }, { front, store }, { home = home })
    assert.equal(0, done.status, done.stderr)
    assert.equal(TEXT, fs.read(home .. "/out"))
    assert.is_nil(done.stderr:find("canary", 1, true))
  end

  it("to another host, without the token", function()
    fetch("/other")
    assert.same({ "nil" }, seen)
  end)

  it("to the same host, with it", function()
    fetch("/same")
    assert.same({ "Bearer token" }, seen)
  end)
end)
