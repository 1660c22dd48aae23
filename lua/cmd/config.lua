-- bittern config: every setting, its value, and where that comes from.
local json = require "bittern.json"
local settings = require "bittern.settings"
local wallet = require "bittern.wallet"

-- What is not set is listed with --all only.
local function rows_of(ctx, list)
  local rows = {}
  for _, setting in ipairs(list) do
    if setting.value or ctx.args.all then
      rows[#rows + 1] = { setting.name, ctx.report.clean(setting.value or "-"),
        setting.from or setting.variable or setting.option or "" }
    end
  end
  return rows
end

return {
  api = 1,
  about = "every setting, its value, and where that comes from",
  group = "self",
  args = function(parser)
    parser:flag("--all", "what is not set, too, with the name to set it by")
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local list, files = settings.all(ctx), settings.files(ctx)
    if ctx.json then
      ctx.report.data { settings = json.array(list), files = json.array(files) }
      return true
    end
    local columns = { { "SETTING" }, { "VALUE", cut = true }, { "FROM" } }
    for _, line in ipairs(ctx.report.table(columns, rows_of(ctx, list))) do ctx.report.out(line) end
    for _, file in ipairs(files) do
      local there = file.there and "" or " (not there)"
      ctx.report.say(("%s: %s%s"):format(file.about, file.path, there))
    end
    return true
  end,
}
