-- bittern scripts: what is found, from where, and what hides what.
local listing = require "bittern.cli.listing"
local script = require "bittern.script"
local trust = require "bittern.trust"

local function state_of(entry)
  if entry.untrusted then return "not trusted" end
  if entry.shadowed then return "hidden by the one above" end
  if entry.sandboxed then return "in a sandbox" end
  return entry.trusted and "trusted" or ""
end

-- Scripts that are trusted and have no name, as they lie in none of the folders.
local function add_trusted(list)
  local by_path = {}
  for _, entry in ipairs(list) do by_path[entry.path] = entry end
  for _, known in ipairs(trust.list()) do
    local entry = by_path[known.path]
    if entry then entry.trusted = known.current
    else
      list[#list + 1] = { kind = script.kind_of(known.path) or "", from = "path", about = "",
        name = known.path, path = known.path, trusted = known.current,
        untrusted = not known.current }
    end
  end
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
  add_trusted(list)
  return list
end

local function show(ctx, list)
  local rows = {}
  for _, entry in ipairs(list) do
    local about = entry.about or entry.problem or ""
    rows[#rows + 1] = { entry.kind, entry.name, entry.from, about, state_of(entry) }
  end
  local columns = { { "KIND" }, { "NAME" }, { "FROM" }, { "ABOUT", cut = true }, { "" } }
  for _, line in ipairs(ctx.report.table(columns, rows)) do ctx.report.out(line) end
end

local function remember(ctx)
  local path, message, code = trust.remember(ctx.args.trust)
  if not path then return nil, message, code end
  if ctx.json then ctx.report.data { trusted = path } end
  ctx.report.say(path .. " is trusted as it is now")
  return true
end

return {
  api = 1,
  about = "the scripts that are found, their places, and which hide others",
  group = "self",
  args = function(parser)
    parser:option("--trust", "trust the current bytes of a script"):argname "FILE"
    listing.arguments(parser, "paths")
  end,
  run = function(ctx)
    if ctx.args.trust then return remember(ctx) end
    local list = entries()
    local picked, wrong, usage = listing.pick(ctx, list)
    if not picked then return nil, wrong, usage end
    if ctx.json then ctx.report.data { scripts = picked }
    elseif not listing.ids(ctx, list, "path") then show(ctx, list) end
    return true
  end,
}
