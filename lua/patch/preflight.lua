-- Reads a patch as validators will, before anybody sends it, and explains what goes wrong and where
-- (contract.md 3.3 and 3.4).
local fnmatch = require "bittern.fnmatch"
local hunks = require "bittern.patch.hunks"
local surface = require "bittern.patch.surface"

local M = {}

-- Files that runs leave behind; the task's documents forbid them in a patch.
local receipts = { ["last_run.json"] = true, ["baseline_manifest.json"] = true }

--- Why a path is a generated file that stays out of patches, or nil.
-- @param path relative to the repository
-- @param spec with the task's result_path, or nil
function M.generated(path, spec)
  if ("/" .. path):find("/__pycache__/", 1, true) then return "a cache of Python's" end
  if path == spec.result_path or receipts[path:match("[^/]+$")] then
    return "a result that a run generated"
  end
  if path:sub(-1) == "/" then return "a repository in the repository" end
  return nil
end

local secrets = {
  { "%f[%w]hf_%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w", "a Hugging Face token" },
  { "%-%-%-%-%-BEGIN [%u ]*PRIVATE KEY", "a private key" },
  { '"secretPhrase"%s*:', "a wallet's secret phrase" }, { '"secretSeed"%s*:', "a wallet's seed" },
  { "%$NACL", "an encrypted key file" },
}

local function at(line, format, ...)
  return ("line %d: "):format(line) .. format:format(...)
end

-- A line of a hunk that reads as a file's header.
local function about_content(mention, line)
  local sign = line.text:sub(1, 1)
  if line.text:sub(1, #mention.text) ~= mention.text then
    return at(mention.line, "a form feed, carriage return or such stands before `%s`, and "
      .. "validators cut the line there and take `%s` for a file's name; take the character out",
      mention.text, mention.path)
  end
  local verb, mark = "deletes", "-- "
  if sign == "+" then verb, mark = "adds", "++ " end
  return at(mention.line, "the patch %s a line that begins with `%s` (comments of Lua and SQL do), "
    .. "so the diff has `%s`, and validators take `%s` for a file's name outside the surface; %s",
    verb, mark, mention.text, mention.path, sign == "+" and "begin that line with something else"
      or "leave that line as it is and change the lines around it")
end

local function about_header(mention)
  if mention.path:sub(1, 1) == '"' then
    return at(mention.line, "git quotes the name %s for its special characters, and validators "
      .. "match nothing with the quotes on; use a name of plain ASCII", mention.path)
  end
  if mention.text:find("^diff ") and select(2, mention.text:gsub(" b/", "")) > 1 then
    return at(mention.line, "a name holds ` b/`, where validators split the header; rename it "
      .. "(they read `%s`)", mention.path)
  end
  if mention.text:find("a/[ab]/") or mention.text:find("b/[ab]/") then
    return at(mention.line, "a folder named a/ or b/ loses its name where validators read the "
      .. "header, so they see `%s`; rename the folder", mention.path)
  end
  return at(mention.line, "`%s` is outside allowed_patch_paths", mention.path)
end

local function outside(patch, lines, spec, add)
  for _, mention in ipairs(surface.mentions(patch)) do
    local line = lines[mention.line]
    if surface.is_bytecode(mention.path) then
      add("bytecode", true, mention.line, at(mention.line,
        "`%s` is Python bytecode; delete it or let git ignore it", mention.path), mention.path)
    elseif not fnmatch.any(mention.path, spec.allowed_patch_paths or {}) then
      local in_hunk = line and line.kind == "content"
      add(in_hunk and "content_as_path" or "outside", true, mention.line,
        in_hunk and about_content(mention, line) or about_header(mention), mention.path)
    elseif M.generated(mention.path, spec) then
      add("generated", true, mention.line, at(mention.line, "`%s` is %s; it does not belong in a "
        .. "patch", mention.path, M.generated(mention.path, spec)), mention.path)
    end
  end
end

-- Modes of git's headers that are worth a word.
local function mode_of(text, number, add)
  if text:find("^new file mode 160000") or text:find("^new mode 160000") then
    add("submodule", true, number, at(number, "a submodule: validators do not fetch them"))
  elseif text:find("^new file mode 120000") or text:find("^new mode 120000") then
    add("symlink", false, number, at(number,
      "a symbolic link: its target must lie in the repository, and be there at validators"))
  elseif text:find("^old mode ") then
    add("mode", false, number, at(number, "changes a file's mode"))
  elseif text:find("^GIT binary patch") then
    add("binary", false, number, at(number, "a binary file: it counts in base 85 to the cap"))
  elseif text:find("^Binary files .* differ") then
    add("binary", true, number, at(number,
      "a binary file without its bytes: make the diff with --binary"))
  end
end

local function added(text, number, add)
  if text:sub(1, 1) ~= "+" then return end
  for _, secret in ipairs(secrets) do
    if text:find(secret[1]) then
      add("secret", true, number, at(number, "looks like %s; patches are public", secret[2]))
    end
  end
end

local function contents(lines, add)
  local returns
  for number, line in ipairs(lines) do
    if line.kind == "content" then
      added(line.text, number, add)
      returns = returns or line.text:sub(1, 1) == "+" and line.text:sub(-1) == "\r" and number
    else
      mode_of(line.text, number, add)
    end
  end
  if returns then
    add("crlf", false, returns, at(returns, "lines end in CR LF; they are sent as they are"))
  end
end

--- What a patch does that validators refuse, or that people should know.
-- @param patch text
-- @param spec {allowed_patch_paths =, max_patch_bytes =, result_path =}
-- @return array of {id =, stop = boolean, line = in the patch or nil, path = or nil, message =}, in
--   the order in which validators look
-- @usage examples/patch.lua
function M.check(patch, spec)
  local list = {}
  local function add(id, stop, line, message, path)
    list[#list + 1] = { id = id, stop = stop, line = line, message = message, path = path }
  end
  local most = spec.max_patch_bytes or surface.MAX_BYTES
  if #patch > most then
    add("too_large", true, nil, ("the patch has %d bytes, %d over the cap of %d"):format(#patch,
      #patch - most, most))
  end
  local sound, bad = utf8.len(patch)
  if not sound then
    local _, line_feeds = patch:sub(1, bad):gsub("\n", "")
    add("not_utf8", true, line_feeds + 1, at(line_feeds + 1,
      "bytes that are no UTF-8: a request cannot carry them; convert the file"))
  end
  if not patch:find("%S") then return list end
  local lines = hunks.lines(patch)
  if #surface.mentions(patch) == 0 then
    add("no_paths", true, nil, "no file's name can be read in the patch; make it with `git diff`")
  end
  outside(patch, lines, spec, add)
  contents(lines, add)
  return list
end

return M
