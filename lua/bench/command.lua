-- Runs a task's commands as validators do in host mode: /bin/sh, an environment of their own, one
-- deadline, the whole group killed at its end. With bubblewrap they see the checkout alone.
local process = require "core.process"

local check = require "bittern.check"

local M = {}

local OUTPUT_MAX <const> = 16 << 20

-- Nothing else is inherited (contract.md 4.5).
local plain = {
  PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG = "C.UTF-8",
  LC_ALL = "C.UTF-8", PYTHONNOUSERSITE = "1", PIP_DISABLE_PIP_VERSION_CHECK = "1",
}

--- The environment of a command.
-- @param folder the checkout, its HOME
-- @param extra {NAME = text}
function M.environment(folder, extra)
  local env = { HOME = folder }
  for name, value in pairs(plain) do env[name] = value end
  for name, value in pairs(extra) do env[name] = value end
  return env
end

-- Read-only: the system. Everything else that is not the checkout is not there.
local system = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/sys" }
local devices = { "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidia1", "nvidia2",
  "nvidia3", "nvidia4", "nvidia5", "nvidia6", "nvidia7", "dri", "kfd" }

local function wrapping(folder)
  local argv = { "bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid",
    "--unshare-net", "--unshare-uts", "--unshare-user-try", "--cap-drop", "ALL" }
  local function add(...) table.move({ ... }, 1, select("#", ...), #argv + 1, argv) end
  for _, path in ipairs(system) do add("--ro-bind-try", path, path) end
  add("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run")
  for _, name in ipairs(devices) do add("--dev-bind-try", "/dev/" .. name, "/dev/" .. name) end
  if folder then add("--bind", folder, folder, "--chdir", folder) end
  return argv
end

--- Whether commands can run in a sandbox here.
-- @param name "bwrap"
-- @return true, or nil, message, code
function M.has_sandbox(name)
  local argv = wrapping(nil)
  argv[1] = name
  argv[#argv + 1] = "/bin/true"
  local done, message, code = process.run { argv = argv, timeout = 10 }
  if not done and code == "not_found" then
    return nil, ("%s is not installed; `apt-get install bubblewrap`, or leave --sandbox out")
      :format(name), "config"
  end
  if not done then return nil, message, code end
  if done.status == 0 then return true end
  return nil, ("%s does not work here: %s"):format(name, done.stderr:match("[^\n]*")), "config"
end

--- Runs one command.
-- @param text for the shell
-- @param options {folder =, env =, timeout = seconds, sandbox = "bwrap" or nil}
-- @return {status = exit status, -n for signal n as Python says it; stdout, stderr, timed_out,
--   truncated}; or nil, message, code
function M.run(text, options)
  local argv = options.sandbox and wrapping(options.folder) or {}
  table.move({ "/bin/sh", "-c", text }, 1, 3, #argv + 1, argv)
  local done, message, code = process.run {
    argv = argv, cwd = options.folder, env = options.env, timeout = options.timeout,
    max_output = OUTPUT_MAX,
  }
  if not done then return nil, message, code end
  done.status = done.status or -(done.signal or 1)
  return done
end

--- A text with the values of some variables blotted out, the longest first.
-- @param values {NAME = text}
function M.redacted(text, values)
  local list = {}
  for _, name in ipairs(check.sorted_keys(values)) do
    if #values[name] >= 4 then list[#list + 1] = values[name] end
  end
  table.sort(list, function(a, b) return #a > #b end)
  for _, value in ipairs(list) do
    text = text:gsub(value:gsub("%W", "%%%0"), "[REDACTED]")
  end
  return text
end

return M
