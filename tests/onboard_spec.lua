local contradictions = require "bittern.rules.contradictions"
local onboard = require "bittern.onboard"
local support = require "tests.support"

-- field -> kind, for demands that stand in a text.
local function kinds(text)
  local found = {}
  for _, demand in ipairs(onboard.parse(text).demands) do
    found[#found + 1] = ("%d %s %s"):format(demand.line, demand.kind, demand.field)
  end
  return found
end

local function demand_of(parsed, field)
  for _, demand in ipairs(parsed.demands) do
    if demand.field == field then return demand end
  end
  return nil
end

describe("bittern.onboard", function()
  it("reads production's own guidance, copied from a browser, marks and all lost", function()
    local text = support.fixture("production_guidance.txt")
    local parsed = onboard.parse(text)
    local wanted = {
      artifact_uri = "required", artifact_sha256 = "required", artifact_size_bytes = "required",
      summary = "required", claimed_metrics = "required", proposed_idea = "required",
      implemented_submission_id = "optional", patch = "optional",
    }
    for field, kind in pairs(wanted) do
      assert.equal(kind, (demand_of(parsed, field) or {}).kind, field)
    end
    assert.equal("centerless", demand_of(parsed, "proposed_idea").mode)
    assert.matches("^when the task requires building on",
      demand_of(parsed, "implemented_submission_id").condition)
    assert.matches("the artifact is the scoring object", parsed.artifact_first.text)
    local line = 0
    for content in text:gmatch("([^\n]*)\n") do
      line = line + 1
      if line == demand_of(parsed, "artifact_uri").line then
        assert.matches("^artifact_uri;", content)
      end
    end
    assert.equal(21600, parsed.limits.time_budget_seconds.value)
  end)

  it("reads production's markdown", function()
    assert.same({
      "3 required artifact_uri", "4 required artifact_sha256", "5 required summary",
      "5 required claimed_metrics", "6 optional patch", "9 forbidden patch",
    }, kinds [[
Submission requirements:

- include `artifact_uri`;
- include `artifact_sha256`, the SHA-256 of the exact downloadable bytes;
- include `summary` and `claimed_metrics`;
- include a small patch only if changing recipe metadata inside the allowed
  `train.py` path.

Do not submit model bytes, caches, `last_run.json`, or generated files in the
patch.
]])
  end)

  it("knows what may not be in a patch", function()
    local text = "Do not submit model bytes, `last_run.json`, or caches in the patch."
    assert.same({ "model bytes", "last_run.json", "caches" }, onboard.parse(text).demands[1].items)
  end)

  it("knows conditions from demands", function()
    assert.same({ "1 optional execution_log" }, kinds "You may include an `execution_log`.")
    assert.same({ "1 optional execution_log" }, kinds "Include `execution_log` if the run failed.")
    assert.same({ "1 optional execution_log" }, kinds "When it failed, include `execution_log`.")
    assert.same({ "1 required execution_log" }, kinds "When submitting, include `execution_log`.")
    assert.same({ "1 required execution_log" }, kinds "The `execution_log` is required.")
    assert.same({ "1 required summary", "1 optional execution_log" },
      kinds "Include `summary` and optional `execution_log`.")
  end)

  it("invents nothing from descriptions, examples and metadata", function()
    for _, text in ipairs {
      "", "\0\1\2", "`artifact_uri` is the public URL.", "The patch must stay small.",
      "A summary of the rules follows.", "`claimed_metrics` must contain `heldout_ppl`.",
      "`implemented_submission_id` must name another miner's submission.",
      "Do not treat this as a standard patch-only task.", "Never guess the `artifact_uri` format.",
      "The backend will expose `requires_submission_artifact` and `submission_surface`.",
      "```json\ninclude `artifact_uri`\n```", "~~~\nmust include `summary`\n~~~",
      "Do not put the patch in `submission.json`.",
      "| Field | Value |\n|---|---|\n| Base ref | x |",
    } do
      assert.same({}, kinds(text), text)
    end
  end)

  it("reads lists under a line that asks, and unknown fields in backticks", function()
    assert.same({ "2 required artifact_uri", "3 required energy_joules", "4 optional execution_log",
      "7 optional base_ref", "10 forbidden proposed_idea" }, kinds [[
Required fields:
- `artifact_uri`: where the archive lies
- `energy_joules` (measured)
- `execution_log`, optional

Optional fields:
- `base_ref`

## Do not submit
1. `proposed_idea`
]])
  end)

  it("reads a table with a column for it", function()
    assert.same({ "3 required artifact_uri", "4 optional execution_log",
      "5 optional proposed_idea" }, kinds [[
| Field | Type | Required |
|---|---|---|
| `artifact_uri` | string | yes |
| `execution_log` | string | no |
| `proposed_idea` | string | when centerless |
]])
  end)

  it("forbids what it is told to leave out, and only that", function()
    assert.same({ "1 forbidden proposed_idea", "1 forbidden implemented_submission_id" },
      kinds "Do not include `proposed_idea` or `implemented_submission_id`.")
    assert.same({ "1 optional proposed_idea" },
      kinds "Do not include `proposed_idea` unless asked.")
  end)

  it("reads limits, exactly", function()
    local limits = onboard.parse([[
The archive has at most 4,429,687,500 bytes.
Budget: at most 21/16 (1.3125) bits per parameter. Rescue is limited to 4.125 bits per parameter.
A `summary` has up to 8000 characters. The patch limit is 262144 bytes.
The file has 12 bytes.
]]).limits
    assert.equal(4429687500, limits.artifact_bytes.value)
    assert.equal(1, limits.artifact_bytes.line)
    assert.equal("21/16", limits.bits_per_parameter.value)
    assert.equal(2, limits.bits_per_parameter.line)
    assert.equal(8000, limits.summary_characters.value)
    assert.equal(262144, limits.patch_bytes.value)
    assert.equal("1.3125",
      onboard.parse("maximum 1.3125 bits per parameter").limits.bits_per_parameter.value)
  end)

  it("finds title and sections with their lines", function()
    local parsed = onboard.parse("\u{feff}intro\r\n\r\n# The task #\r\n\r\n## Rules\n")
    assert.equal("The task", parsed.title)
    assert.same({ { title = "The task", level = 1, line = 3 },
      { title = "Rules", level = 2, line = 5 } }, parsed.sections)
    assert.equal("just text", onboard.parse("just text").title)
  end)

  it("takes no name from backticks around several words", function()
    local found = onboard.parse("# A\n\n- Slug: `two words`\n- Metric: `b c`, minimize\n")
    for _, fact in ipairs(found.facts) do assert.is_truthy(fact.value, fact.field) end
    assert.same({}, contradictions.of_task(onboard.parse("# A\n\n- Slug: `two words`").facts,
      { slug = "x" }))
  end)

  it("takes any bytes", function()
    local bytes = {}
    for i = 1, 20000 do bytes[i] = string.char((i * 7919 + i // 13) % 256) end
    assert.is_table(onboard.parse(table.concat(bytes)).demands)
    assert.is_table(onboard.parse(("- include `a_b` when "):rep(5000)).demands)
    assert.is_table(onboard.parse(("|"):rep(50000)).demands)
  end)
end)
