-- Tests of mode speedup, from a file to an accepted submission:
--   bittern test examples/speedup/modes/speedup.lua
local test = require "bittern.testing"

-- A submission with so many layers; the benchmark measures 32/layers, and 10 + lost/16.
local function submission(layers, more)
  local fields = { execution_log = "1 core, 3 runs",
    claimed_metrics = { speedup = 32 / layers, heldout_ppl = 10 + (32 - layers) / 16 } }
  for name, value in pairs(more or {}) do fields[name] = value end
  return { files = { ["settings.sh"] = ("layers=%d\n"):format(layers) }, fields = fields }
end

describe("mode speedup", function()
  local practice
  setup(function()
    practice = test.practice { task = "tasks/speedup/task.json", repository = "tasks/speedup/repo" }
  end)

  local function refused(more, words)
    local record, why, code = practice:submit(submission(28, more))
    assert.same({ nil, "rejected" }, { record, code })
    assert.is_truthy(why:find(words, 1, true), why)
  end

  it("asks for the machine and both metrics", function()
    refused({ execution_log = "" }, "execution_log is missing")
    refused({ claimed_metrics = { speedup = 2.0 } }, "claimed_metrics lacks heldout_ppl")
  end)

  it("lets the fastest win whose quality stays", function()
    local try = function(layers) return assert(practice:try(submission(layers))) end
    assert.equal(try(28).id, practice:best()) -- speedup 1.143, perplexity 10.25: the first
    assert.not_equal(try(27).id, practice:best()) -- 1.185 is no 5 % above it
    local best = try(25)
    assert.equal(best.id, practice:best()) -- 1.28
    assert.equal(10.4375, best.observed_metrics.heldout_ppl)
    assert.not_equal(try(16).id, practice:best()) -- 2.0, but perplexity 11 is above 10.5
  end)
end)
