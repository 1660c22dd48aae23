-- A checkout of a task's repository: cloned at the task's base ref, and asked whether validators
-- can fetch what it stands on (contract.md 3.2). The commit that a submission names is the
-- checkout's HEAD, so HEAD has to be a commit of the remote.
local fs = require "core.fs"
local lfs = require "lfs"
local sys = require "core.sys"

local common = require "bittern.rules.common"
local git = require "bittern.git"
local hex = require "bittern.hex"

local M = {}

-- Each git command of a clone may take so long (contract.md 3.2).
local LEAST_SECONDS <const>, USUAL_SECONDS <const> = 30, 300

local is_commit = "^" .. ("%x"):rep(40) .. "$"

--- Seconds that one git command may take for a task.
function M.timeout(task)
  return math.max(LEAST_SECONDS, math.tointeger(task.time_budget_seconds) or USUAL_SECONDS)
end

-- Protocols that a repository's address needs beside https, or nil and why it is not cloned. A
-- rehearsal, and nobody else, may have its repositories on this machine.
local function protocols_of(repository, rehearsal)
  if type(repository) ~= "string" or not repository:find("%S") then
    return nil, "the task names no repository"
  end
  if repository:find("[%c%s]") or repository:find("^%-") then
    return nil, "its address has blanks, control characters or begins with -"
  end
  local is_local = repository:find("^/") or repository:find("^file:///")
  if is_local and rehearsal then return { "file" } end
  if is_local then return nil, "it is a local path: only a rehearsal may have that" end
  local ok, why = common.check_uri(repository)
  if not ok then return nil, "it " .. why end
  return repository:lower():find("^http:") and { "http" } or {}
end

local function check_ref(ref)
  local sound = type(ref) == "string" and ref:find("^[%w_][%w_./+@-]*$")
  if sound and not ref:find("..", 1, true) then return true end
  return nil, ("base_ref '%s' is no name of a branch, tag or commit"):format(tostring(ref)), "git"
end

