-- What specs share: temporary folders, this program as a child, other programs as judges.
local fs = require "core.fs"
local sys = require "core.sys"
local lfs = require "lfs"
local hex = require "bittern.hex"
local paths = require "bittern.paths"

local M = { root = paths.root(), bin = sys.exe() }

--- Whether this program was built with a sanitizer (tests/sanitize.sh), which takes address space
-- and memory as it likes, and makes system calls of its own at the end.
M.sanitized = os.getenv "ASAN_OPTIONS" ~= nil

local made = {}

local function remove_tree(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    os.execute(("chmod -R u+rwX '%s'"):format(path))
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then remove_tree(path .. "/" .. name) end
    end
  end
  os.remove(path)
end

--- A new empty folder, gone when the tests end.
-- @return absolute path
function M.folder()
  local id = hex.encode(sys.random(8))
  local path = (os.getenv("TMPDIR") or "/tmp") .. "/bittern-test-" .. id
  assert(fs.mkdir(path))
  made[#made + 1] = path
  return path
end

setmetatable(made, { __gc = function() for _, path in ipairs(made) do remove_tree(path) end end })

--- A file of the tests' fixtures.
-- @return its text
function M.fixture(name)
  return assert(fs.read(M.root .. "/tests/fixtures/" .. name))
end

--- The shipped model that tests compress and score.
M.model = M.root .. "/examples/models/tiny-qwen3"

--- What users read, generated pages excepted.
-- @return array of paths below the root, sorted
function M.documents()
  local list = { "README.md" }
  for name in lfs.dir(M.root .. "/docs") do
    if name:find "%.md$" then list[#list + 1] = "docs/" .. name end
  end
  table.sort(list)
  return list
end

--- Runs a program to its end.
-- @param argv array of strings
-- @param options as core.process.run
-- @return {status=, stdout=, stderr=}
function M.run(argv, options)
  local process = require "core.process"
  local all = { argv = argv, timeout = 120 }
  for key, value in pairs(options or {}) do all[key] = value end
  return assert(process.run(all))
end

--- A user's environment of its own: a fresh home, nothing inherited.
-- @param home folder
-- @param extra {NAME = value}
function M.environment(home, extra)
  local env = { HOME = home, PATH = os.getenv("PATH"), LANG = "C.UTF-8" }
  for key, value in pairs(extra or {}) do env[key] = value end
  return env
end

--- Runs this program.
-- @param home folder that is the user's home
-- @param argv arguments after `bittern`
-- @param options as M.run; `env` adds to M.environment
function M.bittern(home, argv, options)
  local all = { env = M.environment(home, options and options.env) }
  for key, value in pairs(options or {}) do
    if key ~= "env" then all[key] = value end
  end
  return M.run({ M.bin, table.unpack(argv) }, all)
end

--- Whether this system gives pseudo-terminals; a bare root has none.
function M.has_terminals()
  return M.run({ "/usr/bin/python3", "-c", "import os; os.openpty()" }).status == 0
end

--- Runs this program at a terminal of its own.
-- @param answers lines that are typed when it asks for what it does not show, "\\3" as Ctrl-C
-- @param env its environment beside M.environment (no colours unless given)
-- @return {status=, stdout= what the terminal showed, and [echo] when it shows typed text again}
function M.at_terminal(home, answers, argv, env)
  local all = { "/usr/bin/python3", M.root .. "/tests/fixtures/terminal.py", answers, M.bin }
  table.move(argv, 1, #argv, #all + 1, all)
  return M.run(all, { env = M.environment(home, env or { NO_COLOR = "1" }) })
end

--- A terminal that children are given by its name, for their stdin or stderr.
-- @return {path=, shown= function() -> all that was shown there, stop= function()}, or nil where
--   the system gives none
function M.terminal()
  if not M.has_terminals() then return nil end
  local file = M.folder() .. "/shown"
  local child = assert(require("core.process").spawn {
    argv = { "/usr/bin/python3", M.root .. "/tests/fixtures/open_terminal.py", file },
    stdout = "pipe", stderr = "inherit",
  })
  return { path = assert(child:read_line(10)), shown = function() return assert(fs.read(file)) end,
    stop = function() child:kill(9) child:wait(10) end }
end

--- What a program takes.
-- @param argv array
-- @return exit status, seconds, bytes of memory at its peak
function M.cost_of(home, argv)
  local measure = { M.bin, "run", M.root .. "/tests/fixtures/peak.lua" }
  local done = M.run({ table.unpack(table.move(argv, 1, #argv, #measure + 1, measure)) },
    { env = M.environment(home) })
  assert(done.status == 0, done.stderr)
  local status, seconds, bytes = done.stdout:match("^(%-?%d+) (%S+) (%d+)")
  return math.tointeger(status), tonumber(seconds), math.tointeger(bytes)
end

--- The same of a command of this program.
function M.cost(home, argv)
  return M.cost_of(home, { M.bin, table.unpack(argv) })
end

--- Runs Python source with arguments; its stdout, or an error with its stderr.
function M.python(source, ...)
  local done = M.run { "/usr/bin/python3", "-c", source, ... }
  assert(done.status == 0, done.stderr)
  return done.stdout
end

return M
