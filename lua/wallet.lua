-- Hotkeys on disk: finds the file, reads its secret, proves that it is the one it says it is. The
-- coldkey is never opened; a secret never comes from the command line.
local fs = require "core.fs"
local keybox = require "core.keybox"
local sr25519 = require "core.sr25519"

local access = require "bittern.keyfile.access"
local check = require "bittern.check"
local keyfile = require "bittern.keyfile"
local password = require "bittern.password"
local paths = require "bittern.paths"

local M = {}

local OWNER_ONLY <const> = 0x180 -- 0600
local OWNER_FOLDER <const> = 0x1C0 -- 0700

local open_options = {
  wallet = { type = "string", optional = true }, hotkey = { type = "string", optional = true },
  wallet_path = { type = "string", optional = true },
  hotkey_file = { type = "string", optional = true },
  wallet_file = { type = "string", optional = true },
  password_file = { type = "string", optional = true },
  password_fd = { type = "integer", optional = true },
  terminal = { type = "boolean", optional = true },
  env = { type = "function", optional = true, default = os.getenv },
}

-- `~` and `~/...` are the home folder.
local function expand(path, env)
  local rest = path:match("^~(.*)$")
  if not rest or rest ~= "" and rest:sub(1, 1) ~= "/" then return path end
  return paths.home(env) .. rest
end

-- A variable that says something.
local function variable(env, name)
  local value = env(name)
  return value ~= "" and value or nil
end

local function bad_name(name)
  return name == "" or name == "." or name == ".." or name:find("[/%z]") ~= nil
end

--- The folder of the wallets: --wallet-path, BT_WALLET_PATH, ~/.bittensor/wallets.
-- @param options {wallet_path=, env=os.getenv}
-- @return path without a slash at its end
function M.folder(options)
  local env = options.env or os.getenv
  local folder = options.wallet_path or variable(env, "BT_WALLET_PATH") or "~/.bittensor/wallets"
  return (expand(folder, env):gsub("/+$", ""))
end

-- Where the layout of Bittensor's wallets puts the hotkey.
local function layout(o)
  local wallet = o.wallet or variable(o.env, "BT_WALLET_NAME") or "default"
  local hotkey = o.hotkey or variable(o.env, "BT_WALLET_HOTKEY") or "default"
  if bad_name(wallet) then return nil, ("'%s' is no name of a wallet"):format(wallet), "usage" end
  if bad_name(hotkey) then return nil, ("'%s' is no name of a hotkey"):format(hotkey), "usage" end
  return ("%s/%s/hotkeys/%s"):format(M.folder(o), wallet, hotkey)
end

local function locate(o)
  if o.hotkey_file and o.wallet_file then
    return nil, "--hotkey-file and --wallet-file exclude each other", "usage"
  end
  if o.password_file and o.password_fd then
    return nil, "--password-file and --password-fd exclude each other", "usage"
  end
  local file = o.hotkey_file or o.wallet_file
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

--- A key file's text and warnings about who else may use it.
-- @param path a hotkey's; a coldkey's is refused unread
-- @return secret of core.keybox, array of text; or nil, message, code
function M.read(path)
  if is_coldkey(path) then
    return nil, path .. ": is a coldkey, which is never opened; name a hotkey", "key"
  end
  local text, info, code = keybox.read(path)
  if text then return text, access.warnings(path, info) end
  if code == "too_large" then return nil, path .. ": is too large for a key file", "key" end
  return nil, "hotkey " .. info, code == "not_found" and "key_missing" or "key_unreadable"
end

-- The address of the coldkey beside a hotkey of the layout, as its public half tells.
local function coldkey_address(path)
  local folder = (fs.realpath(path) or path):match("^(.*)/hotkeys/[^/]*$")
  local text <close> = folder and keybox.read(folder .. "/coldkeypub.txt")
  return text and keyfile.glance(text).address
end

-- The key that a file's text holds, with its path in front of what is wrong.
local function read_key(o, path, text)
  local reader = o.wallet_file and keyfile.search or keyfile.read
  local key, message, code = reader(text, password.source(o, path))
  if not key then return nil, path .. ": " .. message, code end
  if key:address() ~= coldkey_address(path) then return key end
  key:close()
  return nil, path .. ": holds the wallet's coldkey, not a hotkey", "key"
