-- What a patch touches, and whether it may: the validator's rules, quirks included (contract.md
-- 3.3, 3.4 and 4.3).
local M = {}

local function escape(text)
  return (text:gsub("%W", "%%%0"))
end

-- One [...] of a glob as a Lua set, or nil when it is never closed.
local function set_at(glob, at)
  local negated, content, after = glob:match("^%[(!?)(%]?[^%]]*)%]()", at)
  if not content or content == "" then return nil end
  content = content:gsub("[^%w%-]", "%%%0")
  return "[" .. (negated == "!" and "^" or "") .. content .. "]", after
end

--- A glob as a Lua pattern, by the rules of Python's fnmatch: * and ? match / too.
-- @param glob string
-- @return pattern for string.find
function M.pattern(glob)
  local parts, at = { "^" }, 1
  while at <= #glob do
    local c, set, after = glob:sub(at, at), nil, nil
    if c == "[" then set, after = set_at(glob, at) end
    parts[#parts + 1] = set or c == "*" and ".*" or c == "?" and "." or escape(c)
    at = after or at + 1
  end
  return table.concat(parts) .. "$"
end

local function clean(path)
  path = path:match("^%s*(.-)%s*$"):gsub("\t.*", "")
  if path == "" or path == "/dev/null" or path == "dev/null" then return nil end
  return (path:gsub("^[ab]/", ""))
end

--- Every path that a patch names. Any line that begins with `--- ` or `+++ ` names one, also in the
-- middle of a hunk: that is how validators read it.
-- @param patch unified diff
-- @return array of paths without duplicates, in order
function M.paths(patch)
  local list, seen = {}, {}
  local function add(path)
    path = clean(path)
    if path and not seen[path] then
      seen[path] = true
      list[#list + 1] = path
    end
  end
  for line in (patch .. "\n"):gmatch("([^\n]*)\n") do
    local from, to = line:match("^diff %-%-git a/(.-) b/(.*)$")
    if from then
      add(from)
      add(to)
    end
  end
  for line in (patch .. "\n"):gmatch("([^\n]*)\n") do
    local path = line:match("^%-%-%- (.*)$") or line:match("^%+%+%+ (.*)$")
    if path then add(path) end
  end
  return list
end

local function is_bytecode(path)
  path = path:gsub("\\", "/"):gsub("^[./]+", ""):lower()
  return path:find("%.py[co]$") ~= nil
end

local function is_allowed(path, patterns)
  for _, glob in ipairs(patterns) do
    if path:find(M.pattern(glob)) then return true end
  end
  return false
end

local function filter(list, keep)
  local kept = {}
  for _, value in ipairs(list) do
    if keep(value) then kept[#kept + 1] = value end
  end
  return kept
end

local function refusal(notes, marker)
  return { notes = notes, marker = "validator_rejection=" .. marker }
end

--- What is wrong with a patch, in the validator's words.
-- @param patch text, possibly blank
-- @param spec {allowed_patch_paths=, max_patch_bytes=}
-- @return nil when it may pass, else {notes=, marker=}
function M.refuse(patch, spec)
  local most = spec.max_patch_bytes or 262144
  if #patch > most then
    return refusal(("Patch exceeds maximum size of %d bytes"):format(most), "patch_too_large")
  end
  if not patch:find("%S") then return nil end
  local paths = M.paths(patch)
  if #paths == 0 then
    return refusal("Patch surface could not be determined from the submitted diff",
      "unparseable_patch_surface")
  end
  local bad = filter(paths, is_bytecode)
  if #bad > 0 then
    return refusal("Patch modified generated Python bytecode/cache files: "
      .. table.concat(bad, ", "), "generated_python_cache_paths")
  end
  bad = filter(paths, function(path)
    return not is_allowed(path, spec.allowed_patch_paths or {})
  end)
  if #bad == 0 then return nil end
  return refusal("Patch modified files outside the fixed competition surface: "
    .. table.concat(bad, ", "), "disallowed_patch_paths")
end

return M
