-- Runs git on repositories of strangers: nobody's configuration, no hooks, no submodules, no
-- questions, no protocol but https, and nothing of our environment but what reaches the network.
local process = require "core.process"

local M = {}

local OUTPUT_MAX <const> = 256 << 20

-- What a proxy or a private certificate needs; everything else stays here, secrets first of all.
local passed_on = {
  "PATH", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
}

local settings = {
  "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.sshCommand=false", "core.pager=cat",
  "core.excludesFile=/dev/null", "core.attributesFile=/dev/null", "core.autocrlf=false",
  "core.quotePath=true", "core.untrackedCache=false", "credential.helper=", "gc.auto=0",
  "submodule.recurse=false", "fetch.recurseSubmodules=false", "protocol.allow=never",
  "protocol.https.allow=always", "diff.noprefix=false", "diff.mnemonicPrefix=false",
  "diff.orderFile=/dev/null", "diff.renames=true", "color.ui=false", "advice.detachedHead=false",
}

-- Keys of a repository's own configuration that make git run a program or read another file.
local dangerous = {
  "^filter%.", "^diff%..+%.textconv$", "^diff%..+%.command$", "^include", "^url%.", "^alias%.",
  "^remote%..+%.uploadpack$", "^remote%..+%.vcs$", "^merge%..+%.driver$", "^gpg%.",
}

local function environment(options)
  local env = {
    HOME = "/nonexistent", LANG = "C.UTF-8", GIT_CONFIG_NOSYSTEM = "1",
    GIT_CONFIG_GLOBAL = "/dev/null", GIT_ATTR_NOSYSTEM = "1", GIT_TERMINAL_PROMPT = "0",
    GIT_ASKPASS = "false", GIT_OPTIONAL_LOCKS = "0", GIT_LFS_SKIP_SMUDGE = "1",
    GIT_PROTOCOL_FROM_USER = "0", GIT_CEILING_DIRECTORIES = options.folder:match("^(.*)/[^/]+/*$"),
    GIT_INDEX_FILE = options.index,
  }
  for _, name in ipairs(passed_on) do env[name] = os.getenv(name) end
  return env
end

-- The last thing that git said.
local function complaint(text)
  local last
  for line in text:gmatch("[^\r\n]+") do
    if line:find("%S") then last = line end
  end
  return (last or "no message"):gsub("^fatal: ", "")
end

local function argv_of(arguments, options)
  local argv = { "git", "--no-pager", "--literal-pathspecs" }
  local function set(word)
    argv[#argv + 1], argv[#argv + 2] = "-c", word
  end
  for _, word in ipairs(settings) do set(word) end
  for _, protocol in ipairs(options.protocols or {}) do
    set(("protocol.%s.allow=always"):format(protocol))
  end
  return table.move(arguments, 1, #arguments, #argv + 1, argv)
end

--- Runs git.
-- @param arguments array of strings
-- @param options {folder = where, absolute; input = text; index = another index file; timeout = in
--   seconds; protocols = allowed beside https; any_status = a failure is a result, too}
-- @return stdout, exit status; or nil, message, code
function M.run(arguments, options)
  local done, message, code = process.run {
    argv = argv_of(arguments, options), cwd = options.folder, env = environment(options),
    input = options.input, timeout = options.timeout or 120, max_output = OUTPUT_MAX,
  }
  if not done then return nil, "git: " .. message, code end
  local what = "git " .. arguments[1]
  if done.timed_out then
    return nil, ("%s: not done after %d s"):format(what, options.timeout or 120), "timeout"
  end
  if done.truncated then return nil, what .. ": too much output", "too_large" end
  if done.status == 0 or options.any_status and done.status then return done.stdout, done.status end
  return nil, ("%s: %s"):format(what, complaint(done.stderr)), "git"
end

--- Runs git for a list of names, each ended by a zero byte.
-- @return array of strings, or nil, message, code
function M.names(arguments, options)
  local text, message, code = M.run(arguments, options)
  if not text then return nil, message, code end
  local list = {}
  for name in text:gmatch("([^\0]+)\0") do list[#list + 1] = name end
  return list
end

--- Whether a repository's own configuration would make git run programs. A checkout that others
-- worked in may hold such a trap.
-- @return true, or nil, message, code
function M.trust(folder)
  local keys, message, code = M.names({ "config", "--local", "--list", "--name-only", "-z" },
    { folder = folder })
  if not keys then return nil, message, code end
  for _, key in ipairs(keys) do
    for _, pattern in ipairs(dangerous) do
      if key:lower():find(pattern) then
        return nil, ("%s: its .git/config sets %s, which can run programs; remove it with "
          .. "`git config --local --unset-all %s`"):format(folder, key, key), "git"
      end
    end
  end
  return true
end

return M
