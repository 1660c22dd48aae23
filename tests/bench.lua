-- `make bench`: start-up, listing against loopback, and the stages of the main job, each beside a
-- ceiling of the same run. Ratios travel between machines; seconds do not.
local fs = require "core.fs"
local sys = require "core.sys"
local process = require "core.process"

local report = require "bittern.report"
local support = require "tests.support"

local folder = support.folder()
local env = support.environment(folder)

-- Runs a command `count` times: median seconds, and what the last run gave.
local function time(count, argv)
  local seconds, done = {}, nil
  for i = 1, count do
    local started = sys.clock()
    done = assert(process.run { argv = argv, env = env, timeout = 300 })
    seconds[i] = sys.clock() - started
    assert(done.status == 0, table.concat(argv, " ") .. "\n" .. done.stderr)
  end
  table.sort(seconds)
  return seconds[(count + 1) // 2], done
end

local function milliseconds(seconds)
  return ("%.1f ms"):format(seconds * 1e3)
end

local function show(columns, rows)
  for _, line in ipairs(report.table(columns, rows)) do report.out(line) end
  report.out("")
end

local function commands(url)
  local start = time(21, { support.bin, "version" })
  local none = time(21, { "/bin/true" })
  local list = time(21, { support.bin, "--coordinator", url, "tasks" })
  local curl = time(21, { "curl", "-fsS", "-o", "/dev/null", url .. "/api/v1/tasks" })
  show({ { "COMMAND (median of 21)" }, { "WALL", right = true }, { "BESIDE" },
    { "WALL", right = true }, { "RATIO", right = true } }, {
    { "bittern version", milliseconds(start), "/bin/true", milliseconds(none),
      ("%.1f"):format(start / none) },
    { "bittern tasks", milliseconds(list), "curl, same URL", milliseconds(curl),
      ("%.1f"):format(list / curl) },
  })
end

local function megabytes(bytes)
  return ("%.1f"):format(bytes / 1e6)
end

-- Stages of the main job on the shipped model, each as the command that users type.
local function stages()
  local model, text = support.model, support.model .. "/heldout.txt"
  local size = fs.stat(model .. "/model.safetensors").size
  local out, zip = folder .. "/packed", folder .. "/packed.zip"
  local list = {
    { "eval dense", size, { "eval", model, "--text", text } },
    { "compress rowmix b1", size, { "compress", model, "--recipe", "rowmix", "--set", "base=b1",
      "--budget", "binary", "--out", out } },
    { "pack", nil, { "pack", out, "--out", zip } },
    { "hash", nil, { "hash", zip } },
    { "verify", nil, { "verify", zip } },
    { "eval packed", nil, { "eval", zip, "--text", text } },
  }
  local rows = {}
  for _, stage in ipairs(list) do
    local seconds, done = time(3, { support.bin, "--quiet", table.unpack(stage[3]) })
    local bytes = stage[2] or fs.stat(zip).size
    rows[#rows + 1] = { stage[1], ("%.3f s"):format(seconds), megabytes(bytes),
      megabytes(bytes / seconds), megabytes(done.peak_memory) }
  end
  show({ { "STAGE (median of 3)" }, { "WALL", right = true }, { "MB IN", right = true },
    { "MB/S", right = true }, { "PEAK MB", right = true } }, rows)
end

-- Rates that no stage can pass on this machine.
local function ceilings()
  local sha256 = require "core.sha256"
  local block = ("x"):rep(64 << 20)
  local started = sys.clock()
  sha256.hex(block)
  local hashing = #block / (sys.clock() - started)
  started = sys.clock()
  assert(fs.write(folder .. "/block", block))
  local writing = #block / (sys.clock() - started)
  show({ { "CEILING" }, { "MB/S", right = true } }, {
    { "SHA-256 in memory, one core", megabytes(hashing) },
    { "write and sync 64 MiB", megabytes(writing) },
  })
end

local serving = require "tests.practice.serving"
assert(fs.mkdir(folder .. "/coordinator"))
local server, url = serving.start(folder .. "/coordinator", { "--no-validator" })
commands(url)
stages()
ceilings() -- last: a child's peak counts what its parent held at the fork
serving.stop(server)
