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
