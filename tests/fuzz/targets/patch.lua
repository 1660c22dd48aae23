-- Patches: lines as Python cuts them, by a slow reference; paths, refusals and warnings.
local hunks = require "bittern.patch.hunks"
local outcome = require "tests.fuzz.outcome"
local preflight = require "bittern.patch.preflight"
local surface = require "bittern.patch.surface"

local SPEC <const> = { allowed_patch_paths = { "src/*", "*.py" }, max_patch_bytes = 4096 }

-- What ends a line in Python's splitlines.
local ends = { "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u{85}", "\u{2028}",
  "\u{2029}" }

local function slow_lines(text)
  for _, mark in ipairs(ends) do text = text:gsub(mark, "\n") end
  local lines = {}
  for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

-- Empty lines name no path, and bittern takes \r\n for two ends.
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
  assert(outcome.same(without_empty(lines), slow_lines(text)), "other lines")
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
