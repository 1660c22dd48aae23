-- The values of options and arguments, by what people call them in the help: SLUG, RECIPE, FILE ...
local script = require "bittern.script"

local M = {}

-- The slugs of the tasks that can be mined, as they were seen last.
local function slugs(_, world)
  local task_record = require "bittern.task"
  local url = require("bittern.session").url(world)
  local seen = require("bittern.task.seen").read((url:gsub("/+$", "")), world.env)
  local list = {}
  for _, task in ipairs(seen or {}) do
    if task_record.is_live(task) then list[#list + 1] = { task.slug, task.title } end
  end
  return list
end

local function scripts(kind)
  local list = {}
  for _, entry in ipairs(script.list(kind)) do
    if not entry.untrusted and not entry.shadowed then
      local seen = script.glance(entry.path, kind)
      list[#list + 1] = { entry.name, seen and seen.about }
    end
  end
  return list
end

-- A name, or the path of a file of one's own.
local function of_kind(kind)
  return function(typed)
    if typed:find("/", 1, true) then return "files" end
    return scripts(kind)
  end
end

-- The tensors of the model that the command line names.
local function tensors(_, world)
  local model = world.rest[1] and require("bittern.model").open(world.rest[1])
  return model and model.names or {}
end

local kinds <const> = {
  SLUG = slugs, TENSOR = tensors,
  FILE = function() return "files" end, F = function() return "files" end,
  PATH = function() return "files" end, DIR = function() return "folders" end,
}

for _, kind in ipairs(script.kinds()) do kinds[script.word(kind):upper()] = of_kind(kind) end

-- `--set NAME=VALUE` is for the script that another option names.
local function arguments_of_script(world)
  local list = {}
  for _, option in ipairs(world.options) do
    for _, kind in ipairs(option.value and script.kinds() or {}) do
      local name = world.given[option.names[#option.names]] or option.default
      local found = option.value == script.word(kind):upper() and name and script.find(kind, name)
      for key, spec in pairs(found and found.args or {}) do
        list[#list + 1] = { key .. "=", tostring(spec[2]) }
      end
    end
  end
  return list
end

--- Values of an option.
-- @param option of bittern.cli.elements
-- @param typed what is there of it
-- @param world see bittern.completion; with given, rest and options of the command
-- @return array of texts or of {text, about}; or "files" or "folders"
function M.of_option(option, typed, world)
  local value = option.value or ""
  if option.names[#option.names] == "--set" then return arguments_of_script(world) end
  local list = kinds[value:match("^%u+")]
  return list and list(typed, world) or {}
end

--- Values of an argument; what nothing is known of may be a file.
-- @param argument of bittern.cli.elements
function M.of_argument(argument, typed, world)
  local list = kinds[argument.name:upper()]
  if list then return list(typed, world) end
  return argument.name:find("dir") and "folders" or "files"
end

return M
