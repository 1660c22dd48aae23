-- core.process: results, caps, deadlines, groups, and what a child inherits.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"
local support = require "tests.support"

local function run(...)
  return assert(process.run { argv = { ... }, timeout = 20 })
end

local function shell(source, options)
  local all = { argv = { "/bin/sh", "-c", source }, timeout = 20 }
  for key, value in pairs(options or {}) do all[key] = value end
  return assert(process.run(all))
end

-- Whether a process exists and is not a zombie.
local function alive(pid)
  local status = fs.read(("/proc/%d/stat"):format(pid))
  return status ~= nil and not status:find("%) Z ")
end

local function becomes_true(check)
  for _ = 1, 60 do
    if check() then return true end
    sys.sleep(0.05)
  end
  return false
end

describe("process.run", function()
  it("gives status and both streams", function()
    local done = shell("echo out; echo err >&2; exit 3")
    local expected = { status = 3, stdout = "out\n", stderr = "err\n" }
    expected.timed_out, expected.truncated = false, false
    expected.peak_memory = done.peak_memory
    assert.same(expected, done)
  end)

  it("passes arguments as they are, with no shell between", function()
    local odd = { "a b", "$HOME", "*", "", "'\"\\", "-n" }
    local done = run("/usr/bin/printf", "%s\n", table.unpack(odd))
    assert.equal(table.concat(odd, "\n") .. "\n", done.stdout)
  end)

  it("finds a bare name in PATH, and says when there is none", function()
    assert.equal(0, run("true").status)
    local done, message, code = process.run { argv = { "no-such-program-here" } }
    assert.is_nil(done)
    assert.equal("no-such-program-here: no such program in PATH", message)
    assert.equal("not_found", code)
  end)

  it("reports a failed exec with its reason", function()
    local _, message, code = process.run { argv = { "/no/such/program" } }
    assert.equal("/no/such/program: No such file or directory", message)
    assert.equal("not_found", code)
    _, message, code = process.run { argv = { "/etc" } }
    assert.equal("/etc: Permission denied", message)
    assert.equal("denied", code)
    _, message = process.run { argv = { "/bin/true" }, cwd = "/no/such/folder" }
    assert.equal("/no/such/folder: No such file or directory", message)
  end)

  it("starts in cwd with exactly the environment given", function()
    local folder = support.folder()
    local done = shell("pwd; env", { cwd = folder, env = { A = "1", B = "x=y" } })
    local lines = {}
    for line in done.stdout:gmatch("[^\n]+") do lines[line] = true end
    assert.is_true(lines[folder] and lines["A=1"] and lines["B=x=y"])
    assert.is_nil(done.stdout:find("HOME="))
    assert.is_truthy(shell("echo $PATH").stdout:find(os.getenv("PATH"), 1, true))
  end)

  it("feeds input larger than a pipe while it reads", function()
    local input = ("0123456789abcdef"):rep(1 << 16)
    local done = assert(process.run { argv = { "cat" }, input = input, max_output = 2 << 20 })
    assert.is_true(done.stdout == input)
    assert.is_false(done.truncated)
  end)

  it("survives a child that does not read its input", function()
    assert.equal(0, shell("exec true", { input = ("x"):rep(1 << 20) }).status)
  end)

  it("gives an empty standard input when none is given", function()
    assert.equal("", run("cat").stdout)
  end)

  it("caps each stream, keeps draining and says so", function()
    local done = shell("head -c 3000000 /dev/zero; echo end >&2", { max_output = 1000 })
    assert.equal(0, done.status)
    assert.equal(1000, #done.stdout)
    assert.equal("end\n", done.stderr)
    assert.is_true(done.truncated)
    done = shell("printf 1234", { max_output = 4 })
    assert.is_false(done.truncated)
  end)

  it("ends at the deadline, grandchildren too", function()
    local started = sys.clock()
    local done = shell("sleep 60 & echo $!; wait", { timeout = 0.2 })
    assert.is_true(done.timed_out)
    assert.equal(15, done.signal)
    assert.is_true(sys.clock() - started < 2)
    assert.is_true(becomes_true(function() return not alive(tonumber(done.stdout)) end))
  end)

  it("kills what ignores the polite request", function()
    local started = sys.clock()
    local done = shell("trap '' TERM; while :; do sleep 0.05; done", { timeout = 0.2 })
    assert.is_true(done.timed_out)
    assert.equal(9, done.signal)
    assert.is_true(sys.clock() - started < 3)
  end)

  it("ends what a child leaves behind instead of waiting for it", function()
    local started = sys.clock()
    local done = shell("sleep 60 & echo $!; exit 0")
    assert.equal(0, done.status)
    assert.is_true(sys.clock() - started < 2)
    assert.is_true(becomes_true(function() return not alive(tonumber(done.stdout)) end))
  end)

  it("gives children default signals and none of our descriptors", function()
    local lock <close> = assert(fs.lock(support.folder() .. "/lock"))
    local done = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l")
    assert.is_truthy(done.stdout:find("SigBlk:%s*0+\n"))
    local ignored = tonumber(done.stdout:match("SigIgn:%s*(%x+)"), 16)
    assert.equal(0, ignored & (1 << 12 | 1 << 24 | 1 << 1 | 1 << 14), "PIPE, XFSZ, INT, TERM")
    assert.equal(4, tonumber(done.stdout:match("(%d+)%s*$")), "0, 1, 2 and ls's own")
    assert.is_truthy(lock)
  end)

  it("names the signal that ended a child", function()
    assert.equal(11, shell("kill -SEGV $$").signal)
  end)

  it("raises for misuse", function()
    assert.has_error(function() process.run { argv = {} } end, "option 'argv' is empty")
    assert.has_error(function() process.run { argv = { "true" }, timout = 1 } end,
      "unknown option 'timout'")
    assert.has_error(function() process.run { argv = { "bin/true" } } end,
      "program 'bin/true' must be absolute or a name in PATH")
    assert.has_error(function() process.run { argv = { "true", "a\0b" } } end,
      "option 'argv': a zero byte inside")
    assert.has_error(function() process.run { argv = { "true" }, env = { ["A=B"] = "c" } } end,
      "option 'env': '=' in the name A=B")
  end)
end)

local function sh(source)
  return assert(process.spawn { argv = { "/bin/sh", "-c", source }, stdout = "pipe" })
end

local function bittern(script)
  return assert(process.spawn { argv = { support.bin, "run", script }, stdout = "pipe",
    stderr = "null" })
end

describe("process.spawn", function()
  it("waits, and says when it waited in vain", function()
    local child <close> = assert(process.spawn { argv = { "sleep", "0.3" } })
    assert.is_true(alive(child:pid()))
    local done, _, code = child:wait(0.02)
    assert.is_nil(done)
    assert.equal("timeout", code)
    assert.equal(0, child:wait(5).status)
    assert.equal(0, child:wait().status)
    assert.is_true(child:wait().peak_memory > 100000)
    assert.is_nil(child:pid())
    assert.is_false(child:kill())
  end)

  it("reads lines from a pipe as they come, to the end", function()
    local source = "echo one; sleep 0.2; echo two; printf last"
    local child <close> = sh(source)
    assert.equal("one", child:read_line(5))
    local line, _, code = child:read_line(0)
    assert.is_nil(line)
    assert.equal("timeout", code)
    assert.equal("two", child:read_line(5))
    assert.equal("last", child:read_line(5))
    assert.equal("closed_pipe", select(3, child:read_line(5)))
  end)

  it("appends streams to files", function()
    local path = support.folder() .. "/log"
    for i = 1, 2 do
      local child <close> = assert(process.spawn {
        argv = { "/bin/sh", "-c", "echo out$1; echo err$1 >&2", "sh", tostring(i) },
        stdout = path, stderr = path })
      assert.equal(0, child:wait(5).status)
    end
    assert.equal("out1\nerr1\nout2\nerr2\n", fs.read(path))
    local child, message, code = process.spawn { argv = { "true" }, stdout = "/no/such/log" }
    assert.is_nil(child)
    assert.equal("/no/such/log: No such file or directory", message)
    assert.equal("not_found", code)
  end)

  it("signals the whole group", function()
    local child <close> = sh "sleep 60 & echo $!; wait"
    local grandchild = tonumber(child:read_line(5))
    assert.is_true(child:kill())
    assert.equal(15, child:wait(5).signal)
    assert.is_true(becomes_true(function() return not alive(grandchild) end))
  end)

  it("ends the child when it is closed, twice, or collected", function()
    local child = assert(process.spawn { argv = { "sleep", "60" } })
    local pid = child:pid()
    child:close()
    child:close()
    assert.is_false(alive(pid))
    assert.equal("child (ended)", tostring(child))
    pid = assert(process.spawn { argv = { "sleep", "60" } }):pid()
    collectgarbage()
    collectgarbage()
    assert.is_false(alive(pid))
  end)

  it("dies with its parent, however that ends", function()
    local script = support.folder() .. "/parent.lua"
    assert(fs.write(script, [[
      local child = require("core.process").spawn { argv = { "sleep", "60" } }
      print(child:pid())
      io.stdout:flush()
      require("core.sys").sleep(60)]]))
    local parent <close> = bittern(script)
    local pid = tonumber(parent:read_line(10))
    assert.is_true(alive(pid))
    parent:kill(9)
    assert.equal(9, parent:wait(5).signal)
    assert.is_true(becomes_true(function() return not alive(pid) end))
  end)

  it("is ended by Ctrl-C in its parent within a second", function()
    local script = support.folder() .. "/parent.lua"
    assert(fs.write(script, [[
      print("ready")
      io.stdout:flush()
      local source = "trap '' TERM; while :; do sleep 0.1; done"
      require("core.process").run { argv = { "/bin/sh", "-c", source } }]]))
    local parent <close> = bittern(script)
    assert.equal("ready", parent:read_line(10))
    sys.sleep(0.2)
    local started = sys.clock()
    parent:kill(2)
    assert.equal(130, parent:wait(5).status)
    assert.is_true(sys.clock() - started < 1)
  end)
end)
