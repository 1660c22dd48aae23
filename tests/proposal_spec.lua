local proposal = require "bittern.proposal"
local script = require "bittern.script"

describe("proposal", function()
  it("says what was measured, with the recipe's settings in order", function()
    assert.equal("Bittern recipe rowmix (base=b1, keep=norm,bias): 2,428,672 parameters in 398,411 "
      .. "bytes (1.3124 bits a parameter); perplexity 7.9265 on 32,704 tokens of heldout.txt, "
      .. "dense 4.7626.", proposal.summary {
        recipe = "rowmix", settings = { keep = { "norm", "bias" }, base = "b1" }, size = 398411,
        bits = 1.31236, text = "heldout.txt",
        packed = { parameter_count = 2428672, heldout_ppl = 7.92653, token_count = 32704 },
        dense = { heldout_ppl = 4.76258 },
      })
  end)

  it("makes an idea of the recipe", function()
    assert.equal("Recipe rowmix (base=t5): low-bit rows.",
      proposal.idea({ name = "rowmix", about = "low-bit rows" }, { base = "t5" }))
    assert.equal("Recipe x: y.", proposal.idea({ name = "x", about = "y" }, {}))
  end)

  it("fills a mode's own fields and no other mode's", function()
    local ideas = {
      { id = "s1", miner_hotkey = "5Me", proposed_idea = "mine" },
      { id = "s2", miner_hotkey = "5You", proposed_idea = "yours" },
    }
    local options = { idea = "an idea", submissions = ideas, hotkey = "5Me" }
    assert.same({}, proposal.mode_fields(script.find("mode", "standard"), options))
    local centerless = script.find("mode", "centerless")
    assert.same({ proposed_idea = "an idea", implemented_submission_id = "s2" },
      proposal.mode_fields(centerless, options))
    options.implements = "s9"
    assert.equal("s9", proposal.mode_fields(centerless, options).implemented_submission_id)
    options.implements, options.submissions = nil, {}
    assert.same({ proposed_idea = "an idea" }, proposal.mode_fields(centerless, options))
  end)

  it("knows our earlier submission of the same bytes, unless it was refused", function()
    local ctx = { hotkey = "5Me" }
    local function twin(status, who)
      local earlier = {
        id = "s", status = status, miner_hotkey = who or "5Me", artifact_sha256 = "aa",
      }
      return proposal.twin(ctx, { earlier }, "aa")
    end
    assert.equal("s", twin("accepted").id)
    assert.equal("s", twin("pending_verification").id)
    assert.is_nil(twin("rejected"))
    assert.is_nil(twin("error"))
    assert.is_nil(twin("accepted", "5You"))
    assert.is_nil(proposal.twin(ctx, nil, "aa"))
  end)

  it("keeps claim and patch out of the sidecar", function()
    assert.same({ summary = "s" },
      proposal.sidecar { summary = "s", claim_id = "c", patch = "" })
  end)
end)
