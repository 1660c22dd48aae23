-- `make bench-compress`: compression of a model made on the spot, its bytes in the page cache, each
-- work beside its aim and a ceiling of the same run. BENCH_ARGS="--bytes 1000000000 --runs 1" makes
-- it smaller, --dir says where.
local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local bench_model = require "tests.bench.model"
local report = require "bittern.report"
local support = require "tests.support"

local options = { bytes = 4000000000, runs = 3 }
do
  local argv = { ... }
  for i = 1, #argv, 2 do
    options[argv[i]:gsub("^%-%-", "")] = math.tointeger(tonumber(argv[i + 1])) or argv[i + 1]
  end
end

local folder = options.dir or support.folder()
local model, out = folder .. "/model", folder .. "/out"
local weights <const> = model .. "/model.safetensors"
local env = support.environment(folder)

local function recipe(name, body)
  local path = ("%s/%s.lua"):format(folder, name)
  assert(fs.write(path, "return { api = 1, about = 'bench', tensor = function(ctx, t)\n"
    .. "if t.rank ~= 2 then return ctx.keep() end\n" .. body .. "\nend }"))
  return path
end

local function run(argv)
  local started = sys.clock()
  local done = assert(process.run { argv = argv, env = env, timeout = 3600 })
  local seconds = sys.clock() - started
  assert(done.status == 0, table.concat(argv, " ") .. "\n" .. done.stderr)
  return seconds
end

local function clear()
  run { "rm", "-rf", out, out .. ".zip" }
end

-- Takes the model out of the page cache, or reads it into it.
local function forget() run { "dd", "if=" .. weights, "iflag=nocache", "count=0" } end
local function read() return run { "dd", "if=" .. weights, "of=/dev/null", "bs=8M" } end

-- Median seconds of a work; `before` comes ahead of each run, and is not counted.
local function time(before, work)
  local seconds = {}
  for i = 1, options.runs do
    before()
    seconds[i] = work()
  end
  clear()
  table.sort(seconds)
  return seconds[(#seconds + 1) // 2]
end

local function compress(path, to, ...)
  return { support.bin, "--quiet", "compress", model, "--recipe", path, "--out", to, ... }
end

local plain = recipe("plain", "return ctx.lowbit { codec = 'b1' }")
local ternary = recipe("ternary", "return ctx.lowbit { codec = 't5', iterations = 3 }")
local columns = recipe("columns", "return ctx.lowbit { codec = 'b1', columns = true }")

local function rowmix(to)
  return compress("rowmix", to, "--budget", "binary", "--set", "base=b1")
end

report.say(("making a model of %d MB"):format(options.bytes // 1000000))
assert(fs.mkdir(model))
local size <const> = bench_model.write(model, options.bytes)

-- Nothing of what was written or removed before is left to do while the clock runs.
local function settle()
  clear()
  run { "sync", "-f", folder }
end

local function warm()
  settle()
  read()
end

local function cold()
  settle()
  forget()
end

local rows = {}
local function add(what, seconds, aim, ceiling, beside)
  local rate = size / seconds / 1e9
  rows[#rows + 1] = { what, ("%.2f s"):format(seconds), ("%.2f"):format(rate), aim or "",
    beside or "", ceiling and ("%.0f %%"):format(100 * rate / ceiling) or "" }
  return rate
end

local cached = add("dd, page cache", time(warm, read))
add("rowmix b1", time(warm, function() return run(rowmix(out)) end), "2.5", cached, "dd")
add("b1 rows", time(warm, function() return run(compress(plain, out)) end), nil, cached, "dd")
add("ternary, 3 iterations", time(warm, function() return run(compress(ternary, out)) end), "0.8",
  cached, "dd")
add("rows and columns", time(warm, function() return run(compress(columns, out)) end), "0.3",
  cached, "dd")
add("rowmix b1, pack, hash", time(warm, function()
  return run(rowmix(out)) + run { support.bin, "--quiet", "pack", out, "--out", out .. ".zip" }
end), "1.0", cached, "dd")
add("rowmix b1 into a zip", time(warm, function() return run(rowmix(out .. ".zip")) end), "1.0",
  cached, "dd")
local written = add("dd, write and sync", time(warm, function()
  return run { "dd", "if=" .. weights, "of=" .. out, "bs=8M", "conv=fsync" }
end))
local hashed = add("hash", time(warm, function() return run { support.bin, "hash", weights } end))
add("pack the model", time(warm, function()
  return run { support.bin, "--quiet", "pack", model, "--out", out .. ".zip" }
end), nil, math.min(written, hashed), "slower of these two")
local disk = add("dd, disk", time(cold, read))
add("b1 rows, disk", time(cold, function() return run(compress(plain, out)) end), nil, disk, "dd")

local titles = { { "WORK (median of " .. options.runs .. ")" }, { "WALL", right = true },
  { "GB/s IN", right = true }, { "AIM", right = true }, { "BESIDE" }, { "RATIO", right = true } }
report.out(("%d MB of bf16, %d cores"):format(size // 1000000, sys.cores()))
for _, line in ipairs(report.table(titles, rows)) do report.out(line) end
return true
