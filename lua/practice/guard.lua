-- Who may call a route of the practice coordinator: signatures, each used once, and roles.
local sha256 = require "core.sha256"

local auth = require "bittern.auth"

local answer = require "bittern.practice.answer"
local database = require "bittern.practice.database"

local M = {}

local WINDOW <const> = auth.WINDOW

-- Signatures that were used while they are fresh, in two halves: what is older than twice the
-- window is refused for its age. They are remembered as long as the process runs.
local function replays()
  local young, old, since = {}, {}, nil
  return function(signature, now)
    if not since or now - since > 2 * WINDOW then young, old, since = {}, young, now end
    if young[signature] or old[signature] then return true end
    young[signature] = true
    return false
  end
end

--- The answer to a miner without stake.
function M.insufficient_stake()
  return answer.detail(403, {
    error = "insufficient_miner_stake", required_stake = 1, stake = 0,
    message = "hotkey has insufficient stake on SN94; fund or bond this hotkey",
  })
end

local function is_listed(db, name, hotkey)
  return database.row(db, ("SELECT 1 AS x FROM %s WHERE hotkey = ?"):format(name), hotkey) ~= nil
end

-- What a signed role needs beside a signature: nil, or the answer that refuses.
local roles = {
  hotkey = function() end,
  miner = function(context, hotkey)
    if context.stake_gate and not is_listed(context.db, "stake", hotkey) then
      return M.insufficient_stake()
    end
  end,
  validator = function(context, hotkey)
    if not is_listed(context.db, "validator", hotkey) then
      return answer.detail(403, "hotkey is not an allowed validator")
    end
  end,
}

-- Hashes, so that the time of a comparison tells nothing.
local function admin(context, request)
  local given = request.headers["x-admin-token"]
  local good = given and context.admin_token
    and sha256.hex(given) == sha256.hex(context.admin_token)
  return not good and answer.detail(401, "invalid admin token") or nil
end

--- A judge of requests.
-- @param context {db=, now=, stake_gate= miners need stake, admin_token= or nil for no admin}
-- @return function(route, request, body_sha256) -> hotkey or nil, the answer that refuses or nil
function M.new(context)
  local is_replay = replays()
  return function(route, request, sum)
    if not route.auth then return nil end
    if route.auth == "admin" then return nil, admin(context, request) end
    local hotkey, message = auth.verify {
      method = request.method, path = request.path, query = request.query,
      headers = request.headers, body = request.body, raw = route.raw, body_sha256 = sum,
      now = context.now(), window = WINDOW,
    }
    if not hotkey then return nil, answer.detail(401, message) end
    if is_replay(request.headers["x-signature"]:lower(), context.now()) then
      return nil, answer.detail(401, "the signature was used before")
    end
    return hotkey, roles[route.auth](context, hotkey)
  end
end

return M
