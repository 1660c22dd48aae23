-- bittern publish against real and small servers: whatever the way, the URL must give the bytes.
local fs = require "core.fs"
local http = require "core.http"
local sha256 = require "core.sha256"
local publishing = require "bittern.publishing"
local nginx = require "tests.nginx"
local serving = require "tests.serving"
local support = require "tests.support"
local common = require "tests.publishing.common"

local artifact, publish = common.artifact, common.publish
local MIB <const> = 1 << 20

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

  it("tells how far it is", function()
    local server = nginx.start [[ location / { limit_rate 1500k; } ]]
    local file = artifact(3 * MIB)
    local result = serving.bittern({ "--progress", "json", "publish", file.path, "--to",
      "directory", "--set", "folder=" .. server.www, "--set", "url=" .. server.url }, {},
      { home = file.home })
    assert.equal(0, result.status, result.stderr)
    assert.matches('"label":"check"', result.stderr, 1, true)
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
