-- Which scripts the user trusts with his power: those of the installed tree and of his own folder,
-- and any whose path and SHA-256 he agreed to. A script that is changed is another one.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local json = require "bittern.json"
local paths = require "bittern.paths"
local report = require "bittern.report"

local M = {}

local OWNER_ONLY <const> = 0x180 -- 0600

local function list_path() return paths.state() .. "/trusted.json" end

-- {path = SHA-256}
local function list()
  local text = fs.read(list_path(), 1 << 20)
  return text and json.decode(text) or {}
end

--- What the user agreed to.
-- @return array of {path=, current = whether the bytes are still those}, sorted
function M.list()
  local entries = {}
  for path, hash in pairs(list()) do
    entries[#entries + 1] = { path = path, current = hash == sha256.file(path) }
  end
  table.sort(entries, function(a, b) return a.path < b.path end)
  return entries
end

--- Whether a script lies in the installed tree or in the user's own folder.
-- @param path absolute
function M.is_own(path)
  for _, folder in ipairs { paths.root(), paths.config() } do
    if path:sub(1, #folder + 1) == folder .. "/" then return true end
  end
  return false
end

--- Whether the user agreed to these bytes at this place.
-- @param path string
-- @param text of the file, when it is read already
function M.knows(path, text)
  local absolute = fs.realpath(path)
  local hash = absolute and list()[absolute]
  return hash ~= nil and hash == (text and sha256.hex(text) or (sha256.file(absolute)))
end

-- Remembers that the user trusts bytes of this hash at this place.
local function note(absolute, hash)
  local all = list()
  all[absolute] = hash
  local made, message, code = fs.mkdir(paths.state())
  if not made then return nil, message, code end
  return fs.write(list_path(), json.encode(all), { mode = OWNER_ONLY })
end

--- Remembers that the user trusts a script as it is now.
-- @param path string
-- @return the path that is remembered, absolute, or nil, message, code
function M.remember(path)
  local absolute, message, code = fs.realpath(path)
  if not absolute then return nil, message, code end
  local hash, why, id = sha256.file(absolute)
  if not hash then return nil, why, id end
  local noted, wrong, kind = note(absolute, hash)
  if not noted then return nil, wrong, kind end
  return absolute
end

-- Asks somebody at a terminal; nobody there says no.
local function ask(path, word)
  if not report.can_ask() then return false end
  report.say(("%s: this %s is not yours; it can read your files and use your keys"):format(path,
    word))
  return report.ask "trust it, as it is now?"
end

--- That the user trusts a script which would hold his power; asks once at a terminal.
-- @param path absolute
-- @param text of the file: what is agreed to is what runs
-- @param word what it is: "publisher"
-- @return true, or nil, message, code
function M.require(path, text, word)
  if M.knows(path, text) then return true end
  if ask(path, word) then return note(path, sha256.hex(text)) end
  return nil, ("%s: this %s is not trusted: it could read your files and use your keys")
    :format(path, word), "untrusted"
end

return M
