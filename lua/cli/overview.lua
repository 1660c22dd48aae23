-- The text of `bittern --help`: every command that is found, in groups.
local check = require "bittern.check"
local config = require "bittern.config"
local script = require "bittern.script"

local M = {}

-- Groups in the order of design.md section 4; others follow.
local groups = { "discover", "model", "artifact", "compete", "self" }

local LINE <const> = "  %-13s %s" -- as wide as the longest name of ours

local HEAD <const> = [[
usage: bittern [--json] [--coordinator URL] [--root DIR] <command> ...

From a live task to an accepted submission: find it, compress into its budget,
pack, prove, submit, follow.]]

--- The commands that can be run.
-- @return array of {name, about, group}, sorted by name
function M.commands()
  local list = {}
  for _, entry in ipairs(script.list("cmd")) do
    local seen = not entry.shadowed and not entry.untrusted and script.glance(entry.path, "cmd")
    if seen then list[#list + 1] = { name = entry.name, about = seen.about, group = seen.group } end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- What the user's config.lua calls by names of their own.
local function add_aliases(by_group)
  for _, name in ipairs(check.sorted_keys(config.aliases())) do
    local list = by_group.aliases or {}
    list[#list + 1] = LINE:format(name, table.concat(config.aliases()[name], " "))
    by_group.aliases = list
  end
end

local function in_groups(commands)
  local by_group = {}
  for _, command in ipairs(commands) do
    local list = by_group[command.group] or {}
    list[#list + 1] = LINE:format(command.name, command.about)
    by_group[command.group] = list
  end
  add_aliases(by_group)
  return by_group
end

--- The text.
function M.text()
  local lines, by_group = { HEAD }, in_groups(M.commands())
  local function add(group)
    lines[#lines + 1] = "\n" .. group
    lines[#lines + 1] = table.concat(by_group[group] or {}, "\n")
    by_group[group] = nil
  end
  for _, group in ipairs(groups) do add(group) end
  for _, group in ipairs(check.sorted_keys(by_group)) do add(group) end
  lines[#lines + 1] = "\n`bittern COMMAND --help` tells more; documents lie in docs/."
  return table.concat(lines, "\n")
end

return M
