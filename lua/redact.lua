-- Text that may be shown to others: no secret, no name of the user.
local huggingface = require "bittern.huggingface"
local paths = require "bittern.paths"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local M = {}

--- What stands for a secret.
M.HIDDEN = "[redacted]"

local HIDDEN <const> = M.HIDDEN
local FEWEST_WORDS <const> = 6

-- What people name variables that hold secrets.
local names <const> = { "TOKEN", "SECRET", "PASS", "KEY", "SEED", "MNEMONIC", "CREDENTIAL", "AUTH",
  "COOKIE", "^BT_PW_", "^BT_%u+_PW_" }

--- Whether a variable or argument of this name may hold a secret.
function M.is_secret(name)
  local upper = name:upper()
  for _, part in ipairs(names) do
    -- A hotkey's name is not its secret.
    if upper:find(part) and upper ~= "BT_WALLET_HOTKEY" then return true end
  end
  return false
end

--- The values that may not be shown: of variables with such names, and the hub's token.
-- @param env function
-- @return array of texts, the longest first
function M.secrets(env)
  local list = { huggingface.token(env) }
  for _, name in ipairs(sys.variables()) do
    local value = M.is_secret(name) and env(name)
    if value and #value >= 4 then list[#list + 1] = value end
  end
  table.sort(list, function(a, b) return #a > #b end)
  return list
end

-- A run of words that mnemonics are made of is a mnemonic, until somebody proves otherwise.
local function without_mnemonics(text)
  local parts, run, from = {}, {}, 1
  local function flush(to)
    if #run >= FEWEST_WORDS then
      parts[#parts + 1] = text:sub(from, run[1] - 1) .. HIDDEN
      from = to
    end
    run = {}
  end
  local last = 1
  for at, word, after in text:gmatch("()(%a+)()") do
    if not sr25519.is_word(word:lower()) or text:sub(last, at - 1):find("[^%s,\"]") then
      flush(last)
    end
    if sr25519.is_word(word:lower()) then run[#run + 1] = at end
    last = after
  end
  flush(last)
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

--- A text without the names and passwords of the URLs in it.
function M.url(text)
  return (text:gsub("(%a[%w+.-]*://)[^/%s@\"]+@", "%1" .. HIDDEN .. "@"))
end

--- A text without secrets: known ones, what looks like one, names and passwords in URLs, the
-- user's home.
-- @param text string
-- @param env function
-- @return text
function M.text(text, env)
  for _, secret in ipairs(M.secrets(env)) do
    text = text:gsub(secret:gsub("%W", "%%%0"), HIDDEN)
  end
  text = M.url(text):gsub("(://[^%s?\"]*%?)[^%s\"]+", "%1" .. HIDDEN)
  text = text:gsub("%f[%w]hf_[%w]+", HIDDEN)
  text = text:gsub("%f[%w]0?x?" .. ("%x"):rep(64) .. "%x*", HIDDEN)
  text = without_mnemonics(text)
  local home = paths.home(env)
  if home ~= "/" then text = text:gsub(home:gsub("%W", "%%%0") .. "%f[^%w_.-]", "~") end
  return text
end

return M
