---@meta bittern.wallet
-- Generated from lua/wallet.lua by docs/generate.lua (`make docs`); edit there.

--- Hotkeys on disk: finds the file, reads its secret, proves that it is the one it says it is. The
--- coldkey is never opened; a secret never comes from the command line.
---@class bittern.wallet
local M = {}

--- The folder of the wallets: --wallet-path, BT_WALLET_PATH, ~/.bittensor/wallets.
---@param options table {wallet_path=, env=os.getenv}
---@return string # path without a slash at its end.
function M.folder(options) end

--- Where the hotkey lies that the options name.
---@param options any see bittern.wallet.open
---@return string? # path, or nil, message, code.
---@return string? message
---@return string? code
function M.path(options) end

--- A key file's text and warnings about who else may use it.
---@param path string a hotkey's; a coldkey's is refused unread
---@return any? # secret of core.keybox, array of text; or nil, message, code.
---@return string? message
---@return string? code
function M.read(path) end

--- Opens the hotkey that the options name: a hotkey file, the mnemonic of a wallet file, or one in the wallets' folder by name; BT_WALLET_PATH, BT_WALLET_NAME and BT_WALLET_HOTKEY stand in for what is absent. Who is at a terminal is asked for the password of an encrypted one.
---@param options table {wallet="default", hotkey="default", wallet_path="~/.bittensor/wallets", hotkey_file=, wallet_file=, password_file=, password_fd=, terminal= whether somebody can be asked, env=os.getenv}
---@return table? # {key= of core.sr25519, address=, path=, warnings= array of text}, or nil, message, code.
---@return string? message
---@return string? code
function M.open(options) end

--- Whether a new hotkey may be written.
---@param path string where
---@return boolean? # true, or nil, message, code.
---@return string? message
---@return string? code
function M.may_create(path) end

--- Writes a new hotkey with a fresh mnemonic, for its owner's eyes only.
---@param path string string; a file that is there stays as it is
---@param words any how many the mnemonic has, 12 or 24 (nil: 12)
---@return any? # address, the mnemonic as a secret; or nil, message, code.
---@return string? message
---@return string? code
function M.create(path, words) end

--- Adds the options that name a hotkey to a command's parser (lua-argparse).
---@param parser table lua-argparse's parser
function M.arguments(parser) end

--- Whether a command's arguments name a hotkey.
---@param args table a command's arguments, by name
function M.is_named(args) end

--- The options that bittern.wallet.arguments added, as bittern.wallet.open takes them.
---@param args table what the parser returned
---@param env function function, os.getenv
function M.options(args, env) end

--- Opens the hotkey that a command's arguments name.
---@param args table a command's arguments, by name
---@param env function function(name) -> value, as os.getenv
---@return any # as bittern.wallet.open.
function M.from_args(args, env) end

return M