end

--- Opens the hotkey that the options name: a hotkey file, the mnemonic of a wallet file, or one in
-- the wallets' folder by name; BT_WALLET_PATH, BT_WALLET_NAME and BT_WALLET_HOTKEY stand in for
-- what is absent. Who is at a terminal is asked for the password of an encrypted one.
-- @param options {wallet="default", hotkey="default", wallet_path="~/.bittensor/wallets",
--   hotkey_file=, wallet_file=, password_file=, password_fd=, terminal= whether somebody can be
--   asked, env=os.getenv}
-- @return {key= of core.sr25519, address=, path=, warnings= array of text}, or nil, message, code
-- @usage examples/wallet.lua
function M.open(options)
  local o = check.options(options, open_options, "wallet.open")
  local path, message, code = locate(o)
  if not path then return nil, message, code end
  local text <close>, warnings, id = M.read(path)
  if not text then return nil, warnings, id end
  local key, why, what = read_key(o, path, text)
  if not key then return nil, why, what end
  return { key = key, address = key:address(), path = path, warnings = warnings }
end

--- Whether a new hotkey may be written.
-- @param path where
-- @return true, or nil, message, code
function M.may_create(path)
  if is_coldkey(path) then return nil, path .. ": is the name of a coldkey", "usage" end
  if fs.stat(path) then return nil, path .. ": File exists", "exists" end
  return true
end

--- Writes a new hotkey with a fresh mnemonic, for its owner's eyes only.
-- @param path string; a file that is there stays as it is
-- @param words how many the mnemonic has, 12 or 24 (nil: 12)
-- @return address, the mnemonic as a secret; or nil, message, code
function M.create(path, words)
  local may, wrong, kind = M.may_create(path)
  if not may then return nil, wrong, kind end
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" then
    local made, message, code = fs.mkdir(folder, OWNER_FOLDER)
    if not made then return nil, message, code end
  end
  local mnemonic = assert(sr25519.generate(words))
  local key <close> = assert(sr25519.from_mnemonic(mnemonic))
  local text <close> = assert(keyfile.text(key, mnemonic))
  local options = { mode = OWNER_ONLY, exclusive = true }
  local written, message, code = fs.write(path, text, options)
  if not written then return nil, message, code end
  return key:address(), mnemonic
end

-- stdout and stderr are for what is said.
local function descriptor(text)
  local fd = text:find("^%d+$") and math.tointeger(tonumber(text))
  if fd and fd < 1 << 16 and fd ~= 1 and fd ~= 2 then return fd end
  return nil, "--password-fd must be 0, or 3 or more"
end

--- Adds the options that name a hotkey to a command's parser (lua-argparse).
function M.arguments(parser)
  local function option(name, value, about)
    return parser:option(name, about):argname(value)
  end
  parser:group("Whose hotkey signs",
    option("--wallet", "NAME", "name of the wallet (else BT_WALLET_NAME, else default)"),
    option("--hotkey", "NAME", "name of the hotkey (else BT_WALLET_HOTKEY, else default)"),
    option("--wallet-path", "DIR",
      "folder of the wallets (else BT_WALLET_PATH, else ~/.bittensor/wallets)"),
    option("--hotkey-file", "FILE", "a hotkey file, in place of a name"),
    option("--wallet-file", "FILE", "any file that holds the hotkey's words"),
    option("--password-file", "FILE", "a file whose first line opens an encrypted hotkey"),
    option("--password-fd", "N", "the same of an open file descriptor"):convert(descriptor))
end

--- Whether a command's arguments name a hotkey.
function M.is_named(args)
  return (args.wallet or args.hotkey or args.wallet_path or args.hotkey_file or args.wallet_file)
    ~= nil
end

--- The options that M.arguments added, as M.open takes them.
-- @param args what the parser returned
-- @param env function, os.getenv
function M.options(args, env)
  return {
    wallet = args.wallet, hotkey = args.hotkey, wallet_path = args.wallet_path,
    hotkey_file = args.hotkey_file, wallet_file = args.wallet_file,
    password_file = args.password_file, password_fd = args.password_fd, env = env,
  }
end

--- Opens the hotkey that a command's arguments name.
-- @return as M.open
function M.from_args(args, env)
  return M.open(M.options(args, env))
end

return M
