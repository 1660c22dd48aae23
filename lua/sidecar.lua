-- submission.json: what a submission says, beside the work it speaks of (contract.md 3.5).
local fs = require "core.fs"

local canonical = require "bittern.canonical"
local check = require "bittern.check"

local M = {}

local SIZE_MAX <const> = 4 << 20

-- Fields that reach the coordinator, in the contract's order; the rest of a file stays at home.
local texts = {
  "summary", "base_ref", "proposed_idea", "implemented_submission_id",
  "artifact_uri", "artifact_sha256", "execution_log",
}

local function trimmed(value)
  if value == nil or value == canonical.null then return nil end
  if type(value) == "number" then value = ("%d"):format(value) end
  if type(value) ~= "string" then return nil, "must be a string" end
  value = value:match("^%s*(.-)%s*$")
  return value ~= "" and value or nil
end

-- A size may be text or an integral float in files that people and other tools wrote.
local function size(value)
  if value == nil or value == canonical.null then return nil end
  local number = math.tointeger(tonumber(value))
  if not number or number < 1 then return nil, "must be a whole number above 0" end
  return number
end

local function metrics(value)
  if type(value) ~= "table" or next(value) == nil or canonical.is_array(value) then
    return nil, "is required: an object of numbers"
  end
  for name, number in pairs(value) do
    if type(number) ~= "number" then return nil, ("'%s' must be a number"):format(name) end
  end
  return value
end

-- How each field is read; an absent one is nil without a message.
local readers = { artifact_size_bytes = size, claimed_metrics = metrics }
for _, field in ipairs(texts) do readers[field] = trimmed end

--- A sidecar as the coordinator should get it: trimmed, hash in lower case, empty fields left out.
-- @param raw table as read
-- @return table, or nil, message
function M.normalize(raw)
  local submission = {}
  for _, field in ipairs(check.sorted_keys(readers)) do
    local value, message = readers[field](raw[field])
    if message then return nil, ("field '%s' %s"):format(field, message) end
    submission[field] = value
  end
  if not submission.summary then return nil, "field 'summary' is required" end
  local digest = submission.artifact_sha256
  submission.artifact_sha256 = digest and digest:lower()
  return submission
end

--- Writes submission.json.
-- @param folder that gets it
-- @param submission table
-- @return path, or nil, message, code
function M.write(folder, submission)
  local text, message, code = canonical.encode(submission)
  if not text then return nil, "submission.json: " .. message, code end
  local path = folder .. "/submission.json"
  local ok, why, id = fs.write(path, text .. "\n")
  if not ok then return nil, why, id end
  return path
end

--- What a sidecar's file holds, as it stands there.
-- @param path of the file
-- @return table, or nil, message, code ("sidecar" when it is no JSON object)
function M.raw(path)
  local text, message, code = fs.read(path, SIZE_MAX)
  if not text then return nil, message, code end
  local raw, wrong = canonical.decode(text)
  if raw == nil then return nil, ("%s:%s"):format(path, wrong), "sidecar" end
  if type(raw) == "table" and not canonical.is_array(raw) then return raw end
  return nil, path .. ": must hold a JSON object", "sidecar"
end

--- Reads a sidecar that a person, an agent or bittern wrote.
-- @param path of the file
-- @return submission as M.normalize gives it, or nil, message, code
function M.read(path)
  local raw, message, code = M.raw(path)
  if not raw then return nil, message, code end
  local submission
  submission, message = M.normalize(raw)
  if not submission then return nil, ("%s: %s"):format(path, message), "sidecar" end
  return submission
end

return M
