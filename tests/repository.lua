-- A task's repository for specs: a bare one that plays the remote, and what was pushed to it.
local fs = require "core.fs"

local support = require "tests.support"

local M = {}

local identity = { "-c", "user.name=t", "-c", "user.email=t@example.org" }

--- Runs the system's git, as a person would.
-- @return stdout without its last line feed
function M.git(folder, ...)
  local argv = table.move({ ... }, 1, select("#", ...), 6, { "git", table.unpack(identity) })
  local env = { PATH = os.getenv("PATH"), HOME = folder, GIT_CONFIG_NOSYSTEM = "1" }
  local done = support.run(argv, { cwd = folder, env = env })
  assert(done.status == 0, done.stderr)
  return (done.stdout:gsub("\n$", ""))
end

--- Writes files below a folder.
-- @param files {path = text}
function M.write(folder, files)
  for path, text in pairs(files) do
    local parent = path:match("^(.*)/[^/]+$")
    if parent then assert(fs.mkdir(folder .. "/" .. parent)) end
    assert(fs.write(folder .. "/" .. path, text))
  end
end

--- Makes a bare repository whose branch `production` holds some files.
-- @param files {path = text}
-- @return {url = its path, commit =, seed = a clone that may push}
function M.make(files)
  local folder = support.folder()
  local bare, seed = folder .. "/task.git", folder .. "/seed"
  assert(fs.mkdir(seed))
  M.git(folder, "init", "-q", "--bare", "--initial-branch=main", bare)
  M.git(seed, "init", "-q", "--initial-branch=production")
  M.write(seed, files)
  M.git(seed, "add", "-A")
  M.git(seed, "commit", "-q", "-m", "task")
  M.git(seed, "push", "-q", bare, "production", "production:main")
  return { url = bare, seed = seed, commit = M.git(seed, "rev-parse", "HEAD") }
end

return M
