-- How the errors of the network are met: id -> function that meets it and gives the id that came.
local fs = require "core.fs"
local core_http = require "core.http"
local httpd = require "core.httpd"
local process = require "core.process"

local http = require "bittern.http"
local json = require "bittern.json"
local source = require "bittern.download.source"
local support = require "tests.support"

local M = {}

local child, base

--- Starts the server that answers with the status that a path names.
function M.start()
  local answers = {
    ["GET /text"] = { body = "<p>no JSON</p>" }, ["GET /slow"] = { wait = 2 },
    ["POST /stake"] = { status = 403, body = '{"detail":"insufficient_miner_stake"}' },
  }
  for _, status in ipairs { 302, 401, 403, 409, 418, 422, 429, 500 } do
    for _, method in ipairs { "GET /", "HEAD /" } do
      answers[method .. status] = { status = status, body = "{}" }
    end
  end
  local path = support.folder() .. "/answers.json"
  assert(fs.write(path, assert(json.encode(answers))))
  child = assert(process.spawn { stdout = "pipe", stderr = "null",
    argv = { support.bin, "run", support.root .. "/tests/fixtures/answers.lua", path } })
  base = "http://127.0.0.1:" .. assert(child:read_line(20))
end

--- Ends it.
function M.stop()
  child:kill()
  child:wait(10)
end

local function id_of(_, _, id) return id end

local function asked(path, options)
  return function()
    return id_of(http.json((options or {}).method or "GET", base .. path, options))
  end
end

-- A server that says these very bytes to the first who asks.
local RAW <const> = [[
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client = server.accept()[0]
client.recv(65536)
client.sendall(sys.argv[1].encode())
client.close()]]

-- What asking it ends with.
local function raw(answer, ask)
  return function()
    local server <close> = assert(process.spawn { stdout = "pipe",
      argv = { "/usr/bin/python3", "-c", RAW, answer } })
    return id_of(ask("http://127.0.0.1:" .. assert(server:read_line(10)) .. "/x"))
  end
end

-- What a part of a file ends with, of a server with that answer.
local function part(answer)
  return function()
    local server <close> = assert(httpd.listen {})
    local path = support.folder() .. "/part"
    assert(fs.write(path, ""))
    local ranges <close> = core_http.ranges()
    local url = ("http://127.0.0.1:%d/f"):format(server:port())
    assert(ranges:start { url = url, path = path, id = 1, first = 1, last = 2, total = 4,
      etag = '"v1"' })
    while ranges:count() > 0 do
      assert(server:step(function() return answer end, 0.01))
      local ended = ranges:step(0.01)
      if ended then return ended.code end
    end
  end
end

local function part_with(more)
  local headers = { ETag = '"v1"', ["Content-Range"] = "bytes 1-2/4" }
  for name, value in pairs(more) do headers[name] = value end
  return part { status = 206, body = "bc", headers = headers }
end

-- The id that a command ends with; {url} is the server's.
local function told(env, ...)
  local words = { ... }
  return function()
    local argv = { "--json" }
    for i, word in ipairs(words) do argv[i + 1] = word:gsub("{url}", base) end
    local variables = {}
    for name, value in pairs(env) do variables[name] = value:gsub("{url}", base) end
    local done = support.bittern(support.folder(), argv, { env = variables })
    return assert(json.decode(done.stdout)).error.id
  end
end

M.meet = {
  unauthorized = asked "/401", forbidden = asked "/403", conflict = asked "/409",
  rejected = asked "/422", busy = asked "/429", server_error = asked "/500",
  stake = asked("/stake", { method = "POST", body = "{}" }),
  invalid_response = asked "/text",
  timeout = asked("/slow", { timeout = 0.2 }),
  unreachable = function() return id_of(http.json("GET", "http://127.0.0.1:1/x")) end,
  not_partial = part { status = 200, body = "abcd" },
  changed = part_with { ETag = '"v2"' },
  encoded = part_with { ["Content-Encoding"] = "gzip" },
  network = raw("", function(url) return http.json("POST", url, { body = "{}" }) end),
  unknown_size = raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", function(url)
    return source.find { file = { url = url }, options = {} }
  end),
  insecure = told({}, "--coordinator", "http://example.org", "tasks"),
  offline = told({}, "--offline", "download", "{url}/x"),
  tls = function() return told({}, "--coordinator", (base:gsub("^http", "https")), "tasks")() end,
  proxy = told({ HTTPS_PROXY = "{url}" }, "--coordinator", "https://example.org", "tasks"),
  redirect = told({}, "verify", "{url}/302"),
  http_status = told({}, "verify", "{url}/418"),
  access = told({}, "download", "{url}/403"),
}

return M
