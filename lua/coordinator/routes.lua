-- Every public and hotkey-signed route of a coordinator (contract.md 1.3), one entry each. The
-- client sends nothing else, the practice coordinator answers each of them, and what an
-- openapi.json says is compared with them.
--
-- name = { method, path, query = keys in the order in which they are signed, answer = a kind of
-- bittern.coordinator.records, list = an array of them, text = no JSON, signed = whenever there is
-- a key (all that is no GET always is), body = there is one, redirects = how many to follow }
return {
  health = { "GET", "/healthz", answer = "health" },
  ready = { "GET", "/readyz" },
  openapi = { "GET", "/openapi.json", answer = "openapi" },
  disclaimer = { "GET", "/api/v1/disclaimer", answer = "disclaimer" },
  disclaimer_text = { "GET", "/api/v1/disclaimer.md", text = true },
  dashboard = { "GET", "/api/v1/dashboard", answer = "dashboard" },
  onchain_status = { "GET", "/api/v1/onchain/status", answer = "onchain_status" },
  reward_snapshot = { "GET", "/api/v1/reward-snapshot", answer = "reward_snapshot" },
  idea_rewards = { "GET", "/api/v1/idea-rewards", answer = "idea_reward", list = true,
    query = { "task_id", "submission_id", "proposer_hotkey", "implementer_hotkey" } },

  tasks = { "GET", "/api/v1/tasks", answer = "task", list = true },
  task = { "GET", "/api/v1/tasks/{task_id}", answer = "task" },
  onboard = { "GET", "/api/v1/tasks/{task_id}/onboard.md", text = true },
  best = { "GET", "/api/v1/tasks/{task_id}/best", answer = "best" },

  claim = { "POST", "/api/v1/tasks/{task_id}/claim", answer = "claim", body = true },
  claims = { "GET", "/api/v1/claims", answer = "claim", list = true,
    query = { "task_id", "status" } },
  cancel = { "POST", "/api/v1/claims/{claim_id}/cancel", answer = "claim" },
  work_items = { "GET", "/api/v1/work-items", answer = "work_item", list = true,
    query = { "task_id", "status" } },
  claim_work_item = { "POST", "/api/v1/work-items/{work_item_id}/claim", answer = "claim",
    body = true },

  submit = { "POST", "/api/v1/submissions", answer = "submission", body = true },
  submissions = { "GET", "/api/v1/submissions", answer = "submission", list = true, signed = true,
    query = { "task_id", "status" } },
  submission = { "GET", "/api/v1/submissions/{submission_id}", answer = "submission",
    signed = true },
  detail = { "GET", "/api/v1/submissions/{submission_id}/detail", answer = "detail",
    signed = true },
  execution_log = { "GET", "/api/v1/submissions/{submission_id}/execution.log", text = true,
    signed = true },
  artifact = { "GET", "/api/v1/submissions/{submission_id}/artifact", text = true, signed = true,
    redirects = 0 },
  verifications = { "GET", "/api/v1/verifications", answer = "verification", list = true,
    query = { "submission_id", "status" } },

  peer_evaluate = { "POST", "/api/v1/submissions/{submission_id}/peer-evaluate",
    answer = "peer_evaluation", body = true },
  peer_consensus = { "GET", "/api/v1/submissions/{submission_id}/peer-consensus",
    answer = "peer_consensus" },
  peer_evaluations = { "GET", "/api/v1/peer-evaluations", answer = "peer_evaluation", list = true,
    query = { "submission_id", "evaluator_hotkey", "status" } },

  scan_jobs = { "POST", "/api/v1/validator/submissions/scan", answer = "jobs", body = true },
  claim_job = { "POST", "/api/v1/validator/jobs/claim", answer = "job", body = true },
  job_result = { "POST", "/api/v1/validator/jobs/{job_id}/result", answer = "verification",
    body = true },
  verify = { "POST", "/api/v1/submissions/{submission_id}/verify", answer = "verification",
    body = true },
}
