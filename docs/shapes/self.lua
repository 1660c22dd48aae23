-- What the commands of the group `self` print with --json.
local shape = ...
local list, map, either, lines = shape.list, shape.map, shape.either, shape.lines

local OWN <const> = lines { "any: what the script prints" }

return {
  wallet = either {
    { address = "string: SS58", path = "string", warnings = list "string" },
    { folder = "string", wallets = list {
      name = "string", ["coldkey?"] = "string",
      hotkeys = list { name = "string", path = "string", ["address?"] = "string", kind = "string",
        warnings = list "string" } } },
    { address = "string", path = "string" },
    { dry_run = "boolean", mode = "string: permissions, octal", path = "string" },
    { address = "string", path = "string",
      checks = list { id = "string", ok = "boolean", text = "string" } },
  },
  sign = { ["X-Hotkey"] = "string", ["X-Timestamp"] = "string", ["X-Signature"] = "string",
    ["Content-Type?"] = "string", body_sha256 = "sha256", ["body?"] = "string: what was hashed" },
  ledger = {
    unknown = "integer: how many are of unknown outcome",
    posts = list {
      id = "integer", kind = "string", state = "string: done, unknown, ...", coordinator = "string",
      hotkey = "string", attempts = "integer", body_sha256 = "sha256", started = "number",
      ["body?"] = "string", ["subject?"] = "string", ["record_id?"] = "string",
      ["status?"] = "string", ["sent?"] = "number", ["ended?"] = "number", ["run?"] = "integer",
      ["slug?"] = "string", ["task_id?"] = "string", ["..."] = true,
    },
  },
  frontier = "points",
  report = {
    runs = list { id = "integer", workflow = "string", slug = "string", state = "string",
      ["started?"] = "number", ["..."] = true },
    compressions = list "compression", submissions = list "object", ["frontier?"] = "points",
    ["made?"] = "compression", ["has_costs?"] = "boolean", ["gate?"] = "object",
    ["files?"] = list "string",
    ["tensors?"] = list { name = "string", codec = "string", bits = "number", bytes = "integer",
      parameters = "integer", rescued = "integer", ["..."] = true },
  },
  practice = lines {
    { url = "string: where it answers", ["..."] = true },
    { slug = "string", task_state = "string" },
    { created = "integer: work items" },
    { hotkey = "string", funded = "boolean" },
    { job_id = "string|integer", submission_id = "string|integer", status = "string",
      notes = "string" },
  },
  scripts = either {
    { scripts = list {
      kind = "string", name = "string", from = "string: where it was found", path = "string",
      ["about?"] = "string", ["problem?"] = "string", ["sandboxed?"] = "boolean",
      ["shadowed?"] = "boolean", ["untrusted?"] = "boolean", ["trusted?"] = "boolean",
      ["..."] = true } },
    { trusted = "string: path of the script, absolute" },
  },
  new = { kind = "string", name = "string", files = list "string", dry_run = "boolean" },
  test = {
    passed = "integer", failed = "integer", skipped = "integer",
    tests = list { name = "string", of = "string: file", status = "string",
      ["seconds?"] = "number", ["message?"] = "string", ["file?"] = "string",
      ["line?"] = "integer" },
  },
  run = OWN,
  repl = OWN,
  doctor = {
    bad = "integer", warnings = "integer",
    findings = list { id = "string", state = "string: ok, warning or bad", text = "string",
      ["fix?"] = "string" },
  },
  config = {
    settings = list { name = "string", about = "string", ["value?"] = "string",
      ["from?"] = "string", ["option?"] = "string", ["variable?"] = "string" },
    files = list { path = "string", about = "string", there = "boolean" },
  },
  completions = either {
    { shell = "string", script = "string" },
    { complete = "string: words, files or folders",
      candidates = list { text = "string", about = "string" } },
  },
  version = { bittern = "string", lua = "string", isa = "string: kernels in use",
    isa_available = list "string", libraries = map "string" },
}
