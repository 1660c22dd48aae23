-- The main job, end to end, on a practice coordinator of its own: `make demo`.
-- Two tasks that mirror production's are mined with the shipped model, then the best are shown.
-- Everything happens on loopback and in a temporary folder that is gone afterwards.
local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"
local sys = require "core.sys"

local hex = require "bittern.hex"
local json = require "bittern.json"
local paths = require "bittern.paths"
local report = require "bittern.report"

local BITTERN <const> = sys.exe()
local MODEL <const> = paths.root() .. "/examples/models/tiny-qwen3"

local tasks = {
  { slug = "tiny-binary-frontier", base = "b1" },
  { slug = "tiny-ternary-frontier", base = "t5" },
}

local function new_folder()
  local id = hex.encode(sys.random(8))
  local folder = ("%s/bittern-demo-%s"):format(os.getenv("TMPDIR") or "/tmp", id)
  local made, message, code = fs.mkdir(folder, 448) -- 0700
  if not made then return nil, message, code end
  return folder
end

local function remove(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then remove(path .. "/" .. name) end
    end
  end
  fs.remove(path)
end

-- A user of our own: nothing is read from or written to the home of who runs the demo.
local function environment(folder, url)
  return {
    HOME = folder, PATH = os.getenv("PATH"), LANG = os.getenv("LANG"), TERM = os.getenv("TERM"),
    NO_COLOR = os.getenv("NO_COLOR"), BITSOTA_COORDINATOR_URL = url,
  }
end

-- What the coordinator and its validator complained about.
local function log(folder)
  return report.clean(fs.read(folder .. "/coordinator.log") or "", true)
end

local function start_coordinator(folder)
  local server, message, code = process.spawn {
    argv = { BITTERN, "practice", "serve", "--state", folder .. "/coordinator", "--port", "0" },
    env = environment(folder), stdout = "pipe", stderr = folder .. "/coordinator.log",
  }
  if not server then return nil, message, code end
  local line
  line, message, code = server:read_line(30)
  if not line then
    return nil, "the practice coordinator did not start: " .. message .. "\n" .. log(folder), code
  end
  local ready = json.decode(line)
  if type(ready) ~= "table" or not ready.url then
    return nil, "the practice coordinator said: " .. report.clean(line), "invalid_response"
  end
  return server, ready.url
end

-- Runs this program; its stdout comes back when `capture` is set, its exit code otherwise too.
local function bittern(argv, env, capture)
  local child <close>, message, code = process.spawn {
    argv = { BITTERN, table.unpack(argv) }, env = env, stderr = "inherit",
    stdout = capture and "pipe" or "inherit",
  }
  if not child then return nil, message, code end
  local text
  if capture then
    text, message, code = child:read_line()
    if not text and code ~= "closed_pipe" then return nil, message, code end
  end
  local ended
  ended, message, code = child:wait()
  if not ended then return nil, message, code end
  return ended.status or 128 + ended.signal, text
end

local function mine(task, folder, env)
  report.say("")
  report.say(task.slug)
  local status, text, code = bittern({
    "mine", task.slug, "--model", MODEL, "--recipe", "rowcol", "--set", "base=" .. task.base,
    "--text", MODEL .. "/heldout.txt", "--publish", "practice",
    "--hotkey-file", folder .. "/hotkey", "--timeout", "60", "--json",
  }, env, true)
  if not status then return nil, text, code end
  local result = json.decode(text or "")
  return type(result) == "table" and result or {}, status
end

local function row(task, result)
  local steps = result.steps
  if not steps then
    local why = result.error and result.error.message or "failed"
    return { task.slug, "", "", "", "", "", why }
  end
  local parameters = steps.eval.packed.parameter_count
  return {
    task.slug, report.thousands(parameters), ("%.4f"):format(steps.hash.bits),
    ("%.4f"):format(8 * steps.compress.budget / parameters),
    ("%.4f"):format(steps.eval.dense.heldout_ppl), ("%.4f"):format(steps.eval.packed.heldout_ppl),
    steps.track.status, submission = steps.submit.id,
  }
end

local columns = {
  { "TASK" }, { "PARAMS", right = true }, { "BITS", right = true }, { "ALLOWED", right = true },
  { "DENSE PPL", right = true }, { "PACKED", right = true }, { "VERDICT" },
}

-- Submission ids are too long for a column of 80; each stands under its row.
local function show(rows)
  local lines = report.table(columns, rows)
  report.out(lines[1])
  for i, cells in ipairs(rows) do
    report.out(lines[i + 1])
    if cells.submission then report.out("  submission " .. cells.submission) end
  end
end

local function show_best(env)
  for _, task in ipairs(tasks) do
    report.say("")
    report.say("bittern best " .. task.slug)
    local status, message, code = bittern({ "best", task.slug }, env)
    if status ~= 0 then return nil, message or "bittern best failed", code end
  end
  return true
end

local function play(folder)
  local started = sys.clock()
  local server <close>, url, code = start_coordinator(folder)
  if not server then return nil, url, code end
  local env = environment(folder, url)
  report.say(("practice coordinator at %s, its state in %s"):format(url, folder))
  local argv = { "wallet", "new", folder .. "/hotkey", "--quiet" }
  local status, message, id = bittern(argv, env, true)
  if status ~= 0 then return nil, message or "bittern wallet new failed", id end
  local rows, accepted = {}, 0
  for i, task in ipairs(tasks) do
    local result, exit, kind = mine(task, folder, env)
    if not result then return nil, exit, kind end
    rows[i] = row(task, result)
    if exit == 0 and result.outcome == "accepted" then accepted = accepted + 1 end
  end
  if accepted < #tasks then report.say(log(folder)) end
  report.say("")
  show(rows)
  local shown, why, kind = show_best(env)
  if not shown then return nil, why, kind end
  report.say(("\n%d of %d accepted, %.0f s"):format(accepted, #tasks, sys.clock() - started))
  return accepted == #tasks and 0 or 1
end

local folder <const>, message, code = new_folder()
if not folder then return nil, message, code end
local tell
tell = sys.on_interrupt(function()
  remove(folder)
  tell()
end)
local status, why, id = play(folder)
remove(folder)
return status, why, id
