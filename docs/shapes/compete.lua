-- What the commands of the group `compete` print with --json.
local shape = ...
local list, either, lines = shape.list, shape.either, shape.lines

local PREVIEWS <const> = { dry_run = "boolean", requests = list "request" }
local HOW <const> = "string: taken, found after its answer was lost, ..."

return {
  workspace = { slug = "string", folder = "string", commit = "string", ["ref?"] = "string",
    how = "string: cloned, or was there before" },
  claim = either { { claim = "claim", how = HOW }, "preview" },
  patch = {
    slug = "string", verdict = "string: PASS or STOP", bytes = "integer",
    ["commit?"] = "string", paths = list "string", patch = "string",
    findings = list { id = "string", stop = "boolean", message = "string", ["line?"] = "integer",
      ["path?"] = "string" },
    left_out = list { path = "string", why = "string" }, hidden = list "string: git ignores it",
  },
  bench = {
    slug = "string", status = "string: accepted, rejected, error or none", notes = "string",
    ["marker?"] = "string", ["explanation?"] = "string", observed_metrics = "metrics",
    ["setup_seconds?"] = "number", ["benchmark_seconds?"] = "number",
    log_path = "string", ["..."] = true,
  },
  check = { slug = "string", verdict = "string: PASS or STOP", results = list "judged" },
  submit = either { { submission = "submission", how = HOW }, "preview" },
  mine = "run",
  agent = "run",
  track = {
    submission = "submission", ["metric_name?"] = "string", ["verifications?"] = list "object",
    ["peer_evaluations?"] = list "object", ["idea_rewards?"] = list "object", ["..."] = true,
  },
  cancel = either {
    { claims = list { id = "string|integer", ["status?"] = "string", how = "string" } }, PREVIEWS,
  },
  ["peer-evaluate"] = either {
    { slug = "string", waiting = list "submission" },
    { submission_id = "string|integer", status = "string", observed_metrics = "metrics",
      notes = "string", claimed_metrics = either { "metrics", "null" }, evaluation = "object",
      how = HOW, sent = "boolean" },
    { submission_id = "string|integer", status = "string", notes = "string", sent = "boolean" },
    "preview",
  },
  ["work-items"] = either {
    { slug = "string", work_items = list "work_item" },
    { work_item = "work_item", claim = "claim", how = HOW },
    "preview",
  },
  loop = lines {
    { cycle = "integer", exit = "integer", tries = "integer", seconds = "number" },
    "object: what the command of a cycle prints",
  },
}
