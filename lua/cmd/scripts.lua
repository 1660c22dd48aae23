-- bittern scripts: what is found, from where, and what hides what.
local listing = require "bittern.cli.listing"
local script = require "bittern.script"

local function state_of(entry)
  if entry.untrusted then return "not trusted" end
  return entry.shadowed and "hidden by the one above" or ""
end

local function entries()
  local list = {}
  for _, kind in ipairs(script.kinds()) do
    for _, entry in ipairs(script.list(kind)) do
      local value, message
      if not entry.untrusted then value, message = script.load(entry.path, kind) end
      entry.kind, entry.about, entry.problem = kind, value and value.about, message
      list[#list + 1] = entry
    end
  end
  return list
end

local function show(ctx, list)
  local rows = {}
  for _, entry in ipairs(list) do
    local about = entry.about or entry.problem or ""
    rows[#rows + 1] = { entry.kind, entry.name, entry.from, about, state_of(entry) }
  end
  local columns = { { "KIND" }, { "NAME" }, { "FROM" }, { "ABOUT" }, { "" } }
  for _, line in ipairs(ctx.report.table(columns, rows)) do ctx.report.out(line) end
end

return {
  api = 1,
  about = "the scripts that are found, their places, and which hide others",
  group = "self",
  args = function(parser)
    parser:option("--trust", "trust the current bytes of a project script"):argname "FILE"
    listing.arguments(parser, "paths")
  end,
  run = function(ctx)
    if ctx.args.trust then return script.trust(ctx.args.trust) end
    local list = entries()
    local picked, wrong, usage = listing.pick(ctx, list)
    if not picked then return nil, wrong, usage end
    if ctx.json then ctx.report.data { scripts = picked }
    elseif not listing.ids(ctx, list, "path") then show(ctx, list) end
    return true
  end,
}
