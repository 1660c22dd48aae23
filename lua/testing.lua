-- What `bittern test` gives to the tests of a script: its place, a small model, folders that go
-- away, a practice coordinator, and this program as a user with a home of its own runs it.
--
-- Each test file runs in a process with a fresh home and no variables but a few, and before a
-- practice coordinator runs there is none: nothing here reaches production or the user's files.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local hex = require "bittern.hex"
local json = require "bittern.json"
local paths = require "bittern.paths"
local rehearsal = require "bittern.practice.rehearsal"
local script = require "bittern.script"
local workspace = require "bittern.workspace"

local M = {}

local TIMEOUT <const> = 300

--- A model directory of 2.4 million parameters that compresses in half a second.
M.model = paths.root() .. "/examples/models/tiny-qwen3"
--- Text to score that model on, which it was not trained on.
M.text = M.model .. "/heldout.txt"
--- Text to calibrate on.
M.calibration = M.model .. "/calibration.txt"

-- What the file under way has made; `practice` is the coordinator that was started last.
local made = { folders = {}, practices = {} }

--- The test file that runs, and with it `script`, the path of the script beside it (nil when there
-- is none), and `root`, the folder that holds recipes/, modes/ and so on. `bittern test` calls it.
-- @param path absolute path of the test file
function M.begin(path)
  local beside = path:gsub("%.test%.lua$", ".lua")
  M.file, M.script = path, fs.stat(beside) and beside or nil
  M.root = script.root_of(path)
end

--- The script beside the test, loaded and checked as its kind wants.
-- @return the script's table; raises when it is not sound
function M.load()
  local kind = M.script and script.kind_of(M.script)
  assert(kind, (M.script or M.file) .. ": lies in no folder of scripts")
  return assert(script.load(M.script, kind))
end

--- An empty folder, gone when the file's tests are done.
-- @return absolute path
function M.folder()
  local path = ("%s/folder-%s"):format(paths.home(), hex.encode(sys.random(6)))
  assert(fs.mkdir(path, 0x1C0))
  made.folders[#made.folders + 1] = path
  return path
end

--- A file of a few bytes to publish.
-- @return {path=, size= in bytes, sha256=}
function M.artifact()
  local path = M.folder() .. "/artifact.zip"
  assert(fs.write(path, "the bytes of an artifact\n"))
  local digest, size = assert(sha256.file(path))
  return { path = path, size = size, sha256 = digest }
end

local function below_root(path)
  if path == nil or path:sub(1, 1) == "/" then return path end
  return M.root .. "/" .. path
end

--- Starts a practice coordinator that runs until the file's tests are done.
-- @param options {task = path of a task's JSON, repository = folder of the task's files}, both
--   below `root`; without them it has its two tasks, tiny-binary-frontier (standard) and
--   tiny-ternary-frontier (centerless)
-- @return what rehearsal.start gives: url, client, task, submit, try, best, miner
function M.practice(options)
  options = options or {}
  local started = assert(rehearsal.start {
    root = M.root, task = below_root(options.task), repository = below_root(options.repository),
  })
  made.practices[#made.practices + 1] = started
  made.practice = started
  return started
end

local function run(argv, options)
  local all = { sys.exe(), "--root", M.root, table.unpack(argv) }
  return assert(process.run { argv = all, input = options.input, cwd = options.cwd,
    env = options.env, timeout = TIMEOUT })
end

-- The home's default hotkey, so that commands which sign need no options.
local function hotkey(env)
  local folder = paths.home() .. "/.bittensor/wallets/default/hotkeys"
  if fs.stat(folder .. "/default") then return end
  assert(fs.mkdir(folder, 0x1C0))
  local done = run({ "wallet", "new", folder .. "/default", "--quiet" }, { env = env })
  assert(done.status == 0, done.stderr)
end

--- Runs this program as a user would: with the test's scripts, a home and a hotkey of its own, and
-- the practice coordinator that was started last (or one that is started now).
-- @param argv array of words after `bittern`; its fields env = {NAME = value}, input = text for
--   stdin and cwd = folder are optional
-- @return {status=, stdout=, stderr=, json= what stdout holds when that is JSON}
-- @usage examples/speedup/modes/speedup.test.lua
function M.bittern(argv)
  local practice = made.practice or M.practice()
  local env = { HOME = paths.home(), PATH = os.getenv "PATH", LANG = "C.UTF-8", NO_COLOR = "1",
    BITSOTA_COORDINATOR_URL = practice.url }
  hotkey(env)
  for name, value in pairs(argv.env or {}) do env[name] = value end
  local done = run(argv, { env = env, input = argv.input, cwd = argv.cwd })
  done.json = done.stdout:find("^%s*[{%[]") and json.decode(done.stdout) or nil
  return done
end

--- Ends what the file's tests have started and removes their folders.
function M.finish()
  for _, practice in ipairs(made.practices) do practice:close() end
  for _, folder in ipairs(made.folders) do workspace.remove(folder) end
  made = { folders = {}, practices = {} }
end

return M
