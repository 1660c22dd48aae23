-- `make bench-transfer`: downloads from nginx on loopback beside curl, sha256sum and aria2c.
-- BENCH_ARGS="--bytes 500000000 --runs 1" makes it smaller, --dir says where.
local fs = require "core.fs"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local nginx = require "tests.nginx"
local report = require "bittern.report"
local support = require "tests.support"

local MB <const> = 1000000
local THROTTLED <const> = 200 * MB -- bytes fetched where every connection is held to 50 MB/s

local options = { bytes = 2000 * MB, runs = 3 }
do
  local argv = { ... }
  for i = 1, #argv, 2 do
    options[argv[i]:gsub("^%-%-", "")] = math.tointeger(tonumber(argv[i + 1])) or argv[i + 1]
  end
end

local folder = options.dir or support.folder()

local function make_file(path, bytes)
  local writer <close> = assert(fs.create(path))
  local block = sys.random(256):rep(1 << 15)
  for first = 0, bytes - 1, #block do
    assert(writer:write(block:sub(1, math.min(#block, bytes - first))))
  end
  assert(writer:commit())
end

-- Seconds and peak memory of a shell command: of the largest of its processes.
local function run(command)
  local status, seconds, memory = support.cost_of(folder, { "/bin/sh", "-c", command })
  assert(status == 0, command)
  return seconds, memory
end

-- Median seconds, greatest memory.
local function time(command)
  local seconds, memory = {}, 0
  for i = 1, options.runs do
    os.execute(("rm -f '%s/out'*"):format(folder))
    local peak
    seconds[i], peak = run(command)
    memory = math.max(memory, peak)
  end
  table.sort(seconds)
  return seconds[(#seconds + 1) // 2], memory
end

local server = nginx.start [[ location /slow/ { alias $dir/www/; limit_rate 50m; } ]]
make_file(server.www .. "/f", options.bytes)
make_file(server.www .. "/s", THROTTLED)

local rows = {}
local function add(name, bytes, command)
  local seconds, memory = time((command:gsub("%$(%u+)", { OUT = folder .. "/out", DIR = folder,
    BITTERN = support.bin .. " --quiet download", URL = server.url .. "/f",
    SLOW = server.url .. "/slow/s" })))
  rows[#rows + 1] = { name, ("%.2f s"):format(seconds), ("%.0f"):format(bytes / seconds / MB),
    ("%.0f"):format(memory / MB) }
  return seconds, memory
end

local curl = add("curl", options.bytes, "curl -fsS -o $OUT $URL")
local both = add("curl, then sha256sum", options.bytes, "curl -fsS -o $OUT $URL && sha256sum $OUT")
local synced = add("curl, then sync", options.bytes, "curl -fsS -o $OUT $URL && sync $OUT")
local ours, memory = add("bittern, hash included", options.bytes, "$BITTERN $URL --to $OUT")
local aria = add("aria2c, 8 connections, no hash", options.bytes,
  "aria2c -q -x8 -s8 -k4M --file-allocation=none -d $DIR -o out $URL")
local one = add("bittern, 50 MB/s a connection, 1", THROTTLED,
  "$BITTERN $SLOW --to $OUT --parallel 1")
local eight = add("bittern, 50 MB/s a connection, 8", THROTTLED,
  "$BITTERN $SLOW --to $OUT --parallel 8")
local aria_eight = add("aria2c, 50 MB/s a connection, 8", THROTTLED,
  "aria2c -q -x8 -s8 -k4M --file-allocation=none -d $DIR -o out $SLOW")

-- What no download that hashes can pass here.
local block = ("x"):rep(256 * MB)
local started = sys.clock()
sha256.hex(block)
rows[#rows + 1] = { "SHA-256 in memory, one core", "",
  ("%.0f"):format(#block / (sys.clock() - started) / MB), "" }
server.close()

for _, line in ipairs(report.table({ { ("%d MB, median of %d"):format(options.bytes // MB,
  options.runs) }, { "WALL", right = true }, { "MB/S", right = true },
  { "PEAK MB", right = true } }, rows)) do
  report.out(line)
end
report.out("")
local function ratio(what, aim, value)
  report.out(("%-48s %5.2f  (aim %s)"):format(what, value, aim))
end
ratio("curl's time / ours", "1", curl / ours)
ratio("time of curl, then sync / ours", "1", synced / ours)
ratio("time of curl, then sha256sum / ours", "1.5", both / ours)
ratio("aria2c's time / ours", "1", aria / ours)
ratio("throttled: one connection's time / eight's", "7", one / eight)
ratio("throttled: aria2c's time / ours", "1", aria_eight / eight)
ratio("bittern's memory at its peak, in MB", "below 64", memory / MB)
