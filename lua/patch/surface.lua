-- What a patch touches, and whether it may: the validator's reading, quirks included (contract.md
-- 3.3, 3.4 and 4.3). It reads lines as Python's splitlines and strip do.
local fnmatch = require "bittern.fnmatch"

local M = {}

--- A patch may have so many bytes when nobody says otherwise.
M.MAX_BYTES = 262144

-- Ends of a line beside \n that Python's splitlines knows and a pattern can name: form feeds and
-- such, and three of Unicode.
local wide_ends = { "\u{85}", "\u{2028}", "\u{2029}" }

-- Blank to Python's strip, beside what %s and the ends above name.
local wide_blanks = { "\u{A0}", "\u{1680}", "\u{202F}", "\u{205F}", "\u{3000}" }
for blank = 0x2000, 0x200A do wide_blanks[#wide_blanks + 1] = utf8.char(blank) end
table.move(wide_ends, 1, #wide_ends, #wide_blanks + 1, wide_blanks)

local function strip(text)
  text = text:match("^[%s\x1c-\x1f]*(.-)[%s\x1c-\x1f]*$")
  for _, blank in ipairs(wide_blanks) do
    if text:sub(1, #blank) == blank then return strip(text:sub(#blank + 1)) end
    if text:sub(-#blank) == blank then return strip(text:sub(1, -#blank - 1)) end
  end
  return text
end

local function clean(path)
  path = strip(strip(path):gsub("\t.*", ""))
  if path == "" or path == "/dev/null" or path == "dev/null" then return nil end
  path = path:gsub("^[ab]/", "")
  return path ~= "" and path or nil
end

--- The lines of a text as validators cut it.
-- @return iterator of line, its number by \n alone (as editors count)
function M.lines(text)
  if text:find("[\xC2\xE2]") then
    for _, wide in ipairs(wide_ends) do text = text:gsub(wide, "\r") end
  end
  local at, number = 1, 1
  return function()
    if at > #text then return nil end
    local stop, after = text:match("()[\r\v\f\x1c-\x1e]()", at)
    local line_feed = text:find("\n", at, true)
    local here = number
    if line_feed and (not stop or line_feed < stop) then
      stop, after, number = line_feed, line_feed + 1, number + 1
    end
    local line = text:sub(at, (stop or #text + 1) - 1)
    at = after or #text + 1
    return line, here
  end
end

--- Every path that a patch names, where it stands. Any line that begins with `--- ` or `+++ ` names
-- one, also in the middle of a hunk: that is how validators read it.
-- @param patch unified diff
-- @return array of {path =, line =, text =} without duplicates: those of the headers first
function M.mentions(patch)
  local list, seen = {}, {}
  local function add(raw, number, text)
    local path = clean(raw)
    if path and not seen[path] then
      seen[path] = true
      list[#list + 1] = { path = path, line = number, text = text }
    end
  end
  local number = 0
  for line in (patch .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local from, to = line:match("^diff %-%-git a/(..-) b/(.+)$")
    if from then
      add(from, number, line)
      add(to, number, line)
    end
  end
  for line, at in M.lines(patch) do
    local path = line:match("^%-%-%- (.*)$") or line:match("^%+%+%+ (.*)$")
    if path then add(path, at, line) end
  end
  return list
end

--- The paths of M.mentions.
function M.paths(patch)
  local list = {}
  for i, mention in ipairs(M.mentions(patch)) do list[i] = mention.path end
  return list
end

--- Whether a path is Python bytecode by the validator's test.
function M.is_bytecode(path)
  path = (clean(path) or ""):gsub("\\", "/"):gsub("^[./]+", ""):lower()
  return path:find("%.py[co]$") ~= nil
end

local function filter(list, keep)
  local kept = {}
  for _, value in ipairs(list) do
    if keep(value) then kept[#kept + 1] = value end
  end
  return kept
end

local function refusal(notes, marker, paths)
  return { notes = notes, marker = "validator_rejection=" .. marker, paths = paths or {} }
end

--- What is wrong with a patch, in the validator's words.
-- @param patch text, possibly blank
-- @param spec {allowed_patch_paths=, max_patch_bytes=}
-- @return nil when it may pass, else {notes=, marker=, paths = those at fault}
function M.refuse(patch, spec)
  local most = spec.max_patch_bytes or M.MAX_BYTES
  if #patch > most then
    return refusal(("Patch exceeds maximum size of %d bytes"):format(most), "patch_too_large")
  end
  if strip(patch) == "" then return nil end
  local paths = M.paths(patch)
  if #paths == 0 then
    return refusal("Patch surface could not be determined from the submitted diff",
      "unparseable_patch_surface")
  end
  local bad = filter(paths, M.is_bytecode)
  if #bad > 0 then
    return refusal("Patch modified generated Python bytecode/cache files: "
      .. table.concat(bad, ", "), "generated_python_cache_paths", bad)
  end
  bad = filter(paths, function(path)
    return not fnmatch.any(path, spec.allowed_patch_paths or {})
  end)
  if #bad == 0 then return nil end
  return refusal("Patch modified files outside the fixed competition surface: "
    .. table.concat(bad, ", "), "disallowed_patch_paths", bad)
end

return M
