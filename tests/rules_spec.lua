local fs = require "core.fs"

local gate = require "bittern.gate"
local json = require "bittern.json"
local onboard = require "bittern.onboard"
local profiles = require "bittern.profiles"
local rules = require "bittern.rules"
local script = require "bittern.script"
local support = require "tests.support"
local task_record = require "bittern.task"

local BINARY <const> = "qwen3-27b-binary-frontier"

local function task(extra)
  local record = { id = "1", slug = BINARY, task_state = "live", is_active = true,
    metric_name = "heldout_ppl", competition_mode = "standard" }
  for key, value in pairs(extra or {}) do record[key] = value end
  return assert(task_record.normalize(record))
end

local function parts(extra, text)
  return assert(rules.of_task(task(extra), text))
end

local function rule(of, id)
  for _, candidate in ipairs(of.rules) do
    if candidate.id == id then return candidate end
  end
  return nil
end

local function submission(extra)
  local value = {
    claim_id = "c", base_ref = ("a"):rep(40), summary = "packed", patch = "",
    claimed_metrics = { heldout_ppl = 5.5 }, artifact_uri = "https://files.example.org/a.zip",
    artifact_sha256 = ("0"):rep(64), artifact_size_bytes = 1000,
  }
  for key, member in pairs(extra or {}) do value[key] = member end
  return value
end

