local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"
local support = require "tests.support"

local function names_in(folder)
  local names = {}
  for name in lfs.dir(folder) do
    if name ~= "." and name ~= ".." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

describe("core.fs", function()
  it("lists what is in a folder, and says why it cannot", function()
    local folder = support.folder()
    assert.same({}, fs.list(folder))
    local names = {}
    for i = 1, 1200 do
      names[i] = ("%04d-%s"):format(i, ("x"):rep(60))
      assert(fs.write(folder .. "/" .. names[i], ""))
    end
    local found = assert(fs.list(folder))
    table.sort(found)
    assert.same(names, found)
    assert.equal("not_found", select(3, fs.list(folder .. "/none")))
    assert.equal("not_found", select(3, fs.list(folder .. "/" .. names[1])))
  end)

  it("writes whole files under their final name, with the mode asked for", function()
    local folder = support.folder()
    assert.is_true(fs.write(folder .. "/a", "hello", { mode = 384 }))
    assert.equal("hello", fs.read(folder .. "/a"))
    assert.equal(384, fs.stat(folder .. "/a").mode)
    assert.same({ "a" }, names_in(folder))
  end)

  it("replaces nothing when asked to be exclusive", function()
    local path = support.folder() .. "/a"
    assert(fs.write(path, "old", { exclusive = true }))
    local value, message, code = fs.write(path, "new", { exclusive = true })
    assert.is_nil(value)
    assert.equal("exists", code)
    assert.equal(path .. ": File exists", message)
    local writer <close> = assert(fs.create(path, { exclusive = true }))
    assert(writer:write("new"))
    assert.equal("exists", select(3, writer:commit()))
    assert.equal("old", fs.read(path))
    assert.same({ "a" }, names_in(path:match("^(.*)/")))
  end)

  it("drops what is not committed", function()
    local folder = support.folder()
    do
      local writer <close> = assert(fs.create(folder .. "/a"))
      assert(writer:write("half"))
      assert.equal(4, writer:tell())
      assert.equal("half", fs.read(writer:temporary()))
    end
    assert.same({}, names_in(folder))
  end)

  it("keeps the old file until the new one is whole", function()
    local folder = support.folder()
    assert(fs.write(folder .. "/a", "old"))
    local writer = assert(fs.create(folder .. "/a"))
    assert(writer:write("new"))
    assert.equal("old", fs.read(folder .. "/a"))
    assert(writer:commit())
    assert.equal("new", fs.read(folder .. "/a"))
    assert.has_error(function() writer:write("more") end)
  end)

  it("keeps a part until it is committed", function()
    local folder = support.folder()
    do
      local part <close> = assert(fs.part(folder .. "/a"))
      assert(part:write("half"))
      assert(part:sync())
    end
    assert.same({ "a.part" }, names_in(folder))
    local part <close> = assert(fs.part(folder .. "/a"))
    assert.equal(4, part:size())
    assert(part:truncate(2))
    assert(part:write_at(2, "ms"))
    assert(part:commit())
    assert.same({ "a" }, names_in(folder))
    assert.equal("hams", fs.read(folder .. "/a"))
  end)

  it("lets one writer at a time fill a part", function()
    local folder = support.folder()
    local part <close> = assert(fs.part(folder .. "/a"))
    local _, message, code = fs.part(folder .. "/a")
    assert.equal("locked", code)
    assert.equal(folder .. "/a.part: another process holds it", message)
    assert(part:commit())
    local other <close> = assert(fs.part(folder .. "/a"))
    assert.equal(0, other:size())
  end)

  it("follows no link to a part", function()
    local folder = support.folder()
    assert(fs.write(folder .. "/b", "mine"))
    assert(lfs.link(folder .. "/b", folder .. "/a.part", true))
    assert.is_nil(fs.part(folder .. "/a"))
    assert.equal("mine", fs.read(folder .. "/b"))
  end)

  it("fills a file of known layout in any order", function()
    local path = support.folder() .. "/holes"
    local writer <close> = assert(fs.create(path))
    assert(writer:write_at(4, "tail"))
    assert(writer:write_at(0, "head"))
    assert.equal(0, writer:tell())
    assert.has_error(function() writer:write_at(-1, "x") end)
    assert(writer:commit())
    assert.equal("headtail", fs.read(path))
  end)

  it("follows no link that lies at the temporary name and refuses a missing folder", function()
    local value, message, code = fs.write(support.folder() .. "/none/a", "x")
    assert.is_nil(value)
    assert.equal("not_found", code)
    assert.matches("none/a: No such file", message)
  end)

  it("says disk_full and leaves nothing when the file may not grow", function()
    local folder = support.folder()
    local script = folder .. "/big.lua"
    assert(fs.write(script, [[
      local fs = require "core.fs"
      local value, message, code = fs.write(..., ("x"):rep(1 << 20))
      require("bittern.report").out(tostring(value) .. " " .. code)
    ]]))
    local target = folder .. "/target"
    local done = support.run({ "/bin/sh", "-c", 'ulimit -f 64; exec "$@"', "sh",
      support.bin, "run", script, target }, { env = support.environment(folder) })
    assert.equal("nil disk_full\n", done.stdout)
    assert.same({ "big.lua" }, names_in(folder))
  end)

  it("caps what it reads, devices too", function()
    local value, message, code = fs.read("/dev/zero", 1000)
    assert.is_nil(value)
    assert.equal("too_large", code)
    assert.matches("/dev/zero: larger than 1000 bytes", message)
    assert.equal(0, #fs.read("/dev/null"))
  end)

  -- More than one slice, and nobody says how much is to come.
  it("reads a pipe to its end", function()
    local path = support.folder() .. "/pipe"
    assert.equal(0, process.run({ argv = { "mkfifo", path } }).status)
    local writer <close> = assert(process.spawn {
      argv = { "/bin/sh", "-c", 'yes bittern | head -c 200000 > "$0"', path },
    })
    assert.equal(("bittern\n"):rep(25000), fs.read(path))
    assert.equal(0, writer:wait(5).status)
  end)

  it("makes folders with their parents", function()
    local folder = support.folder()
    assert.is_true(fs.mkdir(folder .. "/a/b/c"))
    assert.is_true(fs.mkdir(folder .. "/a/b/c"))
    assert.equal("directory", fs.stat(folder .. "/a/b/c").type)
    assert(fs.write(folder .. "/f", ""))
    assert.is_nil((fs.mkdir(folder .. "/f")))
  end)

  it("locks once, and lets go when closed", function()
    local path = support.folder() .. "/lock"
    local lock = assert(fs.lock(path))
    local second, message, code = fs.lock(path)
    assert.is_nil(second)
    assert.equal("locked", code)
    assert.matches("another process holds it", message)
    lock:close()
    lock:close()
    assert.is_not_nil(fs.lock(path))
  end)

  it("refuses paths that C would cut short", function()
    assert.has_error(function() fs.read("a\0b") end)
    assert.has_error(function() fs.read(("x"):rep(5000)) end)
    assert.has_error(function() fs.read("") end)
  end)
end)
