-- What every command that lists things can do: ids only, and chosen fields of its JSON.
local check = require "bittern.check"
local json = require "bittern.json"

local M = {}

--- Adds -q/--ids and --fields to a command's parser (lua-argparse).
-- @param what the ids are, for the help: "slugs"
function M.arguments(parser, what)
  parser:flag("-q --ids", ("%s only, one a line"):format(what))
  parser:option("--fields", "with --json: these fields of each only, comma-separated")
    :argname "A,B"
end

-- Fields that no record has are a slip of the hand; of an empty list nobody knows.
local function known(list, names)
  local there = {}
  for _, record in ipairs(list) do
    for key in pairs(record) do there[key] = true end
  end
  for _, name in ipairs(#list > 0 and names or {}) do
    if not there[name] then
      local fields = check.sorted_keys(there)
      local hint = check.hint(name, fields)
      if hint == "" then hint = "; there are " .. table.concat(fields, ", ") end
      return nil, ("--fields: no field '%s'%s"):format(name, hint), "usage"
    end
  end
  return true
end

--- The list with the fields that were asked for; all of them when none were. A record without a
-- field has null there.
-- @param ctx a command's context
-- @param list array of tables
-- @return array for JSON, or nil, message, "usage"
function M.pick(ctx, list)
  if not ctx.args.fields then return json.array(list) end
  if not ctx.json then return nil, "--fields is for --json", "usage" end
  local names = {}
  for name in ctx.args.fields:gmatch("[^,%s]+") do names[#names + 1] = name end
  local ok, message, code = known(list, names)
  if not ok then return nil, message, code end
  local picked = {}
  for i, record in ipairs(list) do
    picked[i] = {}
    for _, name in ipairs(names) do
      local value = record[name]
      picked[i][name] = value == nil and json.null or value
    end
  end
  return json.array(picked)
end

--- Prints ids, one a line, when they were asked for.
-- @param key of the id in a record
-- @return whether they were
function M.ids(ctx, list, key)
  if not ctx.args.ids or ctx.json then return false end
  for _, record in ipairs(list) do
    if record[key] ~= nil then ctx.report.out(ctx.report.clean(tostring(record[key]))) end
  end
  return true
end

return M
