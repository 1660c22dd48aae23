local fs = require "core.fs"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local process = require "core.process"
local support = require "tests.support"
local sys = require "core.sys"

local home = support.folder()
local text = home .. "/text"
assert(fs.write(text, assert(fs.read(support.model .. "/heldout.txt")):sub(1, 1024)))

local function eval(...)
  return support.bittern(home, { "eval", ... })
end

describe("bittern eval", function()
  it("prints JSON with the five keys", function()
    local done = eval(support.model, "--text", text, "--json")
    assert.equal(0, done.status)
    local result = json.decode(done.stdout)
    assert.equal(2, result.scored_docs)
    assert.equal(1022, result.token_count)
    assert.equal(2428672, result.parameter_count)
    -- The first two documents of expected.json.
    assert.near((818.642569 + 832.314664) / 1022, result.heldout_cross_entropy_nats, 1e-4)
    assert.near(math.exp(result.heldout_cross_entropy_nats), result.heldout_ppl, 1e-9)
    assert.equal("", done.stderr)
  end)

  it("prints a line for each of them", function()
    local done = eval(support.model, "--text", text, "--max-tokens", "16", "--threads", "1")
    assert.equal(0, done.status)
    assert.matches("^heldout_ppl=%d+%.%d%d%d%d%d%d\nheldout_cross_entropy_nats=%d%.%d+\n"
      .. "token_count=960\nscored_docs=64\nparameter_count=2428672\n"
      .. "standard_error_nats=0%.%d+\nstandard_error_ppl=%d+%.%d+\n$", done.stdout)
  end)

  it("cuts by lines or takes the file as one document", function()
    local by_file = eval(support.model, "--text", text, "--documents", "file", "--json")
    assert.equal(511, json.decode(by_file.stdout).token_count)
    local by_lines = eval(support.model, "--text", text, "--documents", "lines", "--json")
    assert.is_true(json.decode(by_lines.stdout).scored_docs > 10)
  end)

  it("shows the documents that it scored", function()
    local done = eval(support.model, "--text", text, "--max-tokens", "64", "--limit", "3",
      "--seed", "1", "--per-document")
    assert.equal(0, done.status)
    assert.matches("DOCUMENT  TOKENS      NATS  PERPLEXITY\n +%d+ +63 +%d%.%d+ +%d+%.%d+\n",
      done.stdout)
    assert.equal("3 of 16 documents\n", done.stderr)
    local as_json = eval(support.model, "--text", text, "--max-tokens", "64", "--mode", "llama",
      "--per-document", "--json")
    local result = json.decode(as_json.stdout)
    assert.equal("llama", result.mode)
    assert.same({ 1, 31 }, { result.documents[1].document, result.documents[1].tokens })
  end)

  it("compares with a reference", function()
    local done = eval(support.model, "--text", text, "--limit", "1", "--reference", support.model)
    assert.equal(0, done.status)
    assert.matches("reference_heldout_ppl=%d.*lost_nats=0.000000\ndivergence_nats=0.000000\n"
      .. "top1_agreement=1.000000\n$", done.stdout)
  end)

  it("keeps what it measured until artifact, text or settings change", function()
    local folder = home .. "/cached"
    assert(fs.mkdir(folder))
    for _, name in ipairs { "config.json", "model.safetensors" } do
      assert(fs.write(folder .. "/" .. name, assert(fs.read(support.model .. "/" .. name))))
    end
    local short = home .. "/short"
    assert(fs.write(short, "some text to score\nand more"))
    local function run(...)
      local done = eval(folder, "--text", short, "--json", ...)
      assert.equal(0, done.status, done.stderr)
      return done.stdout, done.stderr:find("measured before", 1, true) ~= nil
    end
    local first, before = run()
    assert.is_false(before)
    local again, known = run()
    assert.is_true(known)
    assert.equal(first, again)
    assert.is_false(select(2, run("--no-cache")))
    assert.is_false(select(2, run("--documents", "lines")))
    assert(fs.write(short, "another text to score"))
    assert.is_false(select(2, run()))
    assert(fs.write(folder .. "/notes", "a file more is another artifact"))
    assert.is_false(select(2, run()))
    local ledger <close> = assert(ledgers.open(home .. "/.local/state/bittern/ledger.db"))
    local row = ledger:scores()[1]
    assert.equal(folder, row.model)
    assert.near(json.decode(first).heldout_cross_entropy_nats,
      ledger:query("SELECT nats FROM scores WHERE model = ? ORDER BY id", folder)[1].nats, 1e-12)
    assert.equal(2428672, row.parameters)
  end)

  it("refuses wrong arguments", function()
    for _, case in ipairs {
      { { support.model }, "missing option '%-%-text'" },
      { { "--text", text }, "missing argument 'model'" },
      { { support.model, "--text", text, "--max-tokens", "1" }, "whole number in 2..1048576" },
      { { support.model, "--text", text, "--max-tokens", "9999999" }, "whole number in" },
      { { support.model, "--text", text, "--threads", "0" }, "whole number in 1..256" },
      { { support.model, "--text", text, "--documents", "words" }, "documents" },
      { { support.model, "--text", text, "--until-se", "0" }, "number of nats above 0" },
      { { support.model, "--text", text, "--seed", "1" }, "give both" },
      { { support.model, "--text", text, "--stride", "8" }, "is for %-%-mode stride" },
    } do
      local done = eval(table.unpack(case[1]))
      assert.equal(2, done.status)
      assert.matches(case[2], done.stderr)
      assert.equal("", done.stdout)
    end
  end)

  it("says that weights alone, without their config, cannot be scored", function()
    local alone = support.model .. "/model.safetensors"
    local done = support.bittern(home, { "eval", alone, "--text", support.model .. "/heldout.txt" })
    assert.equal(1, done.status)
    assert.matches(alone .. ": has no config.json beside its weights", done.stderr, 1, true)
    assert.is_nil(done.stderr:find("nil"))
  end)

  it("says what is missing", function()
    local done = eval(support.model, "--text", home .. "/none")
    assert.equal(7, done.status)
    assert.matches("/none: No such file", done.stderr)
    done = eval(home, "--text", text)
    assert.equal(1, done.status)
    assert.matches(": no config.json", done.stderr)
    done = eval(home .. "/none", "--text", text, "--json")
    assert.equal(7, done.status)
    assert.equal("not_found", json.decode(done.stdout).error.id)
    assert(fs.write(home .. "/empty", "x"))
    done = eval(support.model, "--text", home .. "/empty")
    assert.equal(3, done.status)
    assert.matches("nothing to score", done.stderr)
  end)

  it("stops at once when interrupted", function()
    -- One document of 2^20 tokens would take minutes.
    local long = home .. "/long"
    assert(fs.write(long, ("x"):rep(1 << 18)))
    local child <close> = assert(process.spawn {
      argv = { support.bin, "eval", support.model, "--text", long, "--max-tokens", "262144" },
      env = support.environment(home), stdout = "null", stderr = "null",
    })
    sys.sleep(0.7)
    local from = sys.clock()
    os.execute("kill -INT " .. child:pid())
    local done = assert(child:wait(20))
    assert.equal(130, done.status)
    assert.is_true(sys.clock() - from < 3)
  end)
end)
