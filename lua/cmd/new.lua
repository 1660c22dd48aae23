-- bittern new KIND NAME: a script of one's own to begin with, commented, and it works as it is.
local fs = require "core.fs"

local json = require "bittern.json"
local paths = require "bittern.paths"

-- What is written for each kind: template in lua/new, and where it goes. The test of the first file
-- lies beside it.
local kinds = {
  recipe = { { "recipe.lua", "recipes/NAME.lua" }, { "recipe_test.lua", "recipes/NAME.test.lua" } },
  mode = {
    { "mode.lua", "modes/NAME.lua" }, { "mode_test.lua", "modes/NAME.test.lua" },
    { "mode_task.json", "tasks/NAME/task.json" }, { "mode_bench.sh", "tasks/NAME/repo/bench.sh" },
    { "mode_settings.sh", "tasks/NAME/repo/settings.sh" },
  },
  publisher = {
    { "publisher.lua", "publish/NAME.lua" }, { "publisher_test.lua", "publish/NAME.test.lua" },
  },
  workflow = {
    { "workflow.lua", "workflows/NAME.lua" }, { "workflow_test.lua", "workflows/NAME.test.lua" },
  },
  command = { { "command.lua", "cmd/NAME.lua" }, { "command_test.lua", "cmd/NAME.test.lua" } },
}

-- How it is used once it does what it should.
local hints = {
  recipe = "bittern%s compress MODEL --recipe %s --budget binary --dry-run",
  mode = "bittern%s practice --task TASK.json  # of \"competition_mode\": \"%s\"",
  publisher = "bittern%s publish FILE --to %s",
  workflow = "bittern%s mine SLUG --workflow %s ...",
  command = "bittern%s %s --help",
}

local function check_name(kind, name)
  local most = kind == "mode" and 120 or 60
  if #name >= 3 and #name <= most and name:find("^%a[%w_-]*$") then return true end
  return nil, ("'%s' is no name: 3 to %d letters, digits, _ and -, a letter first"):format(name,
    most), "usage"
end

-- {path =, text =} of each file; nothing is written where one is there already.
local function plan(kind, name, folder)
  local list = {}
  for i, entry in ipairs(kinds[kind]) do
    local text, message, code = fs.read(("%s/lua/new/%s"):format(paths.root(), entry[1]), 1 << 20)
    if not text then return nil, message, code end
    local path = folder .. "/" .. entry[2]:gsub("NAME", name)
    if fs.stat(path) then return nil, path .. ": is there already", "exists" end
    list[i] = { path = path, text = (text:gsub("%f[%w]NAME%f[^%w]", name)) }
  end
  return list
end

-- What the Lua language server needs to complete and check scripts: where the annotations lie.
local function editor_file(folder)
  local path, meta = folder .. "/.luarc.json", paths.root() .. "/docs/meta"
  if fs.stat(path) or not fs.stat(meta) then return nil end
  return { path = path, text = assert(json.encode {
    ["runtime.version"] = "Lua 5.4", ["workspace.library"] = json.array { meta },
    ["diagnostics.globals"] = json.array { "describe", "it", "setup", "teardown", "before_each",
      "after_each", "pending" },
  }) .. "\n" }
end

local function with_editor_file(list, folder)
  local all = table.move(list, 1, #list, 1, {})
  all[#all + 1] = editor_file(folder)
  return all
end

local function write(list)
  for _, file in ipairs(list) do
    local made, message, code = fs.mkdir(file.path:match("^(.*)/"))
    if not made then return nil, message, code end
    local ok, why, id = fs.write(file.path, file.text)
    if not ok then return nil, why, id end
  end
  return true
end

local function show(ctx, kind, name, folder, list)
  local written = {}
  for i, file in ipairs(list) do
    written[i] = file.path
    if not ctx.json then ctx.report.out(file.path) end
  end
  if ctx.json then
    ctx.report.data { kind = kind, name = name, files = written,
      dry_run = ctx.args.dry_run or false }
  end
  if ctx.args.dry_run then return true end
  local root = ctx.args.to and " --root " .. folder or ""
  ctx.report.say("test it: bittern test " .. written[1])
  ctx.report.say("use it:  " .. hints[kind]:format(root, name))
  return true
end

return {
  api = 1,
  about = "write a script of your own to begin with, and its tests",
  group = "self",
  args = function(parser)
    parser:argument("kind", "mode, recipe, publisher, workflow or command")
      :choices { "mode", "recipe", "publisher", "workflow", "command" }
    parser:argument("name", "its name, and that of its file")
    parser:option("--to", "folder that gets modes/ and so on (default: where yours are found)")
      :argname "DIR"
    parser:flag("--dry-run", "name the files, write none")
  end,
  run = function(ctx)
    local kind, name = ctx.args.kind, ctx.args.name
    local fine, why, id = check_name(kind, name)
    if not fine then return nil, why, id end
    local folder = (ctx.args.to or paths.config(ctx.env)):gsub("(.)/+$", "%1")
    local list, message, code = plan(kind, name, folder)
    if not list then return nil, message, code end
    if not ctx.args.dry_run then
      local done, reason, kind_of = write(with_editor_file(list, folder))
      if not done then return nil, reason, kind_of end
    end
    return show(ctx, kind, name, folder, list)
  end,
}
