-- The patch of a checkout, as the newest client builds it (contract.md 3.3): only allowed paths,
-- against HEAD, checked before anybody sends it. The user's own index is left as it is.
local fs = require "core.fs"
local lfs = require "lfs"
local sys = require "core.sys"

local fnmatch = require "bittern.fnmatch"
local git = require "bittern.git"
local preflight = require "bittern.patch.preflight"
local surface = require "bittern.patch.surface"

local M = {}

local INDEX_MAX <const> = 1 << 30

-- A surface is a few files; the names go on a command line.
local PATHS_MAX <const> = 10000

-- What a checkout's files are: changed ones in the client's order, and those that git ignores. A
-- rename counts as both of its names, or its first half would be lost.
local listings = {
  { "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames" },
  { "diff", "--cached", "--name-only", "-z", "--no-ext-diff", "--no-renames" },
  { "ls-files", "--others", "--exclude-standard", "-z" },
}
local ignored_files = { "ls-files", "--others", "--ignored", "--exclude-standard", "-z" }

local function changed_paths(folder)
  local list, seen = {}, {}
  for _, arguments in ipairs(listings) do
    local names, message, code = git.names(arguments, { folder = folder })
    if not names then return nil, message, code end
    for _, name in ipairs(names) do
      if not seen[name] then list[#list + 1] = name end
      seen[name] = true
    end
  end
  return list
end

-- Why a changed path stays out of the patch, or nil.
local function unwanted(path, spec)
  if not fnmatch.any(path, spec.allowed_patch_paths) then
    return "outside allowed_patch_paths"
  end
  if surface.is_bytecode(path) then return "Python bytecode" end
  return preflight.generated(path, spec)
end

local function sort_out(paths, spec)
  local kept, left_out = {}, {}
  for _, path in ipairs(paths) do
    local why = unwanted(path, spec)
    if why then
      left_out[#left_out + 1] = { path = path, why = why }
    else
      kept[#kept + 1] = path
    end
  end
  return kept, left_out
end

-- Allowed files that git ignores never enter a patch (and nobody says so but we).
local function hidden_paths(folder, spec)
  local names, message, code = git.names(ignored_files, { folder = folder })
  if not names then return nil, message, code end
  local hidden = {}
  for _, name in ipairs(names) do
    if not unwanted(name, spec) then hidden[#hidden + 1] = name end
  end
  return hidden
end

-- A copy of the index that goes with its block.
local function index_copy(folder)
  local text, message, code = git.run({ "rev-parse", "--absolute-git-dir" }, { folder = folder })
  if not text then return nil, message, code end
  local place = text:gsub("\n$", "")
  local copy = ("%s/bittern-index-%d"):format(place, sys.pid())
  local bytes = fs.read(place .. "/index", INDEX_MAX)
  if bytes then
    local ok, why, id = fs.write(copy, bytes)
    if not ok then return nil, why, id end
    -- Of two changes within a second git tells one by the age of the index.
    lfs.touch(copy, nil, lfs.attributes(place .. "/index", "modification"))
  end
  return setmetatable({ path = copy }, { __close = function() fs.remove(copy) end })
end

local function exists(path)
  return lfs.symlinkattributes(path, "mode") ~= nil
end

local function with_paths(arguments, paths)
  local all = table.move(arguments, 1, #arguments, 1, {})
  return table.move(paths, 1, #paths, #all + 1, all)
end

-- The diff of some paths against HEAD, new files with it.
local function diff_of(folder, paths)
  local index <close>, message, code = index_copy(folder)
  if not index then return nil, message, code end
  local there = {}
  for _, path in ipairs(paths) do
    if exists(folder .. "/" .. path) then there[#there + 1] = path end
  end
  local options = { folder = folder, index = index.path, any_status = true }
  if #there > 0 then git.run(with_paths({ "add", "-N", "--" }, there), options) end
  options.any_status = nil
  return git.run(with_paths({ "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--" },
    paths), options)
end

-- Whether a patch applies to the very commit that validators check out.
local function check_applies(folder, text)
  local index <close>, message, code = index_copy(folder)
  if not index then return nil, message, code end
  local options = { folder = folder, index = index.path }
  local ok
  ok, message, code = git.run({ "read-tree", "HEAD" }, options)
  if not ok then return nil, message, code end
  options.input = text
  ok, message = git.run({ "apply", "--cached", "--check", "-" }, options)
  if ok then return true end
  return nil, "the patch does not apply to HEAD: " .. message, "patch"
end

local function nothing(why, allow_empty, result)
  result.text = ""
  if allow_empty then return result end
  return nil, why, "patch_empty"
end

local function no_conflicts(folder)
  local names, message, code = git.names({ "diff", "--name-only", "--diff-filter=U", "-z" },
    { folder = folder })
  if not names then return nil, message, code end
  if #names == 0 then return true end
  return nil, names[1] .. ": has conflicts of a merge; resolve them first", "patch"
end

--- What the pre-flight stops a patch with first.
-- @param text the patch
-- @param spec what M.spec gives
-- @return finding of bittern.patch.preflight, or nil
function M.stop(text, spec)
  for _, finding in ipairs(preflight.check(text, spec)) do
    if finding.stop then return finding end
  end
  return nil
end

-- Why a patch cannot be sent, or nil; and a code.
local function objection_to(folder, text, spec)
  local stop = M.stop(text, spec)
  if stop then return stop.message, "patch" end
  local ok, message, code = check_applies(folder, text)
  if not ok then return message, code end
  return nil
end

local function survey(folder, spec)
  local ok, message, code = git.trust(folder)
  if ok then ok, message, code = no_conflicts(folder) end
  if not ok then return nil, message, code end
  local paths
  paths, message, code = changed_paths(folder)
  if not paths then return nil, message, code end
  local result = {}
  result.paths, result.left_out = sort_out(paths, spec)
  result.hidden, message, code = hidden_paths(folder, spec)
  if not result.hidden then return nil, message, code end
  return result
end

-- What a message adds when nothing is left of some changes.
local function because(result)
  local first = result.left_out[1] or result.hidden[1] and {
    path = result.hidden[1], why = "ignored by git",
  }
  return first and (" (%s: %s)"):format(first.path, first.why) or ""
end

--- What a submission's patch may be, of a task.
-- @return spec for M.build and bittern.patch.preflight
function M.spec(task)
  return {
    allowed_patch_paths = task.allowed_patch_paths or {}, max_patch_bytes = task.max_patch_bytes,
    result_path = task.result_path,
  }
end

--- Builds the patch of a checkout; what it finds wrong it says, and gives no patch.
-- @param folder top of the checkout (bittern.workspace)
-- @param spec as M.spec
-- @param options {allow_empty = true for artifact-first tasks; unchecked = true gives also a patch
--   that has an objection}
-- @return {text =, paths = in it, left_out = array of {path, why}, hidden = allowed files that git
--   ignores, objection = why it cannot be sent}, or nil, message, code
function M.build(folder, spec, options)
  local allow_empty = options and options.allow_empty
  if #spec.allowed_patch_paths == 0 then
    return nothing("task allowed_patch_paths are required to build a submission patch", allow_empty,
      { paths = {}, left_out = {}, hidden = {} })
  end
  local result, message, code = survey(folder, spec)
  if not result then return nil, message, code end
  if #result.paths == 0 then
    return nothing("repo checkout has no patch to submit within allowed_patch_paths"
      .. because(result), allow_empty, result)
  end
  if #result.paths > PATHS_MAX then
    return nil, ("%d files changed within allowed_patch_paths, at most %d can be sent"):format(
      #result.paths, PATHS_MAX), "patch"
  end
  local text
  text, message, code = diff_of(folder, result.paths)
  if not text then return nil, message, code end
  if not text:find("%S") then
    return nothing("repo checkout has no patch to submit", allow_empty, result)
  end
  result.text = text:find("\n$") and text or text .. "\n"
  local objection
  objection, code = objection_to(folder, result.text, spec)
  if objection and not (options and options.unchecked) then return nil, objection, code end
  result.objection = objection
  return result
end

return M
