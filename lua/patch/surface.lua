-- What a patch touches, and whether it may: the validator's reading, quirks included (contract.md
-- 3.3, 3.4 and 4.3). It reads lines as Python's splitlines and strip do.
local fnmatch = require "bittern.fnmatch"

local M = {}

--- A patch may have so many bytes when nobody says otherwise.
M.MAX_BYTES = 262144

-- Ends of a line beside \n that Python's splitlines knows and a pattern can name: form feeds and
-- such, and three of Unicode.
local wide_ends = { "\u{85}", "\u{2028}", "\u{2029}" }

-- What Python's strip takes for blank, each as its bytes.
local blank = {}
for byte in (" \t\n\v\f\r\x1c\x1d\x1e\x1f"):gmatch(".") do blank[byte] = true end
for _, code in ipairs { 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 } do
  blank[utf8.char(code)] = true
end
for code = 0x2000, 0x200A do blank[utf8.char(code)] = true end

-- Bytes of the blank that begins at `at`, or that ends there when `step` is -1; nil for none.
local function blank_at(text, at, step)
  for size = 1, 3 do
    local other = at + (size - 1) * step
    if blank[text:sub(math.min(at, other), math.max(at, other))] then return size end
  end
end

-- Every byte is looked at once: a patch may be one blank line of 256 KiB.
local function strip(text)
  local from, to = 1, #text
  local size = blank_at(text, from, 1)
  while size do
    from = from + size
    size = blank_at(text, from, 1)
  end
  size = to >= from and blank_at(text, to, -1)
  while size do
    to = to - size
    size = to >= from and blank_at(text, to, -1)
  end
  return text:sub(from, to)
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
  local at, number, other = 1, 1, 0 -- the next end that is no \n, searched for once
  return function()
    if at > #text then return nil end
    if other < at then other = text:find("[\r\v\f\x1c-\x1e]", at) or #text + 1 end
    local line_feed = text:find("\n", at, true)
    local here, stop = number, other
    if line_feed and line_feed < other then stop, number = line_feed, number + 1 end
    local line = text:sub(at, stop - 1)
    at = stop + 1
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
