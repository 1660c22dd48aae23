-- Records that several commands print: docs/schemas.lua tells how shapes are written. What the
-- coordinator says is passed on as it is, so its records have fields that are not listed here.
local shape = ...
local list, map = shape.list, shape.map

return {
  sha256 = "string: SHA-256, 64 small hexadecimal digits",
  error = {
    id = "string: stable; docs/errors.md lists them", message = "string: what happened, to what",
    ["next?"] = "string: what to do", exit = "integer: the exit code of the command",
  },
  failure = { error = "error" },
  help = { help = "string: what --help prints" },
  shape = list "integer",

  -- the coordinator's
  task = {
    id = "string|integer", slug = "string", competition_mode = "string", ["title?"] = "string|null",
    ["metric_name?"] = "string|null", metric_direction = "string",
    assumed = list "string: a field that the coordinator left out, so its default holds",
    ["..."] = true,
  },
  claim = { id = "string|integer", ["status?"] = "string", ["task_id?"] = "string|integer",
    ["..."] = true },
  submission = { id = "string|integer", ["status?"] = "string", ["miner_hotkey?"] = "string",
    ["observed_metrics?"] = "any", ["..."] = true },
  best = { ["submission_id?"] = "string|integer", ["metric_value?"] = "number|null",
    ["miner_hotkey?"] = "string", ["..."] = true },
  work_item = { id = "string|integer", ["kind?"] = "string", ["title?"] = "string",
    ["status?"] = "string", ["..."] = true },
  competition = { ["slug?"] = "string", ["weight?"] = "number", ["..."] = true },
  metrics = map "any",

  request = {
    method = "string", url = "string", ["body?"] = "string: to the byte",
    headers = list "string: as it would be sent, the signature redacted",
  },
  preview = { dry_run = "boolean", request = "request" },
  judged = {
    id = "string: of the rule", about = "string", source = "string: who says so", ok = "boolean",
    skipped = "boolean: it has nothing to judge yet", ["reason?"] = "string", ["fix?"] = "string",
    ["..."] = true,
  },
  run = {
    run = "integer: its number in the ledger", workflow = "string", slug = "string",
    outcome = "string: done, accepted, rejected, dry run, ...", folder = "string",
    steps = map "object: what the step of that name left for the next ones",
    ["dry_run?"] = "boolean", ["requests?"] = list "request",
  },
  file = { path = "string", size = "integer", sha256 = "sha256" },
  point = {
    label = "string: recipe and settings, or the model's name", model = "string",
    sha256 = "sha256", bytes = "integer", parameters = "integer", nats = "number",
    ["error_nats?"] = "number", ppl = "number", frontier = "boolean: nothing is smaller and better",
    ["fits?"] = "boolean: within the budget", ["best?"] = "boolean: the best that fits",
  },
  points = {
    points = list "point", others = "integer: scores on other texts, or in other ways",
    ["settings?"] = "string: how all of them were measured, JSON",
    ["budget?"] = "integer: bytes", ["known?"] = "leader",
  },
  leader = { bytes = "integer", ppl = "number", ["..."] = true },
  layer_cost = { name = "string", codec = "string", shape = "shape", rescued = "integer",
    lost_nats = "number: what packing this matrix alone costs", ["lost_error_nats?"] = "number" },
  compression = {
    id = "integer", label = "string", model = "string", base = "string", recipe = "string",
    recipe_sha256 = "sha256", settings = "string: JSON", compression = "string: JSON",
    ["budget?"] = "integer", parameters = "integer", bytes = "integer", ["error?"] = "number",
    out = "string", size = "integer", sha256 = "sha256", started = "number", ended = "number",
  },
}
