-- Whether a hotkey is fit for use: it opens, it signs, and nobody else gets at it.
local fs = require "core.fs"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local M = {}

local OTHERS_WRITE <const>, STICKY <const> = 0x12, 0x200 -- 0022, 01000

local function signs(opened)
  local message = "bittern wallet check"
  local signature = opened.key:sign(message)
  if not signature then return nil, "it does not sign" end
  if not sr25519.verify(opened.key:public(), message, signature) then
    return nil, "its signature is not valid"
  end
  return true, "a signature of its own is valid"
end

local function is_private(opened)
  if opened.warnings[1] then return nil, opened.warnings[1] end
  return true, "only its owner may read it"
end

-- Who may write into a folder may put another file in this one's place.
local function stays(opened)
  local folder = (fs.realpath(opened.path) or opened.path):match("^(.*)/[^/]*$")
  local info = folder ~= "" and fs.stat(folder)
  if not info then return true, "its folder is the root" end
  if info.mode & OTHERS_WRITE ~= 0 and info.mode & STICKY == 0 then
    return nil, ("%s: others may put another file in its place (mode %04o); run chmod go-w on it")
      :format(folder, info.mode)
  end
  if info.uid ~= sys.uid() and info.uid ~= 0 then
    return nil, ("%s: belongs to user %d, not to you"):format(folder, info.uid)
  end
  return true, "only its owner may replace it"
end

local checks <const> = { { "signs", signs }, { "private", is_private }, { "stays", stays } }

--- Examines an open hotkey.
-- @param opened what bittern.wallet.open returned
-- @return array of {id=, ok= boolean, text=}
function M.all(opened)
  local list = {}
  for i, entry in ipairs(checks) do
    local ok, text = entry[2](opened)
    list[i] = { id = entry[1], ok = ok or false, text = text }
  end
  return list
end

return M
