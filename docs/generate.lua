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
| 0 | done |
| 1 | general failure |
| 2 | usage |
| 3 | configuration |
| 4 | key or signature |
| 5 | temporary, retrying helps |
| 6 | network or TLS |
| 7 | not found, or not live |
| 8 | still pending |
| 9 | the gate says STOP |
| 10 | rejected by the coordinator or the validators |
| 11 | locked |
| 12 | integrity mismatch |
| 13 | disk |
| 14 | script error or limit |
| 15 | outcome unknown: reconcile |
| 130 | interrupted |

| id | exit | next |
| --- | --- | --- |
]]

--- The text of docs/errors.md.
function M.errors()
  local lines = {}
  for _, id in ipairs(errors.list()) do
    lines[#lines + 1] = ("| `%s` | %d | %s |\n"):format(id, errors.exit(id), errors.next(id) or "")
  end
  return HEAD .. table.concat(lines)
end

if not ... then
  local path = paths.root() .. "/docs/errors.md"
  local text = M.errors()
  if fs.read(path) ~= text then assert(fs.write(path, text)) end
end

return M
