local fs = require "core.fs"
local sys = require "core.sys"

local ledgers = require "bittern.ledger"
local support = require "tests.support"

local key = {
  workflow = "mine", slug = "tiny-binary-frontier", coordinator = "http://127.0.0.1:1",
  hotkey = "5Fx",
}

local function open(path)
  return assert(ledgers.open(path, function() return 1750000000.5 end))
end

describe("ledger", function()
  local path

  before_each(function() path = support.folder() .. "/state/ledger.db" end)

  it("makes a file that only its owner can read, and folders with it", function()
    local ledger <close> = open(path)
    assert.equal(384, assert(fs.stat(ledger.path)).mode)
    assert.equal(448, assert(fs.stat(path:match("^(.*)/"))).mode)
  end)

  it("keeps its tables when it is opened again", function()
    local first = open(path)
    assert(first:start_run(key, "{}"))
    first:close()
    local second <close> = open(path)
    assert.equal(1, second:last_run(key).id)
  end)

  it("refuses a file of a later version and says so", function()
    local ledger = open(path)
    assert(ledger.db:exec("PRAGMA user_version = 99"))
    ledger:close()
    local again, message, code = ledgers.open(path)
    assert.is_nil(again)
    assert.matches("version 99 is not known here", message)
    assert.equal("config", code)
  end)

  it("says what is wrong with a file that is no database", function()
    assert(fs.mkdir(path:match("^(.*)/")))
    assert(fs.write(path, ("not a database\n"):rep(100)))
    local ledger, message = ledgers.open(path)
    assert.is_nil(ledger)
    assert.matches("ledger.db", message)
  end)

  it("finds the last run of a workflow, task, coordinator and hotkey, and no other", function()
    local ledger <close> = open(path)
    local run = assert(ledger:start_run(key, "{}"))
    assert.equal(run.id, ledger:last_run(key).id)
    assert.equal(sys.pid(), ledger:last_run(key).pid)
    for field in pairs(key) do
      local other = {}
      for name, value in pairs(key) do other[name] = name == field and "other" or value end
      assert.is_false(ledger:last_run(other))
    end
    assert(ledger:end_run(run.id, "accepted"))
    assert.equal("accepted", ledger:last_run(key).state)
  end)

  it("gives a step's result back exactly: integers, floats, text", function()
    local ledger <close> = open(path)
    local run = assert(ledger:start_run(key, "{}"))
    assert.is_false(ledger:step(run.id, "eval"))
    assert(ledger:begin_step(run.id, "eval", "abc"))
    assert.equal("running", ledger:step(run.id, "eval").state)
    local result = { ppl = 5.0, count = 2 ^ 53 | 0, text = "\u{1F426} \0" }
    assert(ledger:end_step(run.id, "eval", result, "line"))
    local step = ledger:step(run.id, "eval")
    assert.same({ ppl = 5.0, count = 9007199254740992, text = "\u{1F426} \0" }, step.result)
    assert.equal("float", math.type(step.result.ppl))
    assert.equal("integer", math.type(step.result.count))
    assert.equal("done", step.state)
    assert.equal("abc", step.inputs)
  end)

  it("keeps a result readable when its step begins again, but not done", function()
    local ledger <close> = open(path)
    local run = assert(ledger:start_run(key, "{}"))
    assert(ledger:begin_step(run.id, "eval", "abc"))
    assert(ledger:end_step(run.id, "eval", { ppl = 5.0 }, "line"))
    assert(ledger:begin_step(run.id, "eval", "abd"))
    local step = ledger:step(run.id, "eval")
    assert.same({ "running", "abd", { ppl = 5.0 } }, { step.state, step.inputs, step.result })
  end)

  it("refuses a result that JSON cannot hold", function()
    local ledger <close> = open(path)
    local run = assert(ledger:start_run(key, "{}"))
    assert(ledger:begin_step(run.id, "eval", ""))
    local ok, message, code = ledger:end_step(run.id, "eval", { ppl = 0 / 0 }, "")
    assert.is_nil(ok)
    assert.matches("step eval: result: a number is not finite", message)
    assert.equal("invalid_json", code)
  end)

  it("has the intent of a POST, with its body, on disk before it is sent", function()
    local ledger = open(path)
    local intent = assert(ledger:intend {
      coordinator = key.coordinator, hotkey = "5Fx", kind = "submission", subject = "c",
      task_id = "t", body = '{"a":1.0}',
    })
    -- No close: another connection sees what a crash would leave.
    local other <close> = open(path)
    local row = other:submission(key.coordinator, "c")
    assert.same({ "intent", 0, '{"a":1.0}' }, { row.state, row.attempts, row.body })
    assert.equal(require("core.sha256").hex(row.body), row.body_sha256)
    assert(ledger:attempt(intent.id))
    row = other:submission(key.coordinator, "c")
    assert.same({ "unknown", 1, 1750000000.5 }, { row.state, row.attempts, row.sent })
    assert(ledger:outcome(intent.id, "done", { record_id = "s", status = "pending" }))
    row = other:submission(key.coordinator, "c")
    assert.same({ "done", 1, "s" }, { row.state, row.attempts, row.record_id })
    assert(ledger:set_status(key.coordinator, "s", "accepted"))
    assert.equal("accepted", other:submission(key.coordinator, "c").status)
    assert.is_false(other:submission(key.coordinator, "d"))
    ledger:close()
  end)

  it("lists what is of unknown outcome first, then the newest", function()
    local ledger <close> = open(path)
    for i, state in ipairs { "unknown", "done", "refused" } do
      local row = assert(ledger:intend {
        coordinator = key.coordinator, hotkey = "5Fx", kind = "claim", subject = "t" .. i,
      })
      assert(ledger:outcome(row.id, state, {}))
    end
    local order = {}
    for i, row in ipairs(assert(ledger:posts {})) do order[i] = row.subject end
    assert.same({ "t1", "t3", "t2" }, order)
    assert.equal(1, #assert(ledger:posts { state = "unknown", hotkey = "5Fx" }))
    assert.equal(0, #assert(ledger:posts { state = "unknown", hotkey = "5Other" }))
    assert.equal(2, #assert(ledger:posts { limit = 2 }))
  end)

  it("keeps the last score of the same bytes, text and settings, and how they were made", function()
    local ledger <close> = open(path)
    local score = { model = "/m/out.zip", sha256 = "aa", size = 7, text = "t", settings = "{}",
      nats = 2.5, error = 0.1, tokens = 10, parameters = 100 }
    assert(ledger:add_score(score))
    score.nats, score.error = 2.25, nil
    assert(ledger:add_score(score))
    score.settings = '{"limit":1}'
    assert(ledger:add_score(score))
    assert(ledger:add_compression("/m", { recipe = "rowmix", recipe_sha256 = "r",
      settings = { set = { base = "t5" } }, parameters = 100, bytes = 7, out = "/m/out.zip",
      size = 7, sha256 = "aa", plan = {} }, 1))
    local rows = assert(ledger:scores())
    assert.equal(2, #rows)
    for _, row in ipairs(rows) do
      assert.same({ "rowmix", "/m", 2.25 }, { row.recipe, row.base, row.nats })
      assert.matches("t5", row.compression)
    end
  end)

  it("keeps the last costs of an artifact's matrices, and what its archive became", function()
    local ledger <close> = open(path)
    local mark = { sha256 = "aa", text = "t", settings = "{}", model = "/m/out", base = "/m" }
    local function cost(name, lost)
      return { name = name, codec = "b1", rescued = 2, lost_nats = lost, lost_error_nats = 0.01 }
    end
    assert(ledger:add_costs(mark, { cost("b", 1), cost("a", 2), cost("gone", 3) }))
    assert(ledger:add_costs(mark, { cost("b", 0.5), cost("a", -0.25) }))
    mark.sha256 = "bb"
    assert(ledger:add_costs(mark, { cost("z", 9) }))
    local rows = assert(ledger:costs "aa")
    assert.same({ "a", -0.25, "b", 0.5 },
      { rows[1].name, rows[1].lost, rows[2].name, rows[2].lost })
    assert.is_nil(rows[3])
    local id = assert(ledger:add_compression("/m", { recipe = "r", recipe_sha256 = "r",
      settings = {}, parameters = 100, bytes = 7, out = "/m/out", size = 7, plan = {
        { name = "w", codec = "b1", parameters = 64, bytes = 8, norm = 4, error_after = 1 } } }, 1))
    assert(ledger:set_archive(id, { size = 9, sha256 = "aa" }))
    local made = assert(ledger:compressions "/m")[1]
    assert.same({ 9, "aa" }, { made.size, made.sha256 })
    local tensors = assert(ledger:tensors(id))
    assert.same({ "w", 0.25 }, { tensors[1].name, tensors[1].error })
    assert.matches('"parameters":64', tensors[1].plan)
  end)

  it("takes over what a ledger of version 1 holds", function()
    assert(fs.mkdir(path:match("^(.*)/")))
    local db = assert(require("core.store").open(path))
    for statement in support.fixture("ledger_1.sql"):gmatch("[^;]+;") do
      assert(db:exec(statement))
    end
    db:close()
    local ledger <close> = open(path)
    local states = {}
    for i, row in ipairs(assert(ledger:query("SELECT * FROM posts ORDER BY id"))) do
      states[i] = ("%s %s %s %s"):format(row.kind, row.subject, row.state, row.record_id or "-")
    end
    assert.same({
      "claim t done c1", "claim t unknown -", "submission c1 done s1", "submission c2 unknown -",
      "submission c3 intent -",
    }, states)
    assert.equal("accepted", ledger:submission("http://c", "c1").status)
  end)

  it("lets one process at a time work on a task, and names the other", function()
    local ledger <close> = open(path)
    assert(ledger:start_run(key, "{}"))
    local lock = assert(ledger:lock(key))
    local other, message, code = ledger:lock(key)
    assert.is_nil(other)
    assert.matches("another bittern %(process " .. sys.pid() .. "%) works on it", message)
    assert.equal("locked", code)
    local elsewhere = { slug = "other", coordinator = key.coordinator, hotkey = key.hotkey }
    assert(ledger:lock(elsewhere)):close()
    lock:close()
    assert(ledger:lock(key)):close()
  end)
end)
