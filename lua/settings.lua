-- Every setting there is: its value, and where that comes from. The command line comes before the
-- environment, the environment before what is built in.
local fs = require "core.fs"
local quant = require "core.quant"

local config = require "bittern.config"
local coordinator = require "bittern.coordinator"
local huggingface = require "bittern.huggingface"
local once = require "bittern.once"
local parsers = require "bittern.cli.parser"
local paths = require "bittern.paths"
local publishing = require "bittern.publishing"
local redact = require "bittern.redact"
local script = require "bittern.script"
local wallet = require "bittern.wallet"

local M = {}

-- What has a variable, an option that some command has, or a default; `value` is a function for
-- what is no fixed text.
local settings <const> = {
  { name = "settle", option = "--settle", variable = "BITTERN_SETTLE",
    default = ("%d"):format(once.SETTLE), about = "seconds until an unanswered POST is settled" },
  { name = "pool", option = "--pool", variable = "BITTERN_POOL", default = "the coordinator's own",
    about = "the Pool's claims" },
  { name = "kernels", variable = "BITTERN_ISA", default = quant.isa,
    about = "instruction set of the kernels" },
  { name = "wallet", option = "--wallet", variable = "BT_WALLET_NAME", default = "default",
    about = "name of the wallet" },
  { name = "hotkey", option = "--hotkey", variable = "BT_WALLET_HOTKEY", default = "default",
    about = "name of the hotkey" },
  { name = "wallets", option = "--wallet-path", variable = "BT_WALLET_PATH",
    default = function(ctx) return wallet.folder { env = ctx.env } end,
    about = "folder of the wallets" },
  { name = "hub", variable = "HF_ENDPOINT",
    default = function(ctx) return huggingface.endpoint(ctx.env) end,
    about = "the Hugging Face hub" },
  { name = "hub token", variable = "HF_TOKEN",
    about = "what opens private repositories", default = function(ctx)
      return huggingface.token(ctx.env) and redact.HIDDEN, "the hub's token file"
    end },
  { name = "hub token file", variable = "HF_TOKEN_PATH", about = "where the hub's tools keep it" },
  { name = "hub home", variable = "HF_HOME", about = "folder of the hub's clients" },
  { name = "hub offline", variable = "HF_HUB_OFFLINE", about = "the hub is not asked" },
  { name = "S3 key", variable = "AWS_ACCESS_KEY_ID", about = "whom the publisher s3 signs for" },
  { name = "S3 secret", variable = "AWS_SECRET_ACCESS_KEY", about = "what it signs with" },
  { name = "S3 session", variable = "AWS_SESSION_TOKEN", about = "for keys of limited time" },
  { name = "no color", variable = "NO_COLOR", about = "no colours, when it says anything" },
  { name = "color", variable = "CLICOLOR", about = "0: no colours at a terminal" },
  { name = "force color", variable = "CLICOLOR_FORCE", about = "1: colours where no terminal is" },
  { name = "scripts", variable = "XDG_CONFIG_HOME",
    shown = function(ctx) return paths.config(ctx.env) end,
    about = "folder of your own scripts" },
  { name = "state", variable = "XDG_STATE_HOME",
    shown = function(ctx) return paths.state(ctx.env) end,
    about = "folder of the ledger and of runs" },
  { name = "cache", variable = "XDG_CACHE_HOME",
    shown = function(ctx) return paths.cache(ctx.env) end,
    about = "folder of what may be deleted" },
  { name = "ledger", shown = function(ctx) return paths.state(ctx.env) .. "/ledger.db" end,
    about = "what was sent from here" },
  { name = "installed", shown = function() return paths.root() end,
    about = "the scripts that came with bittern" },
}

-- The global options, which the parser knows; production is where no other coordinator is named.
local function globals()
  local list = {}
  for i, global in ipairs(parsers.globals) do
    local name = global.name:sub(3)
    list[i] = { name = name, option = global.name, variable = global.variable,
      about = global.about, default = global.default }
    if name == "coordinator" then list[i].default = coordinator.PRODUCTION end
  end
  return list
end

-- BITTERN_S3_BUCKET and the like. A publisher that cannot be read has settings that nobody knows.
local function of_publishers(ctx)
  local list = {}
  for _, found in ipairs(script.list "publish") do
    local publisher, message
    local usable = not found.untrusted and not found.shadowed
    if usable then publisher, message = script.load(found.path, "publish") end
    if message then ctx.report.warn(message) end
    for name, spec in pairs(publisher and publisher.args or {}) do
      list[#list + 1] = { name = found.name .. " " .. name, option = "--set " .. name .. "=",
        variable = publishing.variable(found.name, name), about = spec[2],
        default = spec[1] ~= "" and tostring(spec[1]) or nil }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- The key of lua-argparse's result for an option.
local function target(option)
  return option:gsub("^%-+", ""):gsub("%-", "_")
end

local function given(ctx, setting)
  local value = setting.option and ctx.args[target(setting.option)]
  if value == nil or value == setting.default then return nil end
  return tostring(value)
end

-- value, where it comes from
local function look(ctx, setting)
  local value = given(ctx, setting)
  if value then return value, setting.option end
  local said = setting.variable and ctx.env(setting.variable)
  if said and said ~= "" then
    local shown = setting.shown and setting.shown(ctx)
    local hidden = redact.is_secret(setting.variable) and redact.HIDDEN
    return hidden or shown or said, config.gives(setting.variable) and "config.lua"
      or setting.variable
  end
  local default, from = setting.shown or setting.default, nil
  if type(default) == "function" then default, from = default(ctx) end
  return default, default and (type(from) == "string" and from or "built in") or nil
end

local function described(ctx, setting)
  local value, from = look(ctx, setting)
  return {
    name = setting.name, value = value and redact.url(value), from = from, about = setting.about,
    option = setting.option, variable = setting.variable,
  }
end

--- Every setting.
-- @param ctx a command's context
-- @return array of {name, value = text or nil, from = an option, a variable, "built in" or nil,
--   option, variable, about}
function M.all(ctx)
  local list = {}
  for _, group in ipairs { globals(), settings, of_publishers(ctx) } do
    for _, setting in ipairs(group) do list[#list + 1] = described(ctx, setting) end
  end
  return list
end

--- The files that the user may have written, and whether they are there.
-- @return array of {path, about, there = boolean}
function M.files(ctx)
  local list = {
    { path = config.path(), about = "defaults and aliases of one's own" },
    { path = paths.config(ctx.env), about = "scripts of one's own" },
    { path = paths.state(ctx.env) .. "/trusted.json", about = "project scripts that are trusted" },
    { path = wallet.folder { env = ctx.env }, about = "wallets" },
  }
  for _, file in ipairs(list) do
    local _, _, code = fs.stat(file.path)
    file.there = code ~= "not_found"
  end
  return list
end

return M
