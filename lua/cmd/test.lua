-- bittern test [PATH...]: the tests of scripts, each file with a fresh home of its own.
local fs = require "core.fs"

local script = require "bittern.script"

-- A failure with its place, which assertions say themselves.
local function told(test)
  local message = test.message or "failed"
  local place = test.line and ("%s:%d: "):format(test.file, test.line) or ""
  return message:sub(1, #place) == place and message or place .. message
end

local function show(ctx, records)
  for _, test in ipairs(records) do
    ctx.report.out(("  %-7s %s"):format(test.status == "passed" and "ok" or test.status, test.name))
    if test.status == "failed" then
      ctx.report.out("    " .. told(test):gsub("\n", "\n    "))
    end
  end
end

-- Runs every file; the records of all, with the file that each is of.
local function run_all(ctx, files)
  local run = require "bittern.testing.run"
  local all = {}
  for _, file in ipairs(files) do
    if not ctx.json then ctx.report.out(file) end
    local records, message, code = run.one(file, ctx.json)
    if not records then return nil, message, code end
    if not ctx.json then show(ctx, records) end
    for _, record in ipairs(records) do
      record.of = file
      all[#all + 1] = record
    end
  end
  return all
end

local function count(records)
  local counts = { passed = 0, failed = 0, skipped = 0 }
  for _, record in ipairs(records) do counts[record.status] = counts[record.status] + 1 end
  return counts
end

-- What a run of every test says; no test at all proves nothing.
local function verdict(ctx, records)
  local counts = count(records)
  if ctx.json then
    counts.tests = require("bittern.json").array(records)
    ctx.report.data(counts)
  else
    ctx.report.say(("%d passed, %d failed%s"):format(counts.passed, counts.failed,
      counts.skipped > 0 and (", %d skipped"):format(counts.skipped) or ""))
  end
  return counts.failed == 0 and counts.passed > 0 and 0 or 1
end

-- The test files that are named, else those where scripts of one's own are found.
local function files_of(given)
  local own = script.own_folder()
  local places = #given > 0 and given or fs.stat(own) and { own } or {}
  local files, message, code = require("bittern.testing.run").files(places)
  if not files then return nil, message, code end
  if #files > 0 then return files end
  return nil, ("%s: no file NAME.test.lua is here"):format(places[1]
    and table.concat(places, " ") or own), "no_tests"
end

return {
  api = 1,
  about = "run the tests of your scripts, with a practice coordinator",
  group = "self",
  args = function(parser)
    parser:argument("path", "a script, its NAME.test.lua, or a folder of them"
      .. " (default: where yours are found)"):args "*"
  end,
  run = function(ctx)
    local ready, why, id = require("bittern.testing.suite").ready()
    if not ready then return nil, why, id end
    local files, message, code = files_of(ctx.args.path)
    if not files then return nil, message, code end
    local records, reason, kind = run_all(ctx, files)
    if not records then return nil, reason, kind end
    return verdict(ctx, records)
  end,
}
