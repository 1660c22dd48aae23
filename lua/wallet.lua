-- Hotkeys on disk: finds the file, reads its secret, proves that it is the one it says it is. The
-- coldkey is never opened; a secret never comes from the command line.
local fs = require "core.fs"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local check = require "bittern.check"
local keyfile = require "bittern.keyfile"
local paths = require "bittern.paths"

local M = {}

local MAX_BYTES <const> = 64 << 10
local OWNER_ONLY <const> = 0x180 -- 0600
local OWNER_FOLDER <const> = 0x1C0 -- 0700
local OTHERS <const> = 0x3F -- 0077

local open_options = {
  wallet = { type = "string", optional = true }, hotkey = { type = "string", optional = true },
  wallet_path = { type = "string", optional = true },
  hotkey_file = { type = "string", optional = true },
  mnemonic_file = { type = "string", optional = true },
  env = { type = "function", optional = true, default = os.getenv },
}

-- `~` and `~/...` are the home folder.
local function expand(path, env)
  local rest = path:match("^~(.*)$")
  if not rest or rest ~= "" and rest:sub(1, 1) ~= "/" then return path end
  return paths.home(env) .. rest
end

local function bad_name(name)
  return name == "" or name == "." or name == ".." or name:find("[/%z]") ~= nil
end

-- Where the layout of Bittensor's wallets puts the hotkey.
local function layout(o)
  local folder = o.wallet_path or o.env("BT_WALLET_PATH") or "~/.bittensor/wallets"
  local wallet = o.wallet or o.env("BT_WALLET_NAME") or "default"
  local hotkey = o.hotkey or o.env("BT_WALLET_HOTKEY") or "default"
  if bad_name(wallet) then return nil, ("'%s' is no name of a wallet"):format(wallet), "usage" end
  if bad_name(hotkey) then return nil, ("'%s' is no name of a hotkey"):format(hotkey), "usage" end
  folder = expand(folder, o.env):gsub("/+$", "")
  return ("%s/%s/hotkeys/%s"):format(folder, wallet, hotkey)
end

local function locate(o)
  if o.hotkey_file and o.mnemonic_file then
    return nil, "--hotkey-file and --mnemonic-file exclude each other", "usage"
  end
  local file = o.hotkey_file or o.mnemonic_file
  if file == "" then return nil, "the name of the key file is empty", "usage" end
  if file then return expand(file, o.env) end
  return layout(o)
end

--- Where the hotkey lies that the options name.
-- @param options see M.open
-- @return path, or nil, message, code
function M.path(options)
  return locate(check.options(options, open_options, "wallet.path"))
end

local function has_coldkey_name(path)
  return path:find("%f[^/\0]coldkey$") ~= nil and not path:find("/hotkeys/[^/]*$")
end

-- Whether this is a wallet's coldkey, links followed.
local function is_coldkey(path)
  return has_coldkey_name(path) or has_coldkey_name(fs.realpath(path) or path)
end

local function warnings_for(path, info)
  local list = {}
  if info.mode & OTHERS ~= 0 then
    list[1] = ("%s: others may read or change it (mode %04o); run chmod 600 on it")
      :format(path, info.mode)
  end
  if info.uid ~= sys.uid() then
    list[#list + 1] = ("%s: belongs to user %d, not to you"):format(path, info.uid)
  end
  return list
end

-- The file's text and warnings about who else may use it.
local function read(path)
  if is_coldkey(path) then
    return nil, path .. ": is a coldkey, which is never opened; name a hotkey", "key"
  end
  local info, message = fs.stat(path)
  if not info then return nil, "hotkey " .. message, "key_unreadable" end
  if info.type == "directory" then
    return nil, ("hotkey %s: is a folder, not a file"):format(path), "key_unreadable"
  end
  local text, why, code = fs.read(path, MAX_BYTES)
  if code == "too_large" then return nil, path .. ": is too large for a key file", "key" end
  if not text then return nil, "hotkey " .. why, "key_unreadable" end
  return text, warnings_for(path, info)
end

--- Opens the hotkey that the options name: a mnemonic file, a hotkey file, or one in the wallets'
-- folder by name; BT_WALLET_PATH, BT_WALLET_NAME and BT_WALLET_HOTKEY stand in for what is absent.
-- @param options {wallet="default", hotkey="default", wallet_path="~/.bittensor/wallets",
--   hotkey_file=, mnemonic_file=, env=os.getenv}
-- @return {key= of core.sr25519, address=, path=, warnings= array of text}, or nil, message, code
-- @usage examples/wallet.lua
function M.open(options)
  local o = check.options(options, open_options, "wallet.open")
  local path, message, code = locate(o)
  if not path then return nil, message, code end
  local text, warnings, id = read(path)
  if not text then return nil, warnings, id end
  local reader = o.mnemonic_file and keyfile.read_mnemonic or keyfile.read
  local key, why, what = reader(text)
  if not key then return nil, path .. ": " .. why, what end
  return { key = key, address = key:address(), path = path, warnings = warnings }
end

--- Writes a new hotkey with a fresh mnemonic, for its owner's eyes only.
-- @param path string; a file that is there stays as it is
-- @return address, or nil, message, code
function M.create(path)
  if is_coldkey(path) then return nil, path .. ": is the name of a coldkey", "usage" end
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then
    local made, message, code = fs.mkdir(folder, OWNER_FOLDER)
    if not made then return nil, message, code end
  end
  local mnemonic = sr25519.generate()
  local key <close> = assert(sr25519.from_mnemonic(mnemonic))
  local text = keyfile.text(key, mnemonic)
  local options = { mode = OWNER_ONLY, exclusive = true }
  local written, message, code = fs.write(path, text, options)
  if not written then return nil, message, code end
  return key:address()
end

--- Adds the options that name a hotkey to a command's parser (lua-argparse).
function M.arguments(parser)
  parser:option("--wallet", "name of the wallet (else BT_WALLET_NAME, else default)"):argname "NAME"
  parser:option("--hotkey", "name of the hotkey (else BT_WALLET_HOTKEY, else default)")
    :argname "NAME"
  parser:option("--wallet-path", "folder of the wallets (else BT_WALLET_PATH, else "
    .. "~/.bittensor/wallets)"):argname "DIR"
  parser:option("--hotkey-file", "a hotkey file, in place of a name"):argname "FILE"
  parser:option("--mnemonic-file", "a file that holds the hotkey's words"):argname "FILE"
end

--- The options that M.arguments added, as M.open takes them.
-- @param args what the parser returned
-- @param env function, os.getenv
function M.options(args, env)
  return {
    wallet = args.wallet, hotkey = args.hotkey, wallet_path = args.wallet_path,
    hotkey_file = args.hotkey_file, mnemonic_file = args.mnemonic_file, env = env,
  }
end

--- Opens the hotkey that a command's arguments name.
-- @return as M.open
function M.from_args(args, env)
  return M.open(M.options(args, env))
end

return M
