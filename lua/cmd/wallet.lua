-- bittern wallet list | show | new | check: which hotkeys there are, which one is used, a new one,
-- and whether one is fit for use. A secret is printed only where its owner asks for it.
local fs = require "core.fs"
local keybox = require "core.keybox"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local examine = require "bittern.wallet.examine"
local list_of = require "bittern.wallet.list"
local listing = require "bittern.cli.listing"
local wallet = require "bittern.wallet"

local OWNER_ONLY <const> = 0x180 -- 0600
local STDOUT <const> = 1

-- Rows of the table: a wallet without hotkeys has one, too.
local function rows_of(wallets, clean)
  local rows = {}
  for _, found in ipairs(wallets) do
    local name, coldkey = clean(found.name), found.coldkey or "-"
    for _, hotkey in ipairs(found.hotkeys) do
      rows[#rows + 1] = { name, clean(hotkey.name), hotkey.address or "-", hotkey.kind, coldkey }
    end
    if #found.hotkeys == 0 then rows[#rows + 1] = { name, "-", "-", "-", coldkey } end
  end
  return rows
end

local function show_list(ctx, folder, wallets)
  local columns = {
    { "WALLET" }, { "HOTKEY" }, { "ADDRESS" }, { "KIND" }, { "COLDKEY", spare = true },
  }
  local rows = rows_of(wallets, ctx.report.clean)
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
  ctx.report.say(("  %d in %s"):format(#wallets, folder))
end

local function hotkeys_of(wallets)
  local all = {}
  for _, found in ipairs(wallets) do
    table.move(found.hotkeys, 1, #found.hotkeys, #all + 1, all)
  end
  return all
end

local function list(ctx)
  local folder = wallet.folder(wallet.options(ctx.args, ctx.env))
  local wallets, message, code = list_of.wallets(folder)
  if not wallets then return nil, message, code end
  for _, found in ipairs(wallets) do
    for _, hotkey in ipairs(found.hotkeys) do
      for _, warning in ipairs(hotkey.warnings) do ctx.report.warn(warning) end
      canonical.array(hotkey.warnings)
    end
    canonical.array(found.hotkeys)
  end
  local picked, wrong, usage = listing.pick(ctx, wallets)
  if not picked then return nil, wrong, usage end
  if ctx.json then
    ctx.report.data { folder = folder, wallets = picked }
  elseif not listing.ids(ctx, hotkeys_of(wallets), "address") then
    show_list(ctx, folder, wallets)
  end
  return true
end

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

-- Where a new hotkey goes, when everything that was asked for can be done.
local function place_of(ctx)
  local args, options = ctx.args, wallet.options(ctx.args, ctx.env)
  if args.show_mnemonic and (ctx.json or not sys.isatty(STDOUT)) then
    return nil, "--show-mnemonic shows the words at a terminal only; name a file: --mnemonic-to",
      "usage"
  end
  if args.mnemonic_to and fs.stat(args.mnemonic_to) then
    return nil, args.mnemonic_to .. ": File exists", "exists"
  end
  options.hotkey_file = args.file or options.hotkey_file
  local path, message, code = wallet.path(options)
  if not path then return nil, message, code end
  local may, why, id = wallet.may_create(path)
  if not may then return nil, why, id end
  return path
end

-- The words, where their owner asked for them.
local function tell_words(ctx, words)
  local to = ctx.args.mnemonic_to
  if ctx.args.show_mnemonic then ctx.report.out(words:text()) end
  if not to then return true end
  local line <close> = keybox.join { words, "\n" }
  local written, message, code = fs.write(to, line, { mode = OWNER_ONLY, exclusive = true })
  if not written then return nil, message .. "; the hotkey itself is written", code end
  ctx.report.say("  its words are in " .. to .. ", too")
  return true
end

local function new(ctx)
  local path, message, code = place_of(ctx)
  if not path then return nil, message, code end
  if ctx.args.dry_run then
    if ctx.json then ctx.report.data { dry_run = true, mode = "0600", path = path } end
    ctx.report.say(("would write a new hotkey to %s, for its owner only"):format(path))
    return true
  end
  local address, words, id = wallet.create(path, ctx.args.words)
  if not address then return nil, words, id end
  local secret <close> = words
  if ctx.json then ctx.report.data { address = address, path = path } end
  if not ctx.json then ctx.report.out(address) end
  ctx.report.say("  in " .. path)
  if not (ctx.args.mnemonic_to or ctx.args.show_mnemonic) then
    ctx.report.say("  its words are in that file and nowhere else: keep a copy")
  end
  return tell_words(ctx, secret)
end

local function check(ctx)
  local opened, message, code = wallet.from_args(ctx.args, ctx.env)
  if not opened then return nil, message, code end
  local key <close> = opened.key
  local checks, bad = canonical.array(examine.all(opened)), nil
  for _, done in ipairs(checks) do
    ctx.report.say(("  %-4s %-8s %s"):format(done.ok and "ok" or "BAD", done.id, done.text))
    if not done.ok then bad = bad or done.text end
  end
  if bad then return nil, bad, "config" end
  if ctx.json then
    ctx.report.data { address = key:address(), path = opened.path, checks = checks }
  else
    ctx.report.out(opened.address)
  end
  return true
end

local actions = { list = list, show = show, new = new, check = check }

local function count_of_words(text)
  if text == "12" or text == "24" then return math.tointeger(tonumber(text)) end
  return nil, "--words must be 12 or 24"
end

return {
  api = 1,
  about = "list hotkeys, show the one in use, write a new one, check one",
  group = "self",
  args = function(parser)
    parser:argument("action", "list: all wallets; show (the default): address, file, warnings; "
      .. "new: a hotkey file; check: whether it is fit for use"):args("?")
      :choices { "list", "show", "new", "check" }
    parser:argument("file", "with new: the file (else the one that the options name)"):args "?"
    parser:option("--words", "with new: 12 or 24 of them"):argname("N"):convert(count_of_words)
    parser:flag("--show-mnemonic", "with new: show the words, at a terminal")
    parser:option("--mnemonic-to", "with new: write the words to this file, too"):argname "FILE"
    listing.arguments(parser, "with list: addresses of hotkeys")
    parser:flag("--dry-run", "with new: say what would be written, and write nothing")
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local action = ctx.args.action or "show"
    if action ~= "list" and (ctx.args.ids or ctx.args.fields) then
      return nil, "--ids and --fields are for `wallet list`", "usage"
    end
    return actions[action](ctx)
  end,
}
