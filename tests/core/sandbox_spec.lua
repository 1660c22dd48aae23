local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"
local sandbox = require "core.sandbox"
local sys = require "core.sys"

local support = require "tests.support"

local ECHO <const> = [[
local receive, send = ...
for text in receive do send(text) end]]

-- A child that runs this text.
local function start(text)
  local box = assert(sandbox.start())
  local hello = assert(box:receive(5))
  assert(box:send(text, 5))
  return box, hello
end

local function field(pid, name)
  return assert(fs.read(("/proc/%d/status"):format(pid))):match("\n" .. name .. ":%s*(%S+)")
end

local function limit(pid, name)
  local text = assert(fs.read(("/proc/%d/limits"):format(pid)))
  return tonumber(text:match("\n" .. name .. "%s+%S+%s+(%S+)"))
end

describe("core.sandbox", function()
  it("sends texts both ways, whole, of up to 2 MiB", function()
    local box <close> = start(ECHO)
    for _, text in ipairs { "", "a", "\0\255\n", ("x"):rep(1 << 16), ("y"):rep(2 << 20) } do
      assert(box:send(text, 5))
      assert.is_true(box:receive(5) == text)
    end
    assert.has_error(function() box:send(("z"):rep((2 << 20) + 1), 1) end)
  end)

  it("says of every layer whether it holds", function()
    local box <close>, hello = start(ECHO)
    assert.is_not_nil(box)
    local names = {}
    for name in hello:gmatch("(%S+) %d+\n") do names[#names + 1] = name end
    assert.same({ "no_new_privs", "capabilities", "landlock", "limits", "seccomp" }, names)
    assert.matches("no_new_privs 0\n", hello)
    assert.matches("limits 0\n", hello)
  end)

  it("holds no file, no variable, no capability and no room beyond its own", function()
    local file <close> = assert(io.open(support.model .. "/config.json"))
    local box <close> = start(ECHO)
    local pid = box:pid()
    assert.is_not_nil(file)
    local open = {}
    for name in lfs.dir(("/proc/%d/fd"):format(pid)) do open[#open + 1] = name:match("%d+") end
    table.sort(open)
    assert.same({ "0", "1", "2" }, open)
    assert.equal("", fs.read(("/proc/%d/environ"):format(pid)))
    assert.equal("bittern: sandbox\0", fs.read(("/proc/%d/cmdline"):format(pid)))
    assert.same({ "1", "2", "0000000000000000" },
      { field(pid, "NoNewPrivs"), field(pid, "Seccomp"), field(pid, "CapEff") })
    if not support.sanitized then assert.equal(1 << 30, limit(pid, "Max address space")) end
    assert.same({ 0, 0, 0, 0 }, {
      limit(pid, "Max open files"), limit(pid, "Max file size"), limit(pid, "Max processes"),
      limit(pid, "Max core file size") })
  end)

  it("waits no longer than it is told, and ends a child at once", function()
    local box = start("while true do end")
    local pid, started = box:pid(), sys.clock()
    assert.same({ nil, "the sandbox does not answer", "timeout" }, { box:receive(0.05) })
    -- The pipe is full before anybody reads it.
    local _, _, code = box:send(("x"):rep(1 << 20), 0.05)
    assert.equal("timeout", code)
    box:close()
    assert.is_true(sys.clock() - started < 1)
    assert.is_nil(fs.stat("/proc/" .. pid))
    assert.is_nil(box:pid())
    assert.equal("sandbox (ended)", tostring(box))
    assert.has_error(function() box:receive(1) end, nil)
  end)

  it("says how a child ended", function()
    for text, ending in pairs {
      ["error 'x'"] = "the sandbox ended", ["return"] = "the sandbox ended",
      ["("] = "the sandbox ended", ["\27Lua"] = "the sandbox ended",
    } do
      local box <close> = start(text)
      if support.sanitized then ending = "made a system call that a sandbox has not" end
      assert.same({ nil, ending, "closed_pipe" }, { box:receive(5) })
    end
    local box <close> = start(ECHO)
    support.run { "/bin/kill", "-SYS", tostring(box:pid()) }
    assert.same({ nil, "made a system call that a sandbox has not", "closed_pipe" },
      { box:receive(5) })
  end)

  it("dies with its parent, however that ends", function()
    local file = support.folder() .. "/parent.lua"
    assert(fs.write(file, [[
local box = require("core.sandbox").start()
box:receive(5)
box:send("while true do end", 5)
print(box:pid())
io.stdout:flush()
require("core.sys").sleep(60)]]))
    local parent <close> = assert(process.spawn {
      argv = { support.bin, "run", file }, stdout = "pipe" })
    local pid = assert(parent:read_line(20))
    assert.is_not_nil(fs.stat("/proc/" .. pid))
    parent:kill(9)
    parent:wait(5)
    for _ = 1, 100 do
      if not fs.stat("/proc/" .. pid) then break end
      sys.sleep(0.02)
    end
    assert.is_nil(fs.stat("/proc/" .. pid))
  end)
end)
