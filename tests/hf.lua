-- `make check-hf`: packed artifacts loaded by transformers itself, beside our own numbers. Says
-- what it skipped and why where torch and transformers are missing. PYTHON names the interpreter.
local buffer = require "core.buffer"
local fs = require "core.fs"

local load = require "bittern.eval.load"
local models = require "bittern.model"
local packed = require "bittern.artifact.packed"
local report = require "bittern.report"
local support = require "tests.support"

local TOLERANCE <const> = 1e-3 -- of logits: two orders of summation in f32

local python = os.getenv("PYTHON") or "python3"
local home = support.folder()
local counts = { passed = 0, failed = 0, skipped = 0 }

local function finish()
  report.out(("%d passed, %d failed, %d skipped"):format(counts.passed, counts.failed,
    counts.skipped))
  return counts.failed == 0 and 0 or 1
end

local function run(argv)
  return support.run({ "/usr/bin/env", table.unpack(argv) }, { timeout = 600 })
end

local function hf(...)
  return run { python, support.root .. "/tests/fixtures/hf.py", ... }
end

-- One check: `run` returns what is wrong with it, or nil.
local function check(name, test)
  local problem = test()
  counts[problem and "failed" or "passed"] = counts[problem and "failed" or "passed"] + 1
  report.out(("%-8s %s%s"):format(problem and "FAILED" or "passed", name,
    problem and "\n" .. problem or ""))
end

local function bittern(...)
  local done = support.bittern(home, { "--quiet", ... })
  return done.status ~= 0 and done.stderr or nil
end

local recipe = home .. "/mixed.lua"
assert(fs.write(recipe, [[
return { api = 1, about = "all that the format has", tensor = function(ctx, t)
  if t.rank ~= 2 then return ctx.keep() end
  return ctx.lowbit { codec = "t5", group = 16, rescue = t.rows > 2 and 2 or 0 }
end }]]))

local function our_logits(dir, text)
  local model <close> = assert(models.open(dir))
  local runnable = assert(load.start(assert(load.read(model)), { exact = true }))
  return assert(runnable:logits(buffer.from_bytes(text, 1))), assert(packed.parameters(model))
end

local function largest_difference(a, b)
  local largest = #a == #b and 0 or math.huge
  for i = 0, math.min(#a, #b) - 1 do
    local difference = math.abs(a:get(i) - b:get(i))
    largest = difference > largest and difference or difference ~= difference and math.huge
      or largest
  end
  return largest
end

local function check_shipped()
  local dir, text = home .. "/tiny", home .. "/text"
  local problem = bittern("compress", support.model, "--budget", "binary", "--out", dir)
  if problem then return problem end
  local sample = assert(fs.read(support.model .. "/heldout.txt")):sub(1, 200)
  assert(fs.write(text, sample))
  local done = hf("load", dir, text, home .. "/logits")
  if done.status ~= 0 then return done.stderr end
  local logits, parameters = our_logits(dir, sample)
  if math.tointeger(tonumber(done.stdout)) ~= parameters then
    return ("transformers counts %s parameters, we %d"):format(done.stdout, parameters)
  end
  local theirs = buffer.from("f32", assert(fs.read(home .. "/logits")))
  local difference = largest_difference(logits, theirs)
  return difference > TOLERANCE and ("logits differ by %g"):format(difference) or nil
end

local function check_architecture(name)
  local dir, dense = home .. "/packed-" .. name, home .. "/dense-" .. name
  local problem = bittern("compress", home .. "/" .. name, "--recipe", recipe, "--out", dir)
    or bittern("convert", dir, dense, "--to", "f32")
  if problem then return problem end
  local done = hf("same", dir, dense)
  return done.status ~= 0 and done.stderr or nil
end

local there = hf("what")
if there.status ~= 0 then
  counts.skipped = 1
  local why = (there.stderr .. there.stdout):match("([^\n]+)\n*$") or "no answer"
  report.out(("skipped  loading by transformers: %s says: %s"):format(python, why))
  return finish()
end
report.out(there.stdout:gsub("\n", "  "))
check("tiny-qwen3: logits as `bittern eval` has them, parameters as we count", check_shipped)
local made = hf("make", home)
report.out((made.stderr:gsub("\n+$", "")))
for name in made.stdout:gmatch("%S+") do
  check(name .. ": the same parameters packed and dense", function()
    return check_architecture(name)
  end)
end
return finish()
