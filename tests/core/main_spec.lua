local fs = require "core.fs"
local support = require "tests.support"

describe("the program", function()
  -- Runs it with some of its standard streams closed, as `bittern ... >&-` does.
  local function run(closed, script, ...)
    local path = support.folder() .. "/script.lua"
    assert(fs.write(path, script))
    return support.run { "/bin/sh", "-c", 'exec "$0" run "$@" ' .. closed, support.bin, path, ... }
  end

  it("keeps what is printed out of its files when its standard streams are closed", function()
    local target = support.folder() .. "/ledger"
    local done = run("<&- >&- 2>&-", [[
      local files = {}
      for i = 1, 3 do files[i] = assert(io.open(... .. i, "w")) end
      io.stderr:write("for people")
      io.stdout:write("data")
      io.stdout:flush()
    ]], target)
    assert.equal(0, done.status)
    for i = 1, 3 do assert.equal("", fs.read(target .. i)) end
  end)

  it("learns how its children end where SIGCHLD was ignored", function()
    local path = support.folder() .. "/script.lua"
    assert(fs.write(path, [[
      local box = assert(require "core.sandbox".start())
      assert(box:receive(5))
      os.execute("kill -9 " .. box:pid())
      print((select(2, box:receive(5))))]]))
    assert.equal("the sandbox was ended by signal 9\n", support.run({ "/usr/bin/env",
      "--ignore-signal=CHLD", support.bin, "run", path }).stdout)
  end)

  it("loads no module from the current directory or a path of the environment", function()
    local folder = support.folder()
    for _, name in ipairs { "argparse", "lfs", "cjson", "bittern", "init" } do
      assert(fs.write(folder .. "/" .. name .. ".lua", "os.exit(66)"))
    end
    local own = folder .. "/?.lua;./?.lua"
    local done = support.run({ support.bin, "hash", "lfs.lua" }, { cwd = folder, env = {
      HOME = folder, LUA_PATH = own, LUA_PATH_5_4 = own, LUA_CPATH = "./?.so",
      LUA_INIT = "os.exit(66)",
    } })
    assert.equal(0, done.status, done.stderr)
    local path = folder .. "/s.lua"
    assert(fs.write(path, 'print(package.path .. ";" .. package.cpath)'))
    for entry in support.run({ support.bin, "run", path }).stdout:gmatch("[^;\n]+") do
      assert.matches("^/", entry)
    end
  end)

  it("reads nothing from a closed stdin, and fails when its data has nowhere to go", function()
    assert.equal("nothing\n", run("<&-",
      'require("bittern.report").out(io.read("a") == "" and "nothing" or "something")').stdout)
    local done = run(">&-", 'local f = io.open("/dev/null", "w") '
      .. 'require("bittern.report").out("data") f:close()')
    assert.equal(13, done.status)
    assert.matches("stdout: ", done.stderr, 1, true)
  end)
end)
