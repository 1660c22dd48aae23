---@meta core.sr25519
-- Generated from core/sr25519.c by docs/generate.lua (`make docs`); edit there.

--- Substrate keys for scripts. A secret lives in guarded, locked memory that a userdata owns, and is wiped when it is closed.
---@class core.sr25519
local M = {}

---@class core.sr25519.key
local key = {}

---@param words core.bytes bytes
---@param password? core.bytes bytes
---@return core.sr25519.key? # key | nil, message, "key".
---@return string? message
---@return string? code
function M.from_mnemonic(words, password) end

---@param seed string of 32 bytes
---@return core.sr25519.key? # key | nil, message, "key".
---@return string? message
---@return string? code
function M.from_seed(seed) end

---@param private string of 64 bytes: scalar || nonce
---@return core.sr25519.key? # key | nil, message, "key".
---@return string? message
---@return string? code
function M.from_private(private) end

---@param public string string
---@param message core.bytes bytes
---@param signature string string
---@return boolean # boolean; keys and signatures of any other length are not valid either.
function M.verify(public, message, signature) end

---@param public string of 32 bytes
---@return string # string: the SS58 address.
function M.address(public) end

---@param ss58 string string
---@return string? # string of 32 bytes | nil, message, "key".
---@return string? message
---@return string? code
function M.public(ss58) end

---@param words? integer default 12
---@return core.keybox.secret? # secret: a fresh mnemonic | nil, message, code. `words` are 12, 15, 18, 21 or 24.
---@return string? message
---@return string? code
function M.generate(words) end

---@param words core.bytes bytes
---@return boolean? # true | nil, message, "key".
---@return string? message
---@return string? code
function M.check_mnemonic(words) end

---@param text string
---@return boolean # boolean: whether mnemonics may have this word.
function M.is_word(text) end

---@param words core.bytes bytes
---@param password? core.bytes bytes
---@return core.keybox.secret? # secret of 32 bytes | nil, message, "key".
---@return string? message
---@return string? code
function M.seed(words, password) end

---@param seed string of 32 bytes
---@return string # string of 32 bytes: the public key that the seed has there. Files of that type are told from broken ones by it.
function M.ed25519(seed) end

---@return string # string of 32 bytes.
function key:public() end

---@return string # string: the SS58 address.
function key:address() end

---@param message core.bytes bytes
---@return string? # string of 64 bytes, other ones each time | nil, message, code.
---@return string? message
---@return string? code
function key:sign(message) end

--- Wipes the secret. The key signs nothing from then on.
function key:close() end

return M
