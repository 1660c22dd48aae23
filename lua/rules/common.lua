-- What submissions of every mode share: fields and rules, written once. A mode takes what it needs:
--   local common = require "bittern.rules.common"
--   rules = { common.artifact_uri, common.summary, ... }
-- A rule's check gets (submission, task, world) and returns true, or nil and the reason.
local json = require "bittern.json"

local M = {}

local SUMMARY_MAX <const> = 8000
local URI_MAX <const> = 2048

--- A field's value; JSON's null counts as absent.
function M.value(submission, name)
  local value = submission[name]
  if value == json.null then return nil end
  return value
end

--- Whether a field holds text that is not blank.
function M.has_text(submission, name)
  local value = M.value(submission, name)
  return type(value) == "string" and value:find("%S") ~= nil
end

-- A draft (a sidecar before its submission) gets its claim, base_ref and patch when it is sent.
local function is_sent(_, _, world)
  return not world.draft
end

local function names_artifact(submission)
  return M.has_text(submission, "artifact_uri")
end

--- Fields of every mode; the schema is {name, type, required, when = function, about}.
M.fields = {
  { name = "claim_id", type = "string", required = true, when = is_sent,
    about = "an active claim of the signing hotkey" },
  { name = "base_ref", type = "string", required = true, when = is_sent,
    about = "40-hex commit of the checkout's HEAD" },
  { name = "summary", type = "string", required = true, about = "what was done, for people" },
  { name = "patch", type = "string", required = true, when = is_sent,
    about = "unified diff; empty when the artifact says it all" },
  { name = "claimed_metrics", type = "object", required = true,
    about = "metric name -> measured number" },
  { name = "artifact_uri", type = "string", about = "public https URL that answers 200 itself" },
  { name = "artifact_sha256", type = "string", required = true, when = names_artifact,
    about = "SHA-256 of the exact downloadable bytes" },
  { name = "artifact_size_bytes", type = "integer", required = true, when = names_artifact,
    about = "size of the exact downloadable bytes" },
  { name = "execution_log", type = "string", about = "log of the miner's own run" },
}

