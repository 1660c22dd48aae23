local fs = require "core.fs"
local engine = require "bittern.compress.engine"
local score = require "bittern.eval.score"
local support = require "tests.support"

local text = assert(fs.read(support.model .. "/heldout.txt")):sub(1, 1024)
local folder = support.folder()
assert(engine.run { model = support.model, recipe = "rowmix", budget = "binary",
  out = folder .. "/out" })

local function compare(model, reference, options)
  local all = { model = model, text = text, max_tokens = 128, reference = reference }
  for key, value in pairs(options or {}) do all[key] = value end
  return score.score(all)
end

describe("bittern.eval.compare", function()
  it("finds nothing between a model and itself", function()
    local found = assert(compare(support.model, support.model)).reference
    assert.equal(0, found.lost_nats)
    assert.equal(0, found.divergence_nats)
    assert.equal(1, found.top1_agreement)
    assert.same({}, found.worst)
  end)

  it("tells what compression costs, and where", function()
    local result = assert(compare(folder .. "/out", support.model))
    local alone, dense = assert(compare(folder .. "/out")), assert(compare(support.model))
    local found = result.reference
    assert.near(alone.heldout_cross_entropy_nats, result.heldout_cross_entropy_nats, 1e-5)
    assert.near(dense.heldout_cross_entropy_nats, found.heldout_cross_entropy_nats, 1e-5)
    assert.near(result.heldout_cross_entropy_nats - found.heldout_cross_entropy_nats,
      found.lost_nats, 1e-9)
    assert.is_true(found.divergence_nats > 0.01 and found.top1_agreement < 1)
    assert.is_true(found.lost_error_nats > 0 and found.divergence_error_nats > 0)
    assert.equal(20, #found.worst)
    for i, one in ipairs(found.worst) do
      assert.near(one.nats - one.reference_nats, one.lost_nats, 1e-6)
      assert.is_true(i == 1 or one.lost_nats <= found.worst[i - 1].lost_nats)
      local at = (one.document - 1) * 128 + one.position + 1 -- of its byte in the text
      assert.equal(text:sub(at, at), one.token)
      assert.equal(text:sub(math.max(at - one.position, at - 12), at - 1), one.before)
    end
  end)

  it("leaves out what is not scored", function()
    local result = assert(compare(folder .. "/out", support.model, { mode = "llama" }))
    assert.equal(8 * 63, result.token_count)
    for _, one in ipairs(result.reference.worst) do assert.is_true(one.position >= 65) end
  end)

  it("names the reference that cannot be run", function()
    local result, message, code = compare(support.model, folder .. "/none")
    assert.is_nil(result)
    assert.matches("/none: ", message)
    assert.equal("not_found", code)
  end)
end)