-- Ids of the rules that a submission breaks.
local function broken(of, body, world)
  local ids = {}
  for _, result in ipairs(gate.failures(gate.judge(of.rules, body, of.task, world or {}))) do
    ids[#ids + 1] = result.id
  end
  return ids
end

local function first(extra, text, profile)
  local answer, source = rules.artifact_first(task(extra), text and onboard.parse(text), profile)
  return { answer, source }
end

describe("bittern.rules", function()
  it("decides artifact-first by task JSON, onboarding, profile, in this order", function()
    local says = "Include `artifact_uri`."
    local profile = profiles.find(BINARY)
    assert.same({ false, "default" }, first({}))
    assert.same({ true, "profile " .. BINARY }, first({}, nil, profile))
    assert.same({ true, "onboarding line 1" }, first({}, says, profile))
    assert.same({ true, "onboarding line 2" },
      first({}, "x\nThe artifact is what validators score.", profile))
    local no = { requires_submission_artifact = false, submission_surface = "artifact" }
    assert.same({ false, "task JSON: requires_submission_artifact" }, first(no, says, profile))
    for _, value in ipairs { true, "1", "TRUE", "yes", "artifact", 1 } do
      assert.is_true(first({ requires_submission_artifact = value })[1], tostring(value))
    end
    for _, value in ipairs { false, "0", "no", "" } do
      assert.is_false(first({ requires_submission_artifact = value }, says)[1], tostring(value))
    end
    assert.same({ true, "task JSON: submission_surface" },
      first { submission_surface = "Artifact" })
    assert.same({ false, "task JSON: submission_surface" },
      first({ submission_surface = "patch" }, says))
    assert.same({ true, "task JSON: required_submission_fields" },
      first { required_submission_fields = { "artifact_uri" } })
    assert.same({ false, "task JSON: required_submission_fields" },
      first({ required_submission_fields = { "summary" } }, says))
    assert.same({ true, "onboarding line 1" },
      first({ required_submission_fields = json.array {}, submission_surface = json.null }, says))
  end)

  it("closes the gap: today's task JSON and production's guidance give every rule", function()
    local text = support.fixture("production_guidance.txt")
    local of = parts({ slug = "qwen3-27b-ternary-frontier", competition_mode = "centerless" }, text)
    for id, source in pairs {
      ["required.artifact_uri"] = "^onboarding line %d+$",
      ["required.artifact_sha256"] = "^onboarding line %d+$",
      ["required.artifact_size_bytes"] = "^onboarding line %d+$",
      ["required.proposed_idea"] = "^onboarding line %d+$",
      ["optional.implemented_submission_id"] = "^onboarding line %d+$",
      ["required.claim_id"] = "^mode centerless$",
      ["budget.model"] = "^profile qwen3%-27b%-ternary%-frontier$",
      patch_content = "^onboarding line %d+$", patch_size = "^default$",
      mode = "^task JSON: competition_mode$", artifact_first = "^onboarding line %d+$",
    } do
      assert.matches(source, (rule(of, id) or {}).source or "no rule " .. id)
    end
    assert.is_nil(rule(parts({}, text), "required.proposed_idea"))
  end)

  it("has no two rules of one id, and a source for each", function()
    for _, mode in ipairs { "standard", "centerless", "self_validation" } do
      local seen = {}
      local text = support.fixture("production_guidance.txt")
      for _, one in ipairs(parts({ competition_mode = mode }, text).rules) do
        assert.is_nil(seen[one.id], one.id)
        seen[one.id] = true
        assert.is_string(one.source)
        assert.is_string(one.about)
      end
    end
  end)

  it("lets the task JSON win, and keeps what contradicts visible", function()
    local text = "Do not include `proposed_idea`.\n\nInclude `artifact_uri`."
    local of = parts({ required_submission_fields = { "proposed_idea", "energy_joules" } }, text)
    local idea = rule(of, "required.proposed_idea")
    assert.equal("task JSON: required_submission_fields", idea.source)
    assert.same({ "onboarding line 1 forbids it" }, idea.conflicts)
    local uri = rule(of, "optional.artifact_uri")
    assert.same({ "onboarding line 3 requires it", "profile " .. BINARY .. " requires it" },
      uri.conflicts)
    assert.equal("required.energy_joules", broken(of, submission { proposed_idea = "x" })[1])
  end)

  it("names every source that agrees", function()
    local of = parts({ requires_submission_artifact = true }, "Include `artifact_sha256`.")
    local one = rule(of, "required.artifact_sha256")
    assert.equal("task JSON: requires_submission_artifact", one.source)
    assert.same({ "onboarding line 1", "mode standard", "profile " .. BINARY }, one.also)
    assert.same({}, one.conflicts)
  end)

  it("stops at what is missing, blank, of another type, or forbidden", function()
    local of = parts({},
      "Include `artifact_uri` and `execution_log`. Do not include `proposed_idea`.")
    assert.same({}, broken(of, submission { execution_log = "ran" }))
    assert.same({ "required.execution_log" }, broken(of, submission()))
    assert.same({ "required.execution_log" }, broken(of, submission { execution_log = " " }))
    assert.same({ "required.execution_log" }, broken(of, submission { execution_log = 7 }))
    assert.same({ "required.execution_log" }, broken(of, submission { execution_log = json.null }))
    assert.same({ "forbidden.proposed_idea", "no_centerless_fields" },
      broken(of, submission { execution_log = "ran", proposed_idea = "x" }))
  end)

  it("wants a real patch where the artifact is not what counts", function()
    local of = parts { slug = "other", submission_surface = "patch",
      allowed_patch_paths = { "x" } }
    local body = submission { patch = "" }
    body.artifact_uri, body.artifact_sha256, body.artifact_size_bytes = nil, nil, nil
    assert.same({ "artifact_first", "patch" }, broken(of, body))
    body.patch = "diff --git a/x b/x\n"
    assert.same({}, broken(of, body))
    of = parts { slug = "other", required_submission_fields = { "patch" } }
    assert.same({ "required.patch" }, broken(of, submission()))
  end)

  it("takes no metric and no field of the task for a field of the submission", function()
    local of = parts({}, "Include `heldout_ppl`, `time_budget_seconds` and `base_ref`.\n")
    assert.is_nil(rule(of, "required.heldout_ppl"))
    assert.equal("onboarding line 1", rule(of, "required.base_ref").source)
  end)

  it("judges both budgets in integers: equality passes, one byte more does not", function()
    local of = parts()
    local function at(size, count)
      local artifact = { size = size, sha256 = ("0"):rep(64), parameter_count = count }
      return broken(of, submission { artifact_size_bytes = size }, { artifact = artifact })
    end
    assert.same({}, at(4429687500, 27000000000))
    assert.same({ "budget.reference", "budget.model" }, at(4429687501, 27000000000))
    assert.same({}, at(344064, 2097152))
    assert.same({ "budget.model" }, at(344065, 2097152))
    assert.same({}, at(282187500, 1720000000))
    assert.same({ "budget.model" }, at(282187501, 1720000000))
    assert.same({}, at(4429687500, 432000000000))
    assert.same({ "parameter_count" }, at(4429687500, 432000000001))
  end)

  it("says the exact bytes over", function()
    local of = parts { slug = "tiny-ternary-frontier" }
    local artifact = { size = 580000, sha256 = "", parameter_count = 2097152 }
    local world = { artifact = artifact }
    local ok, reason = rule(of, "budget.model").check(submission(), of.task, world)
    assert.is_nil(ok)
    assert.equal("the artifact is over the budget of its 2097152 parameters (counted) by 7 bytes: "
      .. "it has 580000 bytes, 579993 bytes are allowed", reason)
    artifact.size = 671680
    ok, reason = rule(of, "budget.reference").check(submission(), of.task, world)
    assert.is_nil(ok)
    assert.matches("by 1 byte: it has 671680 bytes, 671679 bytes are allowed", reason)
  end)

  it("goes by claimed size and parameters before an artifact is measured", function()
    local of = parts()
    local model = rule(of, "budget.model")
    assert.equal("skip", (model.check(submission(), of.task, {})))
    local claimed = { heldout_ppl = 1.0, parameter_count = 1000.0 }
    local body = submission { claimed_metrics = claimed }
    assert.is_nil((model.check(body, of.task, {})))
    body.artifact_size_bytes = 164
    assert.is_true(model.check(body, of.task, {}))
    assert.equal("skip", (model.check({ claimed_metrics = "x" }, of.task, {})))
    assert.equal("skip", (rule(of, "budget.reference").check({}, of.task, {})))
  end)

  it("lets the onboarding text's limits win over the profile, visibly", function()
    local of = parts({}, "Artifact limits: at most 1.5 bits per parameter.\n\n"
      .. "The archive has at most 900 bytes.")
    local model, reference = rule(of, "budget.model"), rule(of, "budget.reference")
    assert.equal("onboarding line 1", model.source)
    assert.equal("3/2", model.value)
    assert.same({ "profile " .. BINARY .. " says 21/16 bits" }, model.conflicts)
    assert.equal(900, reference.value)
    assert.same({ "profile " .. BINARY .. " says 4429687500 bytes" }, reference.conflicts)
    assert.is_nil(rule(parts { slug = "unheard-of" }, "budget.model"))
  end)

  it("compares with the very bytes that were measured and fetched", function()
    local of = parts()
    local artifact = { size = 1000, sha256 = ("0"):rep(64), parameter_count = 1000000 }
    assert.same({}, broken(of, submission(), { artifact = artifact, url_check = { ok = true } }))
    artifact.sha256 = ("1"):rep(64)
    assert.same({ "artifact_bytes" }, broken(of, submission(), { artifact = artifact }))
    artifact.size, artifact.sha256 = 999, ("0"):rep(64)
    assert.same({ "artifact_bytes" }, broken(of, submission(), { artifact = artifact }))
    assert.same({ "artifact_url" },
      broken(of, submission(), { url_check = { ok = false, reason = "302" } }))
  end)

  it("caps patches and refuses files that the onboarding text names", function()
    local of = parts({ max_patch_bytes = 60, allowed_patch_paths = { "p/*" } },
      "Do not submit caches or `notes.md` in the patch.")
    local function diff(path) return ("diff --git a/%s b/%s\n"):format(path, path) end
    assert.same({}, broken(of, submission { patch = diff "p/a" .. ("x"):rep(37) }))
    assert.same({ "patch_size" }, broken(of, submission { patch = diff "p/a" .. ("x"):rep(38) }))
    assert.same({ "patch_content" }, broken(of, submission { patch = diff "p/notes.md" }))
    assert.same({}, broken(of, submission { patch = diff "p/notes.mdx" }))
    assert.same({ "patch_surface" }, broken(of, submission { patch = diff "q/a" }))
    assert.same({ "patch_surface" }, broken(parts(), submission { patch = diff "p/a" }))
  end)

  it("stops at tasks that are not live and modes that are not known, without a crash", function()
    assert.same({ "task_live" }, broken(parts { task_state = "paused" }, submission()))
    local of = parts { competition_mode = "self_validation" }
    assert.is_nil(of.mode)
    assert.same({ "mode" }, broken(of, submission()))
    local _, reason = rule(of, "mode").check()
    assert.matches("'self_validation' is not known here", reason)
    of = parts { competition_mode = "../../etc/passwd" }
    assert.is_nil(of.mode)
  end)

  it("takes a mode of the user's own", function()
    local mode = assert(script.load(support.root .. "/examples/modes/smallest.lua", "mode"))
    local of = { task = task { competition_mode = "smallest" }, mode = mode }
    of.rules = rules.merge(of)
    assert.equal("mode smallest", rule(of, "round_size").source)
    assert.same({ "round_size" }, broken(of, submission { artifact_size_bytes = 1001 }))
  end)
end)

describe("bittern.profiles", function()
  it("knows the tasks by slug, practice twins included", function()
    assert.equal("qwen3-27b-ternary-frontier", profiles.find(" Qwen3-27B-Ternary-Frontier ").name)
    assert.equal("tiny-binary-frontier", profiles.find("tiny-binary-frontier").name)
    assert.equal("tiny-ternary-frontier", profiles.find("tiny-v2-ternary-frontier").name)
    assert.is_nil(profiles.find("qwen3-27b-binary-frontier-2"))
    assert.is_nil(profiles.find("xtiny-binary-frontier"))
  end)

  it("has the contract's budgets", function()
    local budget = require "bittern.compress.budget"
    local function most(slug)
      local profile = profiles.find(slug)
      return budget.bytes(profile.reference_parameters,
        { profile.budget.bits_numerator, profile.budget.bits_denominator })
    end
    assert.equal(4429687500, most "qwen3-27b-binary-frontier")
    assert.equal(7467187500, most "qwen3-27b-ternary-frontier")
    local text = assert(fs.read(support.model .. "/expected.json"))
    local expected = assert(json.decode(text))
    assert.equal(expected.parameter_count,
      profiles.find("tiny-binary-frontier").reference_parameters)
  end)
end)
