-- Writes docs/errors.md from lua/errors.lua: `make docs`. A test compares the two.
local fs = require "core.fs"
local errors = require "bittern.errors"
local paths = require "bittern.paths"

local M = {}

local HEAD <const> = [[
<!-- Generated from lua/errors.lua by docs/generate.lua (`make docs`); edit there. -->
# Errors and exit codes

Every failure has an id (shown by `--json`), an exit code, a message that names the thing, and a
next step. Unknown codes mean failure.

| exit | meaning |
| --- | --- |
]]

local IDS <const> = [[

| id | exit | next |
| --- | --- | --- |
]]

--- The text of docs/errors.md.
function M.errors()
  local lines = { HEAD }
  for _, exit in ipairs(errors.exits) do
    lines[#lines + 1] = ("| %d | %s |\n"):format(exit[1], exit[2])
  end
  lines[#lines + 1] = IDS
  for _, id in ipairs(errors.list()) do
    lines[#lines + 1] = ("| `%s` | %d | %s |\n"):format(id, errors.exit(id), errors.next(id) or "")
  end
  return table.concat(lines)
end

if not ... then
  local path = paths.root() .. "/docs/errors.md"
  local text = M.errors()
  if fs.read(path) ~= text then assert(fs.write(path, text)) end
end

return M
