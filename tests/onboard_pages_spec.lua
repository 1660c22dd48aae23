-- Onboarding pages in the forms seen in the wild: what is read from each, and what contradicts.
local lfs = require "lfs"

local onboard = require "bittern.onboard"
local contradictions = require "bittern.rules.contradictions"
local gate = require "bittern.gate"
local rules = require "bittern.rules"
local support = require "tests.support"
local task_record = require "bittern.task"

local FOLDER <const> = support.root .. "/tests/fixtures/onboarding/"
local expected = dofile(FOLDER .. "expected.lua")

local function task(changes)
  local record = {}
  for key, value in pairs(expected.record) do record[key] = value end
  for key, value in pairs(changes or {}) do record[key] = value or nil end
  return assert(task_record.normalize(record))
end

local function replaced(list)
  local all = {}
  for i, text in ipairs(list or {}) do
    all[i] = text:gsub("%f[%w]P/", expected.P .. "/"):gsub("%f[%w]URL$", expected.URL)
  end
  return all
end

local function facts_of(parsed)
  local list = {}
  for i, fact in ipairs(parsed.facts) do
    local value = fact.value
    if type(value) == "table" then value = table.concat(value, ", ") end
    list[i] = ("%d %s %s"):format(fact.line, fact.field, value)
  end
  return list
end

local function demands_of(parsed)
  local list = {}
  for i, demand in ipairs(parsed.demands) do
    list[i] = ("%d %s %s"):format(demand.line, demand.kind, demand.field)
  end
  return list
end

local function limits_of(parsed)
  local list = {}
  for name, limit in pairs(parsed.limits) do
    list[#list + 1] = ("%d %s %s"):format(limit.line, name, limit.value)
  end
  table.sort(list)
  return list
end

local function fields_of(parts)
  local list = {}
  for i, found in ipairs(contradictions.find(parts, {})) do list[i] = found.field end
  return list
end

describe("onboarding pages", function()
  local names = {}
  for name in lfs.dir(FOLDER) do names[#names + 1] = name:match("^(.*)%.md$") end
  table.sort(names)

  it("are at least thirty, and each is expected", function()
    assert.is_true(#names >= 30)
    local count = 0
    for _ in pairs(expected.pages) do count = count + 1 end
    assert.equal(#names, count)
  end)

  for _, name in ipairs(names) do
    it("are read right: " .. name, function()
      local wanted = assert(expected.pages[name])
      local text = support.fixture("onboarding/" .. name .. ".md")
      local parsed = onboard.parse(text)
      local limits = wanted.limits or {}
      table.sort(limits)
      assert.same(replaced(wanted.facts), facts_of(parsed))
      assert.same(wanted.demands or {}, demands_of(parsed))
      assert.same(limits, limits_of(parsed))
      local parts = assert(rules.of_task(task(), text))
      assert.same(wanted.contradicts or {}, fields_of(parts))
      local judged = gate.early(parts.rules, parts.task, {})
      assert.equal(wanted.contradicts and "STOP" or "PASS", judged.verdict)
    end)
  end
end)

describe("hostile pages", function()
  it("are read in time that grows with their length alone", function()
    local lines = { (" "):rep(4000), "# " .. ("# "):rep(2000) .. "x", "a" .. (" "):rep(4000) .. "b",
      "- **" .. ("*"):rep(4000), ("<a"):rep(2000), "Metric: " .. ("]("):rep(2000),
      "|" .. ("|"):rep(4000), ("\u{b6} "):rep(1300), "Allowed paths: " .. ("`"):rep(4000),
      "Time budget: " .. ("1,"):rep(2000), ("> "):rep(2000), "Mode: `" .. ("a "):rep(2000) }
    for _, line in ipairs(lines) do
      local began = os.clock()
      onboard.parse((line .. "\n"):rep(20))
      assert.is_true(os.clock() - began < 1, ("%s: %.1f s"):format(line:sub(1, 20),
        os.clock() - began))
    end
  end)
end)

describe("contradictions", function()
  local function early(changes, text, decided)
    local parts = assert(rules.of_task(task(changes), text))
    return gate.early(parts.rules, parts.task, { decided = decided })
  end

  it("stop until the user decides each by its name, the line and both values told", function()
    local text = support.fixture "onboarding/wrong_metric.md"
    local failures = gate.failures(early({}, text))
    assert.equal("contradiction.metric_name", failures[1].id)
    assert.equal("onboarding line 3", failures[1].source)
    assert.equal("line 3 of the onboarding says heldout_quality, the task record says heldout_ppl; "
      .. "ask the operators, or go by the record with --decide metric_name", failures[1].reason)
    assert.equal("STOP", early({}, text, { metric_name = true }).verdict)
    assert.equal("PASS", early({}, text, { metric_name = true, metric_direction = true }).verdict)
  end)

  it("need two that speak: what the record leaves out is filled in, commands never", function()
    local text = "- Mode: `centerless`\n- Max patch bytes: 1000\n- Benchmark: `rm -rf x`\n"
    local silent = { competition_mode = false, max_patch_bytes = false, benchmark_command = false }
    local parts = assert(rules.of_task(task(silent), text))
    assert.equal("PASS", gate.early(parts.rules, parts.task, {}).verdict)
    assert.same({ "centerless", 1000 },
      { parts.task.competition_mode, parts.task.max_patch_bytes })
    assert.is_nil(parts.task.benchmark_command)
    for _, rule in ipairs(parts.rules) do
      if rule.id == "mode" then assert.equal("onboarding line 1", rule.source) end
      if rule.id == "patch_size" then assert.equal("onboarding line 2", rule.source) end
    end
  end)

  it("are found on production's own page, in the section of the task alone", function()
    local text = support.fixture "production_guidance.txt"
    local function of(changes)
      changes.repository = "https://github.com/AlveusLabs/"
        .. "autoresearch-task-qwen3-27b-binary-frontier.git"
      return fields_of(assert(rules.of_task(task(changes), text)))
    end
    assert.same({ "time_budget_seconds" }, of {})
    assert.same({}, of { time_budget_seconds = 21600 })
    -- Ids change on reseed; a page of several tasks then says nothing about this one.
    assert.same({}, of { id = "new" })
  end)

  it("are told of demands that the record denies", function()
    local failures = gate.failures(early({ requires_submission_artifact = "no" },
      "Include `artifact_uri`."))
    assert.equal("contradiction.artifact_uri", failures[1].id)
  end)

  it("know spellings from differences", function()
    for _, text in ipairs {
      "- Repository: https://github.com/AlveusLabs/task/", "- Repository: task",
      "- Repository: `AlveusLabs/task`", "- Mode: Standard", "- Base ref: `0123456789abcdef`",
      "- Benchmark: `python3  competition_packs/qwen3_27b_binary_frontier/benchmark.py`",
      "- Metric direction: lower is better", "- Allowed paths: `train.py`", "- Time budget: soon",
      "- Metric: see below", "- Mode:", "- Max patch size: 256 KiB", "- Task state: live",
    } do
      assert.equal("PASS", early({}, text).verdict, text)
    end
    assert.equal("PASS", early({ base_ref = ("0123456789abcdef"):rep(3):sub(1, 40) },
      "- Base ref: `0123456789`").verdict)
    assert.equal("STOP", early({ base_ref = ("0"):rep(40) }, "- Base ref: `1234567`").verdict)
    assert.equal("STOP", early({}, "- Base ref: main").verdict)
  end)
end)
