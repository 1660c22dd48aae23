-- Calls about claims, work items and submissions; methods of bittern.coordinator's client.
local ask = require "bittern.coordinator.ask"

local Client = {}

--- Claims a task.
-- @param task its record
-- @param description text that others see
-- @param base_submission_id of the submission that is built on, or nil
-- @return claim with id, or nil, message, code ("unknown_outcome": look with claims first)
function Client:claim(task, description, base_submission_id)
  return ask.make(self, "claim", task, {
    claim_description = description, base_submission_id = base_submission_id,
  })
end

--- Claims, all or filtered.
-- @param filter {task_id=, status=}, both optional
function Client:claims(filter)
  return ask.list(self, "claims", nil, filter)
end

--- Cancels a claim of ours; the answer may be empty.
function Client:cancel(claim_id)
  return ask.post(self, "cancel", claim_id)
end

--- What the planner would like to see done.
-- @param filter {task_id=, status=}, both optional
function Client:work_items(filter)
  return ask.list(self, "work_items", nil, filter)
end

--- Claims a work item. With nothing to say the body is an empty object, as the reference's is.
-- @param item a work item's record
-- @param description text that others see
-- @return claim with id, or nil, message, code ("unknown_outcome": look with claims first)
function Client:claim_work_item(item, description)
  return ask.make(self, "claim_work_item", item, { claim_description = description })
end

--- Sends a submission: its body, as the gate passed it.
-- @return submission with id, or nil, message, code ("unknown_outcome": look with submissions)
function Client:submit(body)
  return ask.make(self, "submit", nil, body)
end

--- Submissions, all or filtered; production wants this signed.
-- @param filter {task_id=, status=}, both optional
function Client:submissions(filter)
  return ask.list(self, "submissions", nil, filter)
end

--- One submission.
function Client:submission(id)
  return ask.one(self, "submission", id)
end

--- One submission with what became of it: submission, verifications, peer_evaluations,
-- peer_consensus, idea_rewards, metric_name.
function Client:detail(id)
  return ask.one(self, "detail", id)
end

--- The log that came with a submission.
-- @return text, or nil, message, code ("not_found": it has none)
function Client:execution_log(id)
  return ask.get(self, "execution_log", id)
end

--- Where the coordinator says that a submission's artifact lies; it redirects there.
-- @return URL, or nil, message, code
function Client:artifact(id)
  local value, message, code, response = ask.get(self, "artifact", id)
  local location = response and response.status < 400 and response.headers.location
  if location then return location end
  if value == nil then return nil, message, code end
  return nil, ask.path("artifact", id) .. " answered no redirect", "invalid_response"
end

--- What validators found.
-- @param submission_id all of them when nil
-- @param status only these, or nil
function Client:verifications(submission_id, status)
  return ask.list(self, "verifications", nil, { submission_id = submission_id, status = status })
end

return Client
