local track = require "bittern.track"

-- A context whose clock only moves by sleeping, and a client that answers one detail a time.
local function context(answers)
  local ctx = { now = 0, said = {}, warned = {}, asked = 0 }
  function ctx.clock() return ctx.now end
  function ctx.sleep(seconds)
    ctx.now = ctx.now + math.max(seconds, 1e-3)
    return true
  end
  ctx.report = {
    say = function(text) ctx.said[#ctx.said + 1] = text end,
    warn = function(text) ctx.warned[#ctx.warned + 1] = text end,
    detail = function() end,
    clean = function(text) return (tostring(text):gsub("%c", "")) end,
  }
  local function answer()
    ctx.asked = ctx.asked + 1
    local now = answers[math.min(ctx.asked, #answers)]
    if now.code then return nil, now.message, now.code end
    return now
  end
  ctx.client = {
    detail = function() return answer() end,
    submission = function() return nil, "no such submission", "not_found" end,
    verifications = function() return {} end,
  }
  return ctx
end

local function detail(status, verifications)
  return { submission = { id = "s1", status = status }, verifications = verifications or {} }
end

local function verification(status, notes)
  return {
    id = "v1", validator_hotkey = "5Validator", status = status, notes = notes,
    observed_metrics = { heldout_ppl = 7.5 },
  }
end

describe("track", function()
  it("ends with the detail when it is accepted and says what validators noted, once", function()
    local good = verification("accepted", "replay succeeded")
    local ctx = context {
      detail("pending_verification"), detail("pending_verification", { good }),
      detail("accepted", { good }),
    }
    local final = assert(track.follow(ctx, "s1", 60))
    assert.equal("accepted", final.submission.status)
    assert.same({
      "    submission s1: pending_verification",
      "    validator 5Validator: accepted; heldout_ppl 7.5; replay succeeded",
      "    submission s1: pending_verification -> accepted",
    }, ctx.said)
  end)

  for _, status in ipairs { "rejected", "error" } do
    it("fails with the validator's words when it is " .. status, function()
      local ctx = context { detail(status, { verification(status, "size mismatch: got 6") }) }
      local final, message, code, last = track.follow(ctx, "s1", 60)
      assert.is_nil(final)
      assert.matches("size mismatch: got 6", message)
      assert.equal("rejected", code)
      assert.equal(status, last.submission.status)
    end)
  end

  it("is still pending when the time is up", function()
    local ctx = context { detail("pending_verification") }
    local final, message, code = track.follow(ctx, "s1", 20)
    assert.is_nil(final)
    assert.equal("pending", code)
    assert.matches("pending_verification after 20 s", message)
    assert.is_true(ctx.now <= 20.1)
    assert.is_true(ctx.asked < 20, "it must back off")
  end)

  it("keeps polling on a status it does not know", function()
    local ctx = context { detail("in_review"), detail("accepted") }
    assert.is_truthy(track.follow(ctx, "s1", 60))
  end)

  it("asks again while the coordinator fails, and warns once", function()
    local down = { code = "server_error", message = "502" }
    local ctx = context { down, down, down, detail("accepted") }
    ctx.client.submission = function() return nil, "502", "server_error" end
    assert.is_truthy(track.follow(ctx, "s1", 60))
    assert.same({ "submission s1: 502; asking again" }, ctx.warned)
  end)

  it("stops at once for what no waiting cures", function()
    local ctx = context { { code = "not_found", message = "no such submission" } }
    local final, message, code = track.follow(ctx, "s1", 60)
    assert.is_nil(final)
    assert.equal("not_found", code)
    assert.matches("s1: no such submission", message)
    assert.equal(1, ctx.asked)
  end)

  it("does not ask again for want of a key, but does when the network fails", function()
    local ctx = context { { code = "unauthorized", message = "sign" } }
    ctx.client.submission = function() return nil, "name a hotkey", "key_missing" end
    assert.equal("key_missing", select(3, track.follow(ctx, "s1", 60)))
    assert.equal(1, ctx.asked)
    ctx = context { { code = "network", message = "cut off" }, detail("accepted") }
    ctx.client.submission = function() return nil, "cut off", "network" end
    assert.is_truthy(track.follow(ctx, "s1", 60))
  end)

  it("reads the plain record where the detail is closed to us", function()
    local ctx = context { { code = "unauthorized", message = "not yours" } }
    ctx.client.submission = function() return { id = "s1", status = "accepted" } end
    ctx.client.verifications = function() return { verification("accepted", "fine") } end
    assert.equal("accepted", assert(track.follow(ctx, "s1", 60)).submission.status)
    assert.matches("fine", ctx.said[1])
  end)

  it("ends when it is interrupted", function()
    local ctx = context { detail("pending_verification") }
    ctx.sleep = function() return nil, "interrupted", "interrupted" end
    assert.equal("interrupted", select(3, track.follow(ctx, "s1", 60)))
  end)
end)
