-- Patches: lines as Python cuts them, by a slow reference; paths, refusals and warnings.
local hunks = require "bittern.patch.hunks"
local outcome = require "tests.fuzz.outcome"
local preflight = require "bittern.patch.preflight"
local surface = require "bittern.patch.surface"

local SPEC <const> = { allowed_patch_paths = { "src/*", "*.py" }, max_patch_bytes = 4096 }

-- What ends a line beside \n: some of one byte, some of several.
local ends = { "\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u{85}", "\u{2028}",
  "\u{2029}" }

local function end_at(text, at)
  for _, mark in ipairs(ends) do
    if text:sub(at, at + #mark - 1) == mark then return #mark end
  end
end

local function slow_lines(text)
  local lines, start, at = {}, 1, 1
  while at <= #text do
    local length = end_at(text, at)
    if length then
      lines[#lines + 1] = text:sub(start, at - 1)
      start = at + length
    end
    at = at + (length or 1)
  end
  if start <= #text then lines[#lines + 1] = text:sub(start) end
  return lines
end

-- A line feed after a carriage return is a line of its own for bittern, and empty: no path.
local function without_empty(lines)
  local kept = {}
  for _, line in ipairs(lines) do
    if line ~= "" then kept[#kept + 1] = line end
  end
  return kept
end

local function check_lines(text)
  local lines, last = {}, 0
  for line, number in surface.lines(text) do
    assert(number >= last, "numbers run backwards")
    lines[#lines + 1], last = line, number
  end
  assert(outcome.same(without_empty(lines), without_empty(slow_lines(text))), "other lines")
end

local function check_paths(patch)
  local seen = {}
  for _, mention in ipairs(surface.mentions(patch)) do
    assert(mention.path ~= "" and not seen[mention.path] and mention.line >= 1)
    seen[mention.path] = true
    surface.is_bytecode(mention.path)
  end
  return seen
end

return function(patch)
  check_lines(patch)
  local paths = check_paths(patch)
  for _, line in ipairs(hunks.lines(patch)) do assert(not line.text:find("\n")) end
  for _, warning in ipairs(preflight.check(patch, SPEC)) do
    assert(type(warning.message) == "string" and (not warning.line or warning.line >= 1))
  end
  local refusal = surface.refuse(patch, SPEC)
  if not refusal then return "read" end
  for _, path in ipairs(refusal.paths) do assert(paths[path], "a path that nobody named") end
  return refusal.marker
end
