local browser = require "tests.browser.browser"
local canonical = require "bittern.canonical"
local fs = require "core.fs"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local support = require "tests.support"

local HOSTILE <const> = [[<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>]]

local LAYERS <const> = 12

local function add_compression(ledger, base, sha256, size)
  local plan = { { name = "model.embed_tokens.weight", codec = "q4", parameters = 4e6 // 1,
    bytes = 2e6 // 1, norm = 100, error_after = 0.5 } }
  for layer = 0, LAYERS - 1 do
    for i, role in ipairs { "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj",
      "down_proj", "input_layernorm" } do
      plan[#plan + 1] = { name = ("model.layers.%d.x.%s.weight"):format(layer, role), codec = base,
        parameters = i * 100000, bytes = i * 20000 + 300 * layer, norm = 10, error_after = i / 9,
        rescued = i }
    end
  end
  plan[#plan + 1] = { name = HOSTILE .. ".3.a.weight", codec = HOSTILE, parameters = 1000000,
    bytes = 900000 }
  return assert(ledger:add_compression("/home/somebody/models/base", { recipe = "rowcol",
    recipe_sha256 = "r", settings = { base = base, keep = "norm" }, parameters = 90000000,
    budget = 20000000, bytes = size, out = "/o", size = size, sha256 = sha256, plan = plan }, 1))
end

local function add_run(ledger, slug, sha256, ppl, status)
  local run = assert(ledger:start_run({ workflow = "mine", slug = slug, coordinator = "c",
    hotkey = "h" }, "{}"))
  local function step(name, result)
    assert(ledger:begin_step(run.id, name, ""))
    assert(ledger:end_step(run.id, name, result, ""))
  end
  step("discover", { task = { metric_name = "heldout_ppl", metric_direction = "minimize" } })
  step("gate", { verdict = "PASS", results = {
    { id = "artifact_url", ok = true, about = HOSTILE, source = "built in", skipped = false },
    { id = "budget", ok = false, about = "within the budget", source = "onboarding line 3",
      reason = "too large", skipped = false } } })
  local post = assert(ledger:intend { kind = "submission", subject = "claim" .. sha256,
    coordinator = "c", hotkey = "h", run = run.id, body = canonical.encode {
      claimed_metrics = { heldout_ppl = ppl }, artifact_size_bytes = 15000000 } })
  assert(ledger:attempt(post.id))
  assert(ledger:outcome(post.id, "done", { record_id = "s-" .. sha256, status = status,
    message = HOSTILE }))
  return run.id
end

local function fill(home)
  local now = 1750000000
  local ledger <close> = assert(ledgers.open(home .. "/.local/state/bittern/ledger.db", function()
    now = now + 3600
    return now
  end))
  for i, one in ipairs { { "b1", "aa", 15e6, 3.2 }, { "t5", "bb", 19e6, 2.1 },
    { "t2", "cc", 21e6, 2.4 } } do
    add_compression(ledger, one[1], one[2], one[3] // 1)
    assert(ledger:add_score { model = "/m/" .. i, sha256 = one[2], size = one[3] // 1, text = "t",
      settings = "{}", nats = one[4], tokens = 10, parameters = 90000000 })
  end
  assert(ledger:add_score { model = "/m/" .. HOSTILE, sha256 = "dd", size = 17000000, text = "t",
    settings = "{}", nats = 2.9, tokens = 10, parameters = 90000000 })
  local costs = {}
  for layer = 0, LAYERS - 1 do
    costs[#costs + 1] = { name = ("model.layers.%d.x.down_proj.weight"):format(layer), codec = "b1",
      rescued = 0, lost_nats = math.sin(layer) / 50, lost_error_nats = 0.001 }
  end
  assert(ledger:add_costs({ sha256 = "bb", text = "t", settings = "{}", model = "/o", base = "/b" },
    costs))
  add_run(ledger, "tiny-binary-frontier", "aa", 24.5, "accepted")
  return add_run(ledger, "tiny-binary-frontier", "bb", 8.2, "rejected"),
    add_run(ledger, "tiny-binary-frontier", "bc", 8.1, "pending_verification")
end

describe("bittern report", function()
  local home = support.folder()
  local second

  local function report(...)
    return support.bittern(home, { "report", ... })
  end

  it("says what fills an empty ledger", function()
    local done = report()
    assert.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("compress, eval, sweep and mine fill it", done.stderr)
    local out = home .. "/empty.html"
    assert.equal(0, report("--out", out).status)
    assert.matches("holds no score yet", assert(fs.read(out)))
  end)

  it("gives all of it as JSON, and chosen fields", function()
    second = fill(home)
    local data = assert(json.decode(report("--json").stdout))
    assert.same({ 3, 3, 3, 4, "bb", true, 2 }, { #data.runs, #data.compressions, #data.submissions,
      #data.frontier.points, data.made.sha256, data.has_costs, #data.gate.results })
    assert.same({ "rejected", 8.2, "heldout_ppl" }, { data.submissions[2].state,
      data.submissions[2].value, data.submissions[2].metric })
    local marks = {}
    for i, p in ipairs(data.frontier.points) do marks[i] = p.frontier end
    assert.same({ true, true, true, false }, marks)
    assert.same({ gate = data.gate, runs = data.runs },
      json.decode(report("--json", "--fields", "gate,runs").stdout))
    local one = assert(json.decode(report("--json", tostring(second)).stdout))
    assert.same({ 1, 1, 0 }, { #one.runs, #one.submissions, #one.compressions })
  end)

  it("refuses runs that are not there", function()
    local done = report "99"
    assert.equal(7, done.status)
    assert.matches("the ledger has no run 99", done.stderr)
    assert.equal(2, report("none").status)
  end)

  it("is text in a terminal, of which nothing is an escape", function()
    local done = report()
    assert.equal(0, done.status, done.stderr)
    for _, words in ipairs { "Size against perplexity", "Budget use", "rowcol base=t5  █+",
      "Bytes of each layer", "11 +█+", "Cost of each layer",
      "tiny%-binary%-frontier  17 Jun 01:06  rejected +8.2",
      "The gate: PASS", "STOP  budget: too large" } do
      assert.matches(words, done.stdout)
    end
    assert.is_nil(done.stdout:find "[%z\1-\9\11-\31]")
    for line in done.stdout:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80, line) end
  end)

  it("writes a page and every chart as SVG and PNG into a folder", function()
    local folder = home .. "/pictures"
    local done = report("--out", folder .. "/")
    assert.equal(0, done.status, done.stderr)
    local names = {}
    for path in done.stdout:gmatch "[^\n]+" do names[path:match "[^/]+$"] = path end
    for _, name in ipairs { "frontier", "budget", "bits", "error", "cost", "history" } do
      local svg = assert(fs.read(names[name .. ".svg"]))
      support.python("import sys, xml.dom.minidom as m; m.parse(sys.argv[1])",
        names[name .. ".svg"])
      assert.is_nil(svg:find("<script", 1, true))
      assert.equal("\x89PNG", assert(fs.read(names[name .. ".png"])):sub(1, 4))
    end
  end)

  it("says that there is no converter, and goes on", function()
    local bin = support.folder()
    local done = support.bittern(home, { "report", "--out", home .. "/plain/" },
      { env = { PATH = bin } })
    assert.equal(0, done.status, done.stderr)
    assert.matches("no PNG: rsvg%-convert is not installed", done.stderr)
    assert.matches("history.svg", done.stdout)
    assert.is_nil(done.stdout:find ".png")
  end)

  it("is a page that needs nothing else, for eyes, keyboard, telephone and paper", function()
    local page = home .. "/report.html"
    assert.equal(0, report("--out", page).status)
    local text = assert(fs.read(page))
    assert.is_nil(text:find("/home/somebody", 1, true))
    assert.is_nil(text:find "<[^>]* src=" or text:find "url%(")
    local seen, why = browser.run("report", { page = page })
    if not seen then return pending(why) end
    browser.judge(assert, "report", seen.looks)
    assert.same({ "summary", "frontier", "budget", "tensors", "submissions", "gate" },
      seen.sections)
    assert.same({ "Size against perplexity", "Budget use", "Bytes of each layer",
      "Error of each matrix", "Cost of each matrix alone", "Submissions to tiny-binary-frontier" },
      seen.charts)
    assert.same({ {}, true, "0px", "undefined", 0, {}, {} }, { seen.labels, seen.opened, seen.print,
      seen.hacked, seen.scripts, seen.errors, seen.foreign })
  end)
end)
