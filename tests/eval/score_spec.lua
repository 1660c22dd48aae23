local buffer = require "core.buffer"
local fs = require "core.fs"
local json = require "bittern.json"
local load = require "bittern.eval.load"
local model = require "bittern.model"
local score = require "bittern.eval.score"
local support = require "tests.support"

local expected = json.decode(assert(fs.read(support.model .. "/expected.json")))
local text = assert(fs.read(support.model .. "/heldout.txt"))

-- A copy of the shipped model whose config is changed.
local function model_with(changes)
  local folder = support.folder()
  local config = json.decode(assert(fs.read(support.model .. "/config.json")))
  for key, value in pairs(changes) do config[key] = value end
  assert(fs.write(folder .. "/config.json", json.encode(config)))
  assert(fs.write(folder .. "/model.safetensors",
    assert(fs.read(support.model .. "/model.safetensors"))))
  return folder
end

describe("bittern.eval.score", function()
  it("reproduces the exact scores of the shipped model", function()
    local seen, total
    local result = assert(score.score {
      model = support.model, text = text,
      on_progress = function(done, all)
        assert.is_true(done > (seen or 0))
        seen, total = done, all
      end,
    })
    assert.near(expected.heldout_cross_entropy_nats, result.heldout_cross_entropy_nats, 1e-5)
    assert.near(expected.heldout_ppl, result.heldout_ppl, 1e-4)
    assert.equal(expected.token_count, result.token_count)
    assert.equal(expected.scored_docs, result.scored_docs)
    assert.equal(expected.parameter_count, result.parameter_count)
    assert.equal(expected.token_count, seen)
    assert.equal(seen, total)
  end)

  it("divides the sums once, over all targets", function()
    local opened <close> = assert(model.open(support.model))
    local function sum_of(piece, documents)
      local r = assert(score.score { model = opened, text = piece, documents = documents })
      return r.heldout_cross_entropy_nats * r.token_count, r.token_count
    end
    local first, n = sum_of("a long first line", "file")
    local second, m = sum_of("two", "file")
    local both, all = sum_of("a long first line\ntwo\n", "lines")
    assert.equal(n + m, all)
    assert.near(first + second, both, 1e-4)
  end)

  it("gives the same result whatever the threads", function()
    local results = {}
    for threads = 1, 3 do
      results[threads] = assert(score.score {
        model = support.model, text = text:sub(1, 2000), max_tokens = 64, threads = threads,
      })
    end
    assert.same(results[1], results[2])
    assert.same(results[1], results[3])
  end)

  it("stops once the answer is precise enough, whatever the threads", function()
    local function run(threads, until_se)
      return assert(score.score { model = support.model, text = text, max_tokens = 64,
        threads = threads, until_se = until_se })
    end
    local one, three = run(1, 0.2), run(3, 0.2)
    assert.same(one, three)
    assert.is_true(one.standard_error_nats <= 0.2 and one.scored_docs < one.all_docs)
    assert.is_true(one.scored_docs >= 8)
    assert.is_true(run(2, 0.05).scored_docs > one.scored_docs)
  end)

  it("scores the documents that limit and seed name", function()
    local function run(options)
      options.model, options.text, options.max_tokens = support.model, text:sub(1, 4096), 64
      options.per_document = true
      return assert(score.score(options))
    end
    local all, few = run {}, run { limit = 3, seed = 7 }
    assert.equal(64, #all.documents)
    assert.equal(3, few.scored_docs)
    assert.equal(64, few.all_docs)
    local sum = 0.0
    for _, one in ipairs(few.documents) do
      assert.near(all.documents[one.document].nats, one.nats, 1e-7)
      sum = sum + one.nats * one.tokens
    end
    assert.near(sum / few.token_count, few.heldout_cross_entropy_nats, 1e-9)
    local drawn, other = {}, {}
    for i, one in ipairs(few.documents) do drawn[i] = one.document end
    for i, one in ipairs(run { limit = 3, seed = 8 }.documents) do other[i] = one.document end
    assert.are_not.same(drawn, other)
    assert.equal(3, run { limit = 3 }.documents[3].document)
  end)

  it("scores the second half of llama.cpp's chunks, and each target of windows once", function()
    local piece = text:sub(1, 200)
    local opened <close> = assert(model.open(support.model))
    local read = assert(load.read(opened))
    local runnable = assert(load.start(read))
    local function sum(first, last, from) -- of the targets from `from` on, bytes counted from 1
      local nll = assert(runnable:score(buffer.from_bytes(piece:sub(first, last), 1)))
      return nll:view(from, #nll - from):sum(), #nll - from
    end
    local function mean(parts)
      local all, count = 0.0, 0
      for _, part in ipairs(parts) do
        local value, n = sum(table.unpack(part))
        all, count = all + value, count + n
      end
      return all / count, count
    end
    local llama = assert(score.score { model = opened, text = piece, mode = "llama",
      max_tokens = 64 })
    local expected_mean, count = mean { { 1, 64, 32 }, { 65, 128, 32 }, { 129, 192, 32 } }
    assert.equal(3 * 31, llama.token_count)
    assert.equal(count, llama.token_count)
    assert.near(expected_mean, llama.heldout_cross_entropy_nats, 1e-9)
    local stride = assert(score.score { model = opened, text = piece, mode = "stride",
      max_tokens = 100, stride = 60 })
    expected_mean, count = mean { { 1, 100, 0 }, { 61, 160, 39 }, { 121, 200, 39 } }
    assert.equal(199, stride.token_count)
    assert.equal(count, stride.token_count)
    assert.near(expected_mean, stride.heldout_cross_entropy_nats, 1e-9)
  end)

  it("refuses what it cannot score", function()
    for _, case in ipairs {
      { "x", "validator", "no document of the text has two tokens" },
      { "", "validator", "the text is empty" }, { "x", "stride", "fewer than two tokens" },
      { ("x"):rep(511), "llama", "shorter than one chunk of 512 tokens" },
      { "ok \xFF", "validator", "the text is not UTF%-8: byte 4" },
    } do
      local result, message, code = score.score {
        model = support.model, text = case[1], mode = case[2],
      }
      assert.is_nil(result)
      assert.matches(case[3], message)
      assert.equal("config", code)
    end
  end)

  it("names the model at fault", function()
    local cases = {
      { { model_type = "mamba" }, "model_type 'mamba' is not supported", "unsupported" },
      { { vocab_size = 261 }, "is [260, 256], the config needs [261, 256]", "invalid_model" },
      { { num_hidden_layers = 5 }, "no tensor 'model.layers.4.", "invalid_model" },
      { { head_dim = 7 }, "head_dim must be even", "invalid_model" },
    }
    for _, case in ipairs(cases) do
      local folder = model_with(case[1])
      local result, message, code = score.score { model = folder, text = "some text" }
      assert.is_nil(result)
      assert.equal(folder, message:sub(1, #folder))
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.equal(case[3], code)
    end
    local _, message, code = score.score { model = "/nowhere", text = "ab" }
    assert.matches("^/nowhere: ", message)
    assert.equal("not_found", code)
  end)

  it("refuses options that do not exist", function()
    local function refuses(options, says)
      assert.error_matches(function() score.score(options) end, says)
    end
    refuses({ model = "x", text = "", document = "lines" }, "did you mean 'documents'")
    refuses({ model = "x", text = "", mode = "word" },
      "mode is one of llama, stride, validator")
    refuses({ model = "x", text = "", mode = "word" }, "mode is one of llama, stride, validator")
    refuses({ model = "x", text = "", stride = 600 }, "stride must lie in")
    refuses({ model = "x", text = "", max_tokens = 1 }, "at least 2")
    refuses({ text = "" }, "'model' is missing")
  end)
end)
