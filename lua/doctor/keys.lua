-- The hotkey and the hub's token: whether they are there and fit for use. Neither is shown.
local errors = require "bittern.errors"
local examine = require "bittern.wallet.examine"
local huggingface = require "bittern.huggingface"
local keyfile = require "bittern.keyfile"
local wallet = require "bittern.wallet"

local M = {}

-- An encrypted hotkey is not opened here: nobody is asked for a password to be told of the weather.
local function encrypted(options, add)
  local path = wallet.path(options)
  local text <close>, warnings = wallet.read(path)
  if not text then return add("bad", warnings, errors.next "key_unreadable") end
  local address = keyfile.glance(text).address
  add("ok", ("%s is encrypted%s"):format(path, address and ", address " .. address or ""))
  for _, warning in ipairs(warnings) do add("bad", warning, "chmod 600 " .. path) end
end

function M.hotkey(ctx, add)
  local options = wallet.options(ctx.args, ctx.env)
  options.terminal = false
  local opened, message, code = wallet.open(options)
  if code == "key_encrypted" then return encrypted(options, add) end
  if not opened then
    local absent = code == "key_missing" and not wallet.is_named(ctx.args)
    local fix = absent and "`bittern wallet new`, or name one: --wallet, --hotkey, --hotkey-file"
    return add(absent and "warning" or "bad", message, fix or errors.next(code))
  end
  local _ <close> = opened.key
  add("ok", ("%s, address %s"):format(opened.path, opened.address))
  for _, done in ipairs(examine.all(opened)) do
    if not done.ok then
      add("bad", done.text, "`bittern wallet check` tells more; keep the file for its owner alone")
    end
  end
end

function M.hub(ctx, add)
  if huggingface.is_offline(ctx.env) then
    return add("warning", "the hub is not asked, because of HF_HUB_OFFLINE", "unset HF_HUB_OFFLINE")
  end
  local from = ctx.env("HF_TOKEN") and "HF_TOKEN" or "the hub's token file"
  if huggingface.token(ctx.env) then return add("ok", "a token is there, in " .. from) end
  if ctx.env("HF_TOKEN") then
    return add("bad", "HF_TOKEN holds no token", "set it to the token, one word")
  end
  add("ok", "no token: public repositories only; HF_TOKEN names one")
end

return M
