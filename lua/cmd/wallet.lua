-- bittern wallet show | new: which hotkey is used, and a new one. Secrets are never printed.
local canonical = require "bittern.canonical"
local wallet = require "bittern.wallet"

local function show(ctx)
  local opened, message, code = wallet.from_args(ctx.args, ctx.env)
  if not opened then return nil, message, code end
  opened.key:close()
  for _, warning in ipairs(opened.warnings) do ctx.report.warn(warning) end
  if ctx.json then
    ctx.report.data {
      address = opened.address, path = opened.path, warnings = canonical.array(opened.warnings),
    }
  else
    ctx.report.out(opened.address)
    ctx.report.say("  from " .. opened.path)
  end
  return true
end

local function new(ctx)
  local options = wallet.options(ctx.args, ctx.env)
  options.hotkey_file = ctx.args.file or options.hotkey_file
  local path, message, code = wallet.path(options)
  if not path then return nil, message, code end
  local address, why, id = wallet.create(path)
  if not address then return nil, why, id end
  if ctx.json then
    ctx.report.data { address = address, path = path }
  else
    ctx.report.out(address)
    ctx.report.say("  in " .. path)
    ctx.report.say("  its words are in that file and nowhere else: keep a copy")
  end
  return true
end

local actions = { show = show, new = new }

return {
  api = 1,
  about = "show which hotkey is used, or write a new one",
  group = "self",
  args = function(parser)
    parser:argument("action", "show (the default): address, file, warnings; new: a hotkey file")
      :args("?"):choices { "show", "new" }
    parser:argument("file", "with new: the file (else the one that the options name)"):args "?"
    wallet.arguments(parser)
  end,
  run = function(ctx)
    return actions[ctx.args.action or "show"](ctx)
  end,
}
