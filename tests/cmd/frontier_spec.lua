local answering = require "tests.answering"
local fs = require "core.fs"
local drawn = require "bittern.chart.frontier"
local frontier = require "bittern.eval.frontier"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local sha256 = require "core.sha256"
local support = require "tests.support"

local home = support.folder()
local text = home .. "/text"
assert(fs.write(text, "held out"))

local function run(...)
  return support.bittern(home, { "frontier", ... })
end

local function fill(into)
  local ledger <close> = assert(ledgers.open((into or home) .. "/.local/state/bittern/ledger.db"))
  local function add(name, size, nats, settings, on)
    assert(ledger:add_score { model = "/m/" .. name, sha256 = name, size = size, nats = nats,
      text = on or sha256.hex "held out", settings = settings or "{}", tokens = 10,
      parameters = 8000 })
  end
  add("small", 1000, 3.0)
  add("poor<&>", 1300, 3.5)
  add("good", 1400, 2.0)
  add("large", 2000, 1.5)
  add("elsewhere", 1, 0.1, "{}", "other")
  add("otherwise", 1, 0.1, '{"limit":1}')
  assert(ledger:add_compression("/m", { recipe = "rowmix", recipe_sha256 = "r",
    settings = { base = "t5" }, parameters = 8000, bytes = 1400, out = "/m/good", size = 1400,
    sha256 = "good", plan = {} }, 1))
end

describe("bittern frontier", function()
  it("says where scores come from when there are none", function()
    local done = run()
    assert.equal(7, done.status)
    assert.matches("holds no score\n  next: `bittern eval` and ", done.stderr)
  end)

  it("marks what is beaten, what is over budget, and the best", function()
    fill()
    -- 21/16 of 8000 bits are 1312 bytes; 15/10 are 1500.
    local ledger <close> = assert(ledgers.open(home .. "/.local/state/bittern/ledger.db"))
    assert(ledger:query("UPDATE scores SET scored = 1 WHERE settings <> '{}' OR text = 'other'"))
    local done = run("--json", "--budget", "1.5", "--text", text)
    assert.equal(0, done.status, done.stderr)
    local seen = json.decode(done.stdout)
    assert.same({ 1500, 2, 4 }, { seen.budget, seen.others, #seen.points })
    local marks = {}
    for i, p in ipairs(seen.points) do
      marks[i] = ("%s %s%s%s"):format(p.label, p.frontier and "*" or ".", p.best and " best" or "",
        p.fits and "" or " over")
    end
    assert.same({ "small *", "poor<&> .", "rowmix * best", "large * over" }, marks)
  end)

  it("prints a table and a plot, and draws SVG", function()
    local out = home .. "/frontier.svg"
    local done = run("--budget", "1.5", "--known", "1200:9.5", "--out", out)
    assert.equal(0, done.status, done.stderr)
    assert.matches("%* best +rowmix +1,400 +1.4000 +2.0000 +7.3891\n", done.stdout)
    assert.matches("%* over +large", done.stdout)
    assert.matches("2 scores on other texts", done.stderr)
    for _, mark in ipairs { "%*", "%.", "|", "K" } do assert.matches(mark, done.stderr) end
    local svg = assert(fs.read(out))
    assert.matches("^<svg xmlns.*poor&lt;&amp;&gt;.*</svg>\n$", svg)
    for _, word in ipairs { "budget", "best known", "polyline" } do assert.matches(word, svg) end
    support.python("import sys, xml.dom.minidom as m; m.parse(sys.argv[1])", out)
  end)

  it("tells recipes apart by the settings that differ, in 80 columns", function()
    local into = support.folder()
    local ledger <close> = assert(ledgers.open(into .. "/.local/state/bittern/ledger.db"))
    for i, first in ipairs { "gate_proj", ("q_proj,k_proj,"):rep(6) } do
      local hash = "made" .. i
      assert(ledger:add_score { model = "/m/" .. hash, sha256 = hash, size = 1000 + i, nats = 2,
        text = "t", settings = "{}", tokens = 10, parameters = 8000 })
      assert(ledger:add_compression("/m", { recipe = "rowcol", recipe_sha256 = "r",
        settings = { base = "auto", first = first }, parameters = 8000, bytes = 1000 + i,
        out = "/m/" .. hash, size = 1000 + i, sha256 = hash, plan = {} }, 1))
    end
    local done = support.bittern(into, { "frontier" })
    assert.matches("rowcol first=gate_proj +1,001", done.stdout)
    assert.is_nil(done.stdout:find("base=", 1, true))
    for line in done.stdout:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
  end)

  it("knows the best of a task, also when it cannot be fetched any more", function()
    local server = answering.start({ slug = "tiny-binary-frontier", metric_name = "heldout_ppl" },
      nil, { submission_id = "s-1", artifact_size_bytes = 1200,
        observed_metrics = { heldout_ppl = 9.5 } })
    fill(server.home)
    local function known(...)
      local done = server:run("frontier", "--task", "tiny-binary-frontier", "--text", text,
        "--json", ...)
      assert.equal(0, done.status, done.stderr)
      local seen = json.decode(done.stdout)
      seen.known.seen = nil -- the second of the last time that it was fetched
      return seen.known, seen.budget, done.stderr
    end
    local best, budget = known()
    assert.same({ 1200, 9.5, "s-1" }, { best.bytes, best.ppl, best.submission_id })
    assert.equal(1312, budget)
    assert.equal(1000, select(2, known("--budget", "1")))
    local again, _, told = known("--offline")
    assert.same(best, again)
    assert.matches("the best as it was %d+ s ago", told)
    server:stop()
    again, _, told = known()
    assert.same(best, again)
    assert.matches("the best as it was", told)
    local other = server:run("frontier", "--task", "another", "--text", text)
    assert.is_true(other.status ~= 0)
    assert.equal(2, server:run("frontier", "--task", "x", "--known", "1:2").status)
  end)

  it("says that a task has no best, or one of unknown size", function()
    for message, best in pairs {
      ["here has no best yet"] = {},
      ["record has no size"] = { submission_id = "s", observed_metrics = { heldout_ppl = 9.5 } },
      ["record has no perplexity"] = { submission_id = "s", artifact_size_bytes = 5 },
    } do
      local server = answering.start({}, nil, next(best) and best)
      fill(server.home)
      local done = server:run("frontier", "--task", "here")
      assert.equal(0, done.status, done.stderr)
      assert.matches(message, done.stderr)
      server:stop()
    end
  end)

  it("refuses what it does not know", function()
    assert(fs.write(home .. "/unknown", "never scored"))
    local done = run("--text", home .. "/unknown")
    assert.equal(7, done.status)
    assert.matches("holds no score on this text", done.stderr)
    done = run("--known", "12")
    assert.equal(2, done.status)
    assert.matches("must be BYTES:PERPLEXITY", done.stderr)
    assert.equal(2, run("--budget", "much").status)
  end)

  it("draws a single point, and points that are alike", function()
    local one = { bytes = 5, nats = 1, ppl = 2.7, label = "one" }
    assert.equal(1, frontier.mark { one })
    assert.equal(16, #drawn.plot({ points = { one } }, 64, 14))
    assert.matches("one", drawn.draw({ points = { one, one } }):document())
    assert.equal(2, frontier.mark { one, { bytes = 5, nats = 1 } })
    assert.equal(1, frontier.mark { one, { bytes = 5 } })
  end)
end)
