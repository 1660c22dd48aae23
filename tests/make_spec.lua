-- The Makefile's promises to people: what it installs, where it lays things, what it takes away.
local fs = require "core.fs"
local support = require "tests.support"

-- The folder of the program that runs this, as make names it, so that nothing is built anew.
local build = support.bin:sub(#support.root + 2):match("^(.*)/")

local function make(argv, env)
  local all = { PATH = os.getenv "PATH", HOME = support.folder() }
  for name, value in pairs(env or {}) do all[name] = value end
  return support.run({ "make", "-s", "BUILD=" .. build, table.unpack(argv) },
    { cwd = support.root, env = all })
end

describe("make deps-build", function()
  -- Stands in for the system's package tools: nothing is installed, calls are noted.
  local function world(uid)
    local bin = support.folder()
    local function tool(name, text)
      assert(fs.write(bin .. "/" .. name, "#!/bin/sh\n" .. text .. "\n", { mode = 0x1ED }))
    end
    local note = ('echo "$(basename "$0") $*" >>"%s/calls"'):format(bin)
    tool("dpkg-query", "exit 1")
    tool("apt-get", note)
    tool("sudo", note .. '; exec "$@"')
    tool("id", "echo " .. uid)
    return bin, { PATH = bin .. ":" .. os.getenv "PATH" }
  end

  it("installs what is missing with one line and says so, without sudo for root", function()
    local bin, env = world(0)
    local done = make({ "deps-build" }, env)
    assert.equal(0, done.status, done.stderr)
    assert.matches("^installing for the build: gcc [^\n]*\n$", done.stderr)
    local calls = assert(fs.read(bin .. "/calls"))
    assert.equal(1, select(2, calls:gsub("\napt%-get install ", "")))
    assert.matches("lua%-cjson [^\n]*lua%-argparse", calls)
    assert.is_nil(calls:find("sudo", 1, true))
  end)

  it("uses sudo for everybody else", function()
    local bin, env = world(1000)
    assert.equal(0, make({ "deps-build" }, env).status)
    local calls = assert(fs.read(bin .. "/calls"))
    assert.matches("sudo env DEBIAN_FRONTEND=noninteractive apt%-get install", calls)
  end)

  it("does and says nothing when all is there", function()
    local bin, env = world(0)
    assert(fs.write(bin .. "/dpkg-query", "#!/bin/sh\necho install ok installed\n",
      { mode = 0x1ED }))
    local done = make({ "deps-build" }, env)
    assert.same({ 0, "", "" }, { done.status, done.stdout, done.stderr })
    assert.is_nil(fs.stat(bin .. "/calls"))
  end)
end)

describe("make install", function()
  it("lays a tree that runs from anywhere, for everybody, and takes it away again", function()
    local prefix = support.folder() .. "/a b"
    local old = prefix .. "/share/bittern/lua/cmd/old.lua"
    assert(fs.mkdir(prefix .. "/share/bittern/lua/cmd"))
    assert(fs.write(old, "a command of an earlier version"))
    local argv = { "install", "PREFIX=" .. prefix }
    local done = support.run({ "/bin/sh", "-c", 'umask 077; exec make -s "$@"', "sh",
      "BUILD=" .. build, table.unpack(argv) }, { cwd = support.root })
    assert.equal(0, done.status, done.stderr)
    assert.is_nil(fs.stat(old))
    for path, mode in pairs { ["/bin/bittern"] = 0x1ED, ["/share/bittern/lua"] = 0x1ED,
      ["/share/bittern/lua/cli.lua"] = 0x1A4, ["/share/bittern/docs/index.md"] = 0x1A4,
      ["/lib/bittern/core/http.so"] = 0x1A4, ["/share/man/man1"] = 0x1ED,
      ["/share/man/man1/bittern-tasks.1"] = 0x1A4,
      ["/share/zsh/site-functions/_bittern"] = 0x1A4 } do
      assert.equal(mode, assert(fs.stat(prefix .. path)).mode, path)
    end
    local home = support.folder()
    local function bittern(...)
      return support.run({ prefix .. "/bin/bittern", ... },
        { cwd = "/", env = support.environment(home) })
    end
    assert.matches("^bittern %d", bittern("version").stdout)
    assert.matches(prefix .. "/share/bittern/recipes/rowmix.lua", bittern("--json",
      "scripts").stdout, 1, true)
    -- Loads lib/bittern/core/http.so.
    assert.equal(6, bittern("--coordinator", "http://127.0.0.1:1", "--quiet", "tasks").status)
    assert.equal(0, make({ "uninstall", "PREFIX=" .. prefix }).status)
    assert.equal("", support.run({ "find", prefix, "-type", "f" }).stdout)
  end)
end)

describe("packages", function()
  -- Another user than the one who installed, where we may become one; nothing may be written.
  local function by_another_user(prefix, ...)
    assert.equal(0, support.run({ "chmod", "-R", "a-w", prefix }).status)
    local argv = { prefix .. "/bin/bittern", ... }
    if require "core.sys".uid() == 0 then
      argv = { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", table.unpack(argv) }
    end
    local home = support.folder()
    assert.equal(0, support.run({ "chmod", "0777", home }).status)
    return support.run(argv, { cwd = "/", env = support.environment(home) })
  end

  local function readable(folder)
    assert.equal(0, support.run({ "chmod", "a+rx", folder }).status)
    return folder
  end

  it("are built twice with the same bytes, and the Debian one runs read-only", function()
    local first = make { "deb" }
    assert.equal(0, first.status, first.stderr)
    local path = support.root .. "/" .. first.stdout:match "%S+"
    local bytes = assert(fs.read(path))
    assert.equal(0, make({ "deb" }).status)
    assert.is_true(bytes == assert(fs.read(path)))
    local depends = support.run({ "dpkg-deb", "-f", path, "Depends" }).stdout
    for _, name in ipairs { "liblua5.4-0", "libcurl4", "libssl3", "libarchive13", "lua-cjson",
      "lua-filesystem", "lua-argparse" } do
      assert.matches(name, depends, 1, true)
    end
    local folder = readable(support.folder())
    assert.equal(0, support.run({ "dpkg-deb", "-x", path, folder }).status)
    local done = by_another_user(folder .. "/usr", "--json", "version")
    assert.equal(0, done.status, done.stderr)
    assert.matches('"openssl":"3', done.stdout, 1, true)
  end)

  it("as a tarball run wherever they are unpacked", function()
    local done = make { "tarball" }
    assert.equal(0, done.status, done.stderr)
    local folder = readable(support.folder())
    local path = support.root .. "/" .. done.stdout:match "%S+"
    assert.equal(0, support.run({ "tar", "-xzf", path, "-C", folder }).status)
    local prefix = folder .. "/" .. path:match "([^/]+)%.tar%.gz$"
    local inspected = by_another_user(prefix, "inspect",
      prefix .. "/share/bittern/examples/models/tiny-qwen3")
    assert.equal(0, inspected.status, inspected.stderr)
    assert.matches("2,428,672", inspected.stdout)
  end)
end)

describe("the bill of materials", function()
  it("names every package whose files are loaded, with its version", function()
    local path = support.folder() .. "/sbom.json"
    local done = support.run({ support.bin, "run", support.root .. "/docs/sbom.lua", path })
    assert.equal(0, done.status, done.stderr)
    local list = {}
    for _, entry in ipairs(require "bittern.json".decode(assert(fs.read(path))).packages) do
      list[entry.name] = entry.versionInfo
    end
    for _, name in ipairs { "libc6", "libcurl4", "libsqlite3-0", "lua-cjson", "lua-argparse" } do
      local version = support.run({ "dpkg-query", "-W", "-f", "${Version}", name }).stdout
      assert.equal(version, list[name])
    end
    assert.equal(require "bittern.version", list.bittern)
  end)
end)

describe("make clean", function()
  it("removes the build folder and nothing else", function()
    local folder = support.folder()
    assert(fs.mkdir(folder .. "/build/core"))
    assert(fs.write(folder .. "/build/core/x.o", ""))
    assert.equal(0, make({ "clean", "BUILD=" .. folder .. "/build" }).status)
    assert.is_nil(fs.stat(folder .. "/build"))
    assert.is_truthy(fs.stat(folder))
    assert.is_truthy(fs.stat(support.bin))
  end)
end)
