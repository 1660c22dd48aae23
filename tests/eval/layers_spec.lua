local fs = require "core.fs"
local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local ledgers = require "bittern.ledger"
local layers = require "bittern.eval.layers"
local score = require "bittern.eval.score"
local support = require "tests.support"

local text = assert(fs.read(support.model .. "/heldout.txt")):sub(1, 512)
local home = support.folder()

-- Only this matrix is packed, in the coarsest way.
local recipe = home .. "/one.lua"
assert(fs.write(recipe, [[return { api = 1, about = "two matrices", tensor = function(ctx, t)
  if t.name == "model.layers.1.mlp.down_proj.weight" then
    return ctx.lowbit { codec = "b1", group = "row" }
  end
  if t.name == "model.layers.0.self_attn.k_proj.weight" then return ctx.q4() end
  return ctx.keep()
end }]]))
assert(engine.run { model = support.model, recipe = recipe, out = home .. "/out" })

local function measure(model, base, limit)
  return layers.measure { model = model, base = base, text = text, mode = "validator",
    documents = "tokens", max_tokens = 128, limit = limit, tokenizer = "auto", threads = 2 }
end

describe("bittern.eval.layers", function()
  it("tells what each packed matrix alone costs, the costliest first", function()
    local result = assert(measure(home .. "/out", support.model))
    local function nats(model)
      return assert(score.score { model = model, text = text,
        max_tokens = 128 }).heldout_cross_entropy_nats
    end
    local dense, both = nats(support.model), nats(home .. "/out")
    assert.near(dense, result.base_nats, 1e-9)
    assert.same({ 4, 508, 2 }, { result.scored_docs, result.token_count, #result.tensors })
    local first, second = result.tensors[1], result.tensors[2]
    assert.equal("model.layers.1.mlp.down_proj.weight", first.name)
    assert.equal("b1", first.codec)
    assert.equal("q4", second.codec)
    assert.is_true(first.lost_nats > 0.01 and first.lost_nats > second.lost_nats)
    assert.is_true(first.lost_error_nats > 0)
    -- q4 of one small matrix hardly matters, so the two together cost what the first one does.
    assert.near(both - dense, first.lost_nats, math.abs(second.lost_nats) + 0.01)
  end)

  it("goes on from what an earlier run has measured, to the same", function()
    local function run(options)
      local all = { model = home .. "/out", base = support.model, text = text,
        mode = "validator", documents = "tokens", max_tokens = 128, tokenizer = "auto",
        threads = 2 }
      for key, value in pairs(options) do all[key] = value end
      return layers.measure(all)
    end
    local known, count = nil, 0
    local function keep(now)
      known, count = json.decode(json.encode(now)), count + 1
      if count == 2 then error("stopped") end
    end
    assert.has_error(function() run { keep = keep } end)
    assert.same({ 1, 4 }, { #require("bittern.check").sorted_keys(known.tensors), #known.base })
    local rest = assert(run { known = known, keep = function() count = count + 1 end })
    assert.equal(3, count)
    assert.same(assert(run {}), rest)
  end)

  it("is printed as a table by eval --by-layer", function()
    assert(fs.write(home .. "/text", text))
    local function eval(...)
      return support.bittern(home, { "eval", home .. "/out", "--text", home .. "/text",
        "--max-tokens", "128", "--limit", "1", "--by-layer", ... })
    end
    local done = eval(support.model)
    assert.equal(0, done.status, done.stderr)
    assert.matches("^TENSOR +CODEC +RESCUED +LOST +ERROR\nmodel.layers.1.mlp.down_proj.weight +b1",
      done.stdout)
    assert.matches("1 documents, 127 tokens; the base costs %d", done.stderr)
    local tensors = json.decode(eval(support.model, "--json").stdout).tensors
    assert.equal(2, #tensors)
    local ledger <close> = assert(ledgers.open(home .. "/.local/state/bittern/ledger.db"))
    local kept = assert(ledger:query "SELECT * FROM costs ORDER BY lost DESC")
    assert.same({ tensors[1].name, tensors[1].lost_nats, support.model, 2 },
      { kept[1].name, kept[1].lost, kept[1].base, #kept })
    -- Two matrices and the base are measured once.
    assert.matches("goes on from what was measured before", eval(support.model).stderr)
    assert.is_nil(eval(support.model, "--no-cache").stderr:find("measured before"))
    done = eval(support.model, "--reference", support.model)
    assert.equal(2, done.status)
    assert.matches("goes without %-%-reference", done.stderr)
  end)

  it("refuses models of which nothing can be told", function()
    local result, message, code = measure(support.model, support.model)
    assert.is_nil(result)
    assert.matches("holds no packed matrix", message)
    assert.equal("invalid_artifact", code)
    assert.equal("not_found", select(3, measure(home .. "/out", home .. "/none")))
  end)
end)
