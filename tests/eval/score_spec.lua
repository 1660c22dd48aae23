local fs = require "core.fs"
local json = require "bittern.json"
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

local function lengths(...)
  local list = {}
  for i, tokens in ipairs(score.documents(...)) do list[i] = #tokens end
  return list
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
    assert.near(expected.heldout_cross_entropy_nats, result.heldout_cross_entropy_nats, 1e-4)
    assert.near(expected.heldout_ppl, result.heldout_ppl, 1e-3)
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

  it("cuts documents by bytes, by lines or not at all", function()
    assert.same({ 4, 4, 2 }, lengths("0123456789", "bytes", 4))
    assert.same({ 4, 4 }, lengths("012345678", "bytes", 4))
    assert.same({ 3, 4 }, lengths("abc\n\nd\nefghijk\n", "lines", 4))
    assert.same({ 4 }, lengths("0123456789", "file", 4))
    assert.same({}, lengths("", "file", 4))
    local tokens = score.documents("a\0\255", "file", 4)[1]
    assert.same({ 98, 1, 256 }, { tokens:get(0), tokens:get(1), tokens:get(2) })
  end)

  it("says when there is nothing to score", function()
    for _, documents in ipairs { "bytes", "lines", "file" } do
      local result, message, code = score.score {
        model = support.model, text = "x", documents = documents,
      }
      assert.is_nil(result)
      assert.matches("no document of the text has two tokens", message)
      assert.equal("config", code)
    end
  end)

  it("names the model at fault", function()
    local cases = {
      { { model_type = "llama" }, "model_type 'llama' is not supported", "unsupported" },
      { { vocab_size = 261 }, "has 66560 elements, the config needs 66816", "invalid_model" },
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
    refuses({ model = "x", text = "", documents = "words" }, "bytes, lines or file")
    refuses({ model = "x", text = "", max_tokens = 1 }, "at least 2")
    refuses({ text = "" }, "'model' is missing")
  end)
end)
