-- Finds files of tests and runs each in a process with a fresh home.
local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"
local sys = require "core.sys"

local files = require "bittern.files"
local hex = require "bittern.hex"
local json = require "bittern.json"
local paths = require "bittern.paths"
local script = require "bittern.script"
local workspace = require "bittern.workspace"

local M = {}

-- Nothing listens there: what does not ask for a practice coordinator reaches none.
local NOWHERE <const> = "http://127.0.0.1:9"

local function add_tests_below(folder, list)
  for _, path in ipairs(files.below(folder)) do
    if path:find("%.test%.lua$") then list[#list + 1] = path end
  end
end

-- The test file that stands for one: itself, or the one beside a script.
local function test_of(path)
  if path:find("%.test%.lua$") then return path end
  local beside = path:gsub("%.lua$", "") .. ".test.lua"
  if fs.stat(beside) then return beside end
  return nil, ("%s: has no tests; they belong into %s"):format(path, beside), "not_found"
end

--- The test files that some paths name.
-- @param given array of test files, scripts (whose tests lie beside them, NAME.test.lua), and
--   folders, which are searched
-- @return array of absolute paths, or nil, message, code
function M.files(given)
  local list = {}
  for _, path in ipairs(given) do
    local real, message, code = fs.realpath(path)
    if not real then return nil, message, code end
    if lfs.attributes(real, "mode") == "directory" then
      add_tests_below(real, list)
    else
      local file, why, id = test_of(real)
      if not file then return nil, why, id end
      list[#list + 1] = file
    end
  end
  return list
end

local function environment(home)
  local env = { HOME = home, BITSOTA_COORDINATOR_URL = NOWHERE }
  for _, name in ipairs { "PATH", "LANG", "LC_ALL", "TERM", "NO_COLOR", "TMPDIR", "BITTERN_ISA" } do
    env[name] = os.getenv(name)
  end
  return env
end

local function ended_early(file, ended)
  local how = ended.signal and ("by signal %d"):format(ended.signal)
    or ("with exit code %d"):format(ended.status)
  return { { name = file:match("[^/]+$"), status = "failed", seconds = 0,
    message = "the process ended " .. how .. " before the tests did" } }
end

local function perform(file, home, quiet)
  local results = home .. "/results.json"
  local child <close>, message, code = process.spawn {
    argv = { sys.exe(), "--root", script.root_of(file), "run",
      paths.root() .. "/lua/testing/alone.lua", file, results },
    env = environment(home), stdout = quiet and "null" or "inherit", stderr = "inherit",
  }
  if not child then return nil, message, code end
  local ended
  ended, message, code = child:wait()
  if not ended then return nil, message, code end
  local text = fs.read(results)
  return text and json.decode(text) or ended_early(file, ended)
end

--- Runs one file of tests in a process of its own.
-- @param file absolute path
-- @param quiet whether what the tests print is thrown away
-- @return array of records as suite.run tells them, or nil, message, code
function M.one(file, quiet)
  local home = ("%s/bittern-tests-%s"):format(os.getenv "TMPDIR" or "/tmp",
    hex.encode(sys.random(6)))
  local made, message, code = fs.mkdir(home, 0x1C0)
  if not made then return nil, message, code end
  local list, why, id = perform(file, home, quiet)
  workspace.remove(home)
  return list, why, id
end

return M
