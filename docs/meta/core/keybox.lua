---@meta core.keybox
-- Generated from core/keybox.c by docs/generate.lua (`make docs`); edit there.

--- secrets. Their bytes lie in guarded, locked memory of libsodium, outside Lua's: nothing copies, swaps or dumps them, and closing wipes them. A secret lends its bytes like a map does; slices are views that keep it.
---@class core.keybox
local M = {}

---@class core.keybox.secret
local secret = {}

---@param path string
---@param max? integer default 64 KiB
---@return core.keybox.secret? # secret, {mode, uid} of the file | nil, message, code; a larger file is "too_large".
---@return table?
---@return string? message
---@return string? code
function M.read(path, max) end

---@param fd integer file descriptor
---@return core.keybox.secret? # secret | nil, message, code: a line without its end, at most 1023 bytes. A terminal does not show what is typed.
---@return string? message
---@return string? code
function M.line(fd) end

---@param parts table array of bytes
---@return core.keybox.secret? # secret | nil, message, code: the parts one after the other.
---@return string? message
---@return string? code
function M.join(parts) end

---@param password core.bytes bytes
---@param salt string of 16 bytes
---@param passes integer integer
---@param memory integer integer: bytes
---@return core.keybox.secret? # secret of 32 bytes | nil, message, code: Argon2i, version 1.3.
---@return string? message
---@return string? code
function M.derive(password, salt, passes, memory) end

---@param box core.bytes bytes
---@param key string of 32 bytes
---@return core.keybox.secret? # secret | nil, message, "key_password". box: nonce (24 bytes) || tag (16) || ciphertext, XSalsa20-Poly1305
---@return string? message
---@return string? code
function M.open(box, key) end

---@param from? integer default 1
---@param to? integer default its end
---@return string # string, which nothing wipes: for what is no secret in it, and for people who ask to see it.
function secret:text(from, to) end

---@param from integer integer
---@param to? integer default its end
---@return core.keybox.secret # secret that shows these bytes of it.
function secret:slice(from, to) end

---@param text string
---@param from? integer default 1
---@return integer? # integer or nil: place of its first byte.
function secret:find(text, from) end

---@return string # string: the JSON text with "from:to" in place of every string but short keys: the bytes where it stands. What is no JSON becomes `?`.
function secret:masked() end

---@return core.keybox.secret? # secret | nil, message, "key": what the inside of a JSON string says, when that is ASCII where it is escaped.
---@return string? message
---@return string? code
function secret:unescape() end

---@return core.keybox.secret? # secret | nil, message, code: its runs of letters, lower case, one blank between two.
---@return string? message
---@return string? code
function secret:words() end

---@param count integer
---@return core.keybox.secret? # secret of `count` bytes, when it says as many in hexadecimal digits and nothing else; or nil.
function secret:hex(count) end

--- Wipes the bytes; slices of it are empty from then on.
function secret:close() end

return M
