-- Writes docs/errors.md from lua/errors.lua, docs/api and docs/meta from the doc comments of C and
-- Lua, and docs/schemas from docs/shapes: `make docs`. Tests compare them.
local fs = require "core.fs"
local lfs = require "lfs"
local errors = require "bittern.errors"
local meta = require "bittern.reference.meta"
local pages = require "bittern.reference.pages"
local paths = require "bittern.paths"
local schemas = assert(loadfile(paths.root() .. "/docs/schemas.lua", "t"))()

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

--- Every generated document.
-- @return {path below docs = text}
function M.all()
  local all = { ["errors.md"] = M.errors() }
  for path, text in pairs(pages.all()) do all["api/" .. path] = text end
  for path, text in pairs(schemas.all()) do all["schemas/" .. path] = text end
  for path, text in pairs(meta.all()) do all["meta/" .. path] = text end
  return all
end

-- Pages of modules and schemas of commands that are no more go.
local function sweep(folder, all)
  for _, room in ipairs { "api/core", "api/bittern", "meta/core", "meta/bittern",
    "schemas" } do
    assert(fs.mkdir(folder .. "/" .. room))
    for name in lfs.dir(folder .. "/" .. room) do
      local path = room .. "/" .. name
      if name:find "%.%a+$" and not all[path] then assert(fs.remove(folder .. "/" .. path)) end
    end
  end
end

if not ... then
  local folder, all = paths.root() .. "/docs", M.all()
  sweep(folder, all)
  for path, text in pairs(all) do
    if fs.read(folder .. "/" .. path) ~= text then assert(fs.write(folder .. "/" .. path, text)) end
  end
end

return M
