-- What was typed before, in the state folder: a JSON text a line, for its owner alone. A line that
-- holds a secret is not kept.
local fs = require "core.fs"

local json = require "bittern.json"
local paths = require "bittern.paths"
local redact = require "bittern.redact"

local M = {}

local MOST <const> = 1000

local function path()
  return paths.state() .. "/repl_history"
end

--- The lines that are kept, oldest first.
-- @return array of strings
function M.read()
  local list = {}
  for line in (fs.read(path()) or ""):gmatch("[^\n]+") do
    local text = json.decode(line)
    if type(text) == "string" then list[#list + 1] = text end
  end
  return list
end

--- Whether a line may be kept. A home's path in it is no secret.
-- @param text string
-- @return boolean
function M.may_keep(text)
  local env = function(name) return name ~= "HOME" and os.getenv(name) or nil end
  return not redact.text(text, env):find(redact.HIDDEN, 1, true)
end

--- Adds lines to those that are kept; another prompt may have added some meanwhile.
-- @param lines array of strings
-- @return true, or nil, message, code
function M.add(lines)
  local all = M.read()
  for _, text in ipairs(lines) do
    if M.may_keep(text) then all[#all + 1] = text end
  end
  local kept = {}
  for i = math.max(1, #all - MOST + 1), #all do kept[#kept + 1] = assert(json.encode(all[i])) end
  local made, message, code = fs.mkdir(paths.state())
  if not made then return nil, message, code end
  return fs.write(path(), table.concat(kept, "\n") .. "\n", { mode = 0x180 })
end

return M
