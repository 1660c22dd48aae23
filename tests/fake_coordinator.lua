-- A coordinator in memory for the logic of claims and submissions: its POSTs can be carried out,
-- lost before they arrive, or carried out with the answer lost. It counts what it was asked.
local M = {}

local Fake = {}
Fake.__index = Fake

-- How a POST ends: what arrives, and what the client hears.
local ends = {
  ok = { carried_out = true },
  lost_answer = { carried_out = true, message = "POST: broke off", code = "network" },
  timed_out = { carried_out = true, message = "POST: timed out", code = "timeout" },
  odd_answer = { carried_out = true, message = "POST: HTML where JSON", code = "invalid_response" },
  lost_request = { message = "POST: 502", code = "server_error" },
  unreachable = { message = "connection refused", code = "unreachable" },
  refused = { message = "summary is too long", code = "rejected" },
  stake = { message = "insufficient_miner_stake", code = "stake" },
  busy = { message = "429 slow down", code = "busy" },
  forbidden = { message = "not yours", code = "forbidden" },
  duplicate = { message = "duplicate", code = "conflict" },
  interrupted = { carried_out = true, message = "interrupted", code = "interrupted" },
}

--- A new one.
-- @param script {claim = {how, ...}, submit = {how, ...}, lists = {false, ...}}: how each POST in
--   turn ends (then "ok"), and which listings fail
function M.new(script)
  return setmetatable({
    base = "http://127.0.0.1:9", script = script or {}, claim_list = {}, submission_list = {},
    posts = { claim = 0, submit = 0, cancel = 0 }, listings = 0,
  }, Fake)
end

function Fake:take(kind, list, record)
  self.posts[kind] = self.posts[kind] + 1
  local how = ends[(self.script[kind] or {})[self.posts[kind]] or "ok"]
  self.last = how
  if how.carried_out then
    list[#list + 1] = record
    record.id = ("%s-%d"):format(kind, #list)
  end
  if how.code then return nil, how.message, how.code end
  return record
end

function Fake:claim(task, description)
  return self:take("claim", self.claim_list, {
    task_id = task.id, miner_hotkey = "5Me", status = "active", claim_description = description,
  })
end

function Fake:submit(body)
  return self:take("submit", self.submission_list, {
    task_id = "t", miner_hotkey = "5Me", status = "pending_verification", body = body,
    claim_id = body.claim_id, artifact_sha256 = body.artifact_sha256,
  })
end

function Fake:listing(list, filter)
  self.listings = self.listings + 1
  if self.script.lists and self.script.lists[self.listings] == false then
    return nil, "GET: timed out", "timeout"
  end
  local found = {}
  for _, record in ipairs(list) do
    local wanted = record.task_id == filter.task_id
      and (filter.status == nil or filter.status == record.status)
    if wanted then found[#found + 1] = record end
  end
  return found
end

function Fake:cancel(id)
  local how = self:take("cancel", {}, {})
  for _, claim in ipairs(self.claim_list) do
    if claim.id == id and self.last.carried_out then claim.status = "cancelled" end
  end
  if self.last.code then return nil, self.last.message, self.last.code end
  return how and {}
end

function Fake:tasks() return self.task_list or {} end

function Fake:claims(filter) return self:listing(self.claim_list, filter) end

function Fake:submissions(filter) return self:listing(self.submission_list, filter) end

--- What claim.take and submit.send need.
function M.context(client, ledger)
  return {
    client = client, ledger = ledger, hotkey = "5Me", task = { id = "t", slug = "tiny" },
    sleep = function() return true end, settle = 0,
  }
end

return M