-- The commit that a ref means in a fresh clone.
local function resolve(folder, ref, timeout)
  local names = { "refs/remotes/origin/" .. ref, "refs/tags/" .. ref }
  if ref:find("^%x+$") and #ref >= 7 and #ref <= 40 then table.insert(names, 1, ref) end
  if ref:find("^refs/") or ref == "HEAD" then names[#names + 1] = ref end
  for _, name in ipairs(names) do
    local text, status, code = git.run(
      { "rev-parse", "--verify", "--quiet", "--end-of-options", name .. "^{commit}" },
      { folder = folder, timeout = timeout, any_status = true })
    if not text then return nil, status, code end
    local commit = text:match("^(%x+)")
    if status == 0 and commit then return commit end
  end
  return nil, ("the repository has no branch, tag or commit '%s'"):format(ref), "git"
end

--- Removes a checkout, or any folder, with all that is in it.
-- @param path string
function M.remove(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then M.remove(path .. "/" .. name) end
    end
  end
  fs.remove(path)
end

-- A half-made clone, gone when it is not kept.
local function part_of(folder)
  local part = { path = ("%s.part-%s"):format(folder, hex.encode(sys.random(4))) }
  return setmetatable(part, { __close = function(self)
    if not self.kept then M.remove(self.path) end
  end })
end

local function check_out(folder, ref, timeout)
  local commit, message, code = resolve(folder, ref, timeout)
  if not commit then return nil, message, code end
  local done, why, id = git.run({ "checkout", "--quiet", "--detach", commit, "--" },
    { folder = folder, timeout = timeout })
  if not done then return nil, why, id end
  -- For M.inspect: a moving branch says nothing later.
  for key, value in pairs { ["bittern.base"] = commit, ["bittern.ref"] = ref } do
    done, why, id = git.run({ "config", "--local", key, value }, { folder = folder })
    if not done then return nil, why, id end
  end
  return commit
end

local function clone_into(part, options, protocols)
  local parent = part.path:match("^(.*)/[^/]+$")
  local made, message, code = fs.mkdir(parent)
  if not made then return nil, message, code end
  local done, why = git.run({ "clone", "--quiet", "--no-checkout", "--no-recurse-submodules",
    "--template=", "--", options.repository, part.path },
    { folder = parent, timeout = options.timeout, protocols = protocols })
  if not done then return nil, ("clone %s: %s"):format(options.repository, why), "network" end
  return check_out(part.path, options.ref, options.timeout)
end

--- Clones a repository and checks out a ref.
-- @param options {repository = https URL; ref = branch, tag or commit; folder = absolute, not there
--   yet; timeout = seconds for each git command; rehearsal = true allows a local repository}
-- @return {folder =, commit =, ref =}, or nil, message, code
function M.clone(options)
  local protocols, why = protocols_of(options.repository, options.rehearsal)
  if not protocols then
    return nil, ("repository %s: %s"):format(tostring(options.repository), why), "insecure"
  end
  local ok, message, code = check_ref(options.ref)
  if not ok then return nil, message, code end
  if fs.stat(options.folder) then
    return nil, options.folder .. ": is there already", "exists"
  end
  local part <close> = part_of(options.folder)
  local commit
  commit, message, code = clone_into(part, options, protocols)
  if not commit then return nil, message, code end
  ok, message, code = fs.rename(part.path, options.folder)
  if not ok then return nil, message, code end
  part.kept = true
  return { folder = options.folder, commit = commit, ref = options.ref }
end

--- The top of a checkout: the folder itself, or `repo` in it.
-- @param folder any path
-- @return absolute path, or nil, message, code
function M.top(folder)
  local path, message, code = fs.realpath(folder)
  if not path then return nil, message, code end
  for _, candidate in ipairs { path, path .. "/repo" } do
    if fs.stat(candidate .. "/.git") then return candidate end
  end
  return nil, folder .. ": is no checkout, nor does it hold one in repo/", "no_checkout"
end

local function head_of(folder)
  local text, message, code = git.run({ "rev-parse", "--verify", "HEAD" }, { folder = folder })
  if not text then return nil, message, code end
  local commit = text:match("^(%x+)\n*$")
  if commit and commit:find(is_commit) then return commit end
  return nil, folder .. ": HEAD is no commit of 40 hexadecimal digits", "git"
end

local function setting(folder, key)
  local text, status = git.run({ "config", "--local", "--get", key },
    { folder = folder, any_status = true })
  return text and status == 0 and text:match("^(.-)\n") or nil
end

-- Whether some branch of the remote holds a commit, as far as it was fetched.
local function is_fetched(folder, commit)
  local text, message, code = git.run({ "for-each-ref", "--count=1", "--contains=" .. commit,
    "--format=%(refname)", "refs/remotes" }, { folder = folder })
  if not text then return nil, message, code end
  return text:find("%S") ~= nil
end

local function not_fetched(folder, commit, base)
  local count = git.run({ "rev-list", "--count", commit, "--not", "--remotes" },
    { folder = folder })
  local back = base or "the base commit"
  return nil, ("HEAD %s is not on the remote (%s local commits): no validator can fetch it; "
    .. "`git reset --soft %s` keeps the work and undoes the commits"):format(commit:sub(1, 12),
    (count or "?"):match("%S+"), back), "unpublished_commit"
end

--- What a checkout stands on.
-- @param folder inside or above the checkout
-- @param task record or nil; its base_ref, when that is a commit, is on the remote
-- @return {folder =, commit = HEAD's, base = recorded at the clone or nil, ref =}, or nil, message,
--   code: "unpublished_commit" when validators cannot fetch HEAD
function M.inspect(folder, task)
  local top, message, code = M.top(folder)
  if not top then return nil, message, code end
  local ok
  ok, message, code = git.trust(top)
  if not ok then return nil, message, code end
  local commit
  commit, message, code = head_of(top)
  if not commit then return nil, message, code end
  local base = setting(top, "bittern.base")
  local found = { folder = top, commit = commit, base = base, ref = setting(top, "bittern.ref") }
  if commit == base or task and task.base_ref == commit then return found end
  local fetched
  fetched, message, code = is_fetched(top, commit)
  if fetched == nil then return nil, message, code end
  if fetched then return found end
  return not_fetched(top, commit, base)
end

--- Where a ref of the remote stands now: a branch may have moved since the clone.
-- @return commit, or nil, message, code
function M.remote_commit(options)
  local protocols, why = protocols_of(options.repository, options.rehearsal)
  if not protocols then return nil, "repository: " .. why, "insecure" end
  local ok, message, code = check_ref(options.ref)
  if not ok then return nil, message, code end
  local branch, tag = "refs/heads/" .. options.ref, "refs/tags/" .. options.ref
  local text
  text, message = git.run({ "ls-remote", "--quiet", "--", options.repository, branch, tag,
    tag .. "^{}" }, { folder = "/", timeout = options.timeout, protocols = protocols })
  if not text then return nil, message, "network" end
  local found = {}
  for commit, name in text:gmatch("(%x+)\t([^\n]+)") do found[name] = commit end
  local commit = found[branch] or found[tag .. "^{}"] or found[tag]
  if commit then return commit end
  return nil, ("the repository has no branch or tag '%s'"):format(options.ref), "git"
end

--- Whether the branch that a checkout was made from stands elsewhere now: validators may take its
-- new place.
-- @param found from M.inspect
-- @param task record
-- @param options {rehearsal =}
-- @return commit where it stands now; false when it did not move; nil, message when nobody knows
function M.moved(found, task, options)
  if not found.base or not found.ref or found.ref:find(is_commit) then return false end
  local now, message = M.remote_commit {
    repository = task.repository, ref = found.ref, timeout = LEAST_SECONDS,
    rehearsal = options.rehearsal,
  }
  if not now then return nil, message end
  return now ~= found.base and now
end

return M