--- The fields of every mode and a mode's own, in one array.
-- @param own array of fields
function M.with_fields(own)
  local list = {}
  for _, field in ipairs(M.fields) do list[#list + 1] = field end
  for _, field in ipairs(own) do list[#list + 1] = field end
  return list
end

local loopback = { ["localhost"] = true, ["[::1]"] = true }

local function is_loopback(host)
  return loopback[host] or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function uri_host(authority)
  return authority:match("^(%[[%x:.]+%])") or authority:match("^[^:]+")
end

--- Whether an http address is this machine's: a rehearsal.
function M.is_local(url)
  local authority = url:match("^https?://([^/?#]*)")
  local host = authority and uri_host(authority)
  return host ~= nil and is_loopback(host:lower()) == true
end

--- Whether a validator can take an artifact from this address: absolute https (plain http on
-- loopback only), no credentials, never a local path.
-- @param uri string
-- @return true, or nil, reason
function M.check_uri(uri)
  local scheme, authority = uri:match("^(%a[%w+.-]*)://([^/?#]*)")
  if not scheme then return nil, "is no URL: a local path means nothing to validators" end
  scheme = scheme:lower()
  if scheme == "file" then return nil, "is a local file: validators cannot reach it" end
  if scheme ~= "https" and scheme ~= "http" then
    return nil, ("has the scheme '%s'; validators take https only"):format(scheme)
  end
  if #uri > URI_MAX then return nil, ("is longer than %d bytes"):format(URI_MAX) end
  if uri:find("[%s%c]") then return nil, "contains a blank or control character" end
  if authority:find("@", 1, true) then return nil, "carries credentials; they would be public" end
  local host = uri_host(authority)
  if not host then return nil, "names no host" end
  if scheme == "http" and not is_loopback(host:lower()) then
    return nil, "uses http; validators take https only"
  end
  return true
end

M.artifact_uri = {
  id = "artifact_uri", about = "an https URL (http on loopback), no local path, no credentials",
  check = function(submission)
    if not names_artifact(submission) then return true end
    local ok, reason = M.check_uri(M.value(submission, "artifact_uri"))
    if ok then return true end
    return nil, "artifact_uri " .. reason
  end,
}

M.artifact_sha256 = {
  id = "artifact_sha256", about = "64 lower-case hex digits",
  check = function(submission)
    local value = M.value(submission, "artifact_sha256")
    if value == nil and not names_artifact(submission) then return true end
    if value == nil then return nil, "artifact_sha256 is missing beside artifact_uri" end
    if type(value) == "string" and value:find("^[0-9a-f]+$") and #value == 64 then return true end
    return nil, "artifact_sha256 is not 64 lower-case hex digits"
  end,
}

M.artifact_size_bytes = {
  id = "artifact_size_bytes", about = "a whole number of bytes, above 0",
  check = function(submission)
    local value = M.value(submission, "artifact_size_bytes")
    if value == nil and not names_artifact(submission) then return true end
    if value == nil then return nil, "artifact_size_bytes is missing beside artifact_uri" end
    if math.type(value) == "integer" and value > 0 then return true end
    return nil, "artifact_size_bytes is not a whole number above 0"
  end,
}

M.claim_id = {
  id = "claim_id", about = "names the claim",
  check = function(submission, _, world)
    if M.has_text(submission, "claim_id") then return true end
    if world.draft and M.value(submission, "claim_id") == nil then return true end
    return nil, "claim_id is blank"
  end,
}

M.base_ref = {
  id = "base_ref", about = "40 hex digits, a commit that validators can fetch",
  check = function(submission, _, world)
    local value = M.value(submission, "base_ref")
    if type(value) == "string" and #value == 40 and value:find("^%x+$") then return true end
    if world.draft and value == nil then return true end
    return nil, "base_ref is not a commit of 40 hex digits"
  end,
}

M.summary = {
  id = "summary", about = ("1 to %d characters"):format(SUMMARY_MAX),
  check = function(submission)
    local value = M.value(submission, "summary")
    if type(value) ~= "string" or not value:find("%S") then return nil, "summary is blank" end
    local length = utf8.len(value)
    if not length then return nil, "summary is not valid UTF-8" end
    if length <= SUMMARY_MAX then return true end
    return nil, ("summary has %d characters, %d too many"):format(length, length - SUMMARY_MAX)
  end,
}

local function check_number(name, value)
  if type(name) ~= "string" then return nil, "claimed_metrics is not an object of numbers" end
  if type(value) ~= "number" then
    return nil, ("claimed_metrics.%s is a %s, not a number"):format(name, type(value))
  end
  if value ~= value or value == math.huge or value == -math.huge then
    return nil, ("claimed_metrics.%s is not finite"):format(name)
  end
  return true
end

M.claimed_metrics = {
  id = "claimed_metrics", about = "holds the task's metric, and finite numbers only",
  check = function(submission, task)
    local metrics = M.value(submission, "claimed_metrics")
    if type(metrics) ~= "table" then return nil, "claimed_metrics is missing" end
    for name, value in pairs(metrics) do
      local ok, reason = check_number(name, value)
      if not ok then return nil, reason end
    end
    if next(metrics) == nil then return nil, "claimed_metrics is empty" end
    if task.metric_name and metrics[task.metric_name] == nil then
      return nil, ("claimed_metrics lacks the task's metric %s"):format(task.metric_name)
    end
    return true
  end,
}

M.patch = {
  id = "patch", about = "always there; empty only beside an artifact_uri",
  check = function(submission, _, world)
    local value = M.value(submission, "patch")
    if value == nil and world.draft then value = "" end
    if type(value) ~= "string" then return nil, "patch is missing; send an empty text" end
    if value:find("%S") or names_artifact(submission) then return true end
    return nil, "patch is empty and there is no artifact_uri"
  end,
}

--- The rules that every mode keeps, in the order people read them.
M.rules = {
  M.artifact_uri, M.artifact_sha256, M.artifact_size_bytes, M.claim_id, M.base_ref, M.summary,
  M.claimed_metrics, M.patch,
}

--- Those rules and a mode's own, in one array.
-- @param own array of rules
function M.with_rules(own)
  local list = {}
  for _, rule in ipairs(M.rules) do list[#list + 1] = rule end
  for _, rule in ipairs(own) do list[#list + 1] = rule end
  return list
end

return M
