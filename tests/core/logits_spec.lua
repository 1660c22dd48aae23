local buffer = require "core.buffer"
local logits = require "core.logits"

local function f32(list)
  local out = buffer.new("f32", #list)
  for i, value in ipairs(list) do out:set(i - 1, value) end
  return out
end

-- Probabilities of a row of logits.
local function softmax(list, first, n)
  local out, sum = {}, 0
  for i = 1, n do sum = sum + math.exp(list[first + i]) end
  for i = 1, n do out[i] = math.exp(list[first + i]) / sum end
  return out
end

describe("core.logits", function()
  it("compares as the definitions say", function()
    local a = { 0.5, -1, 2, 0.25, 3, 3, -2, 1, 9, 9, 9, 9 }
    local b = { 0.75, -1.5, 1, 2.5, 3, 2, -2, 4, 1, 1, 1, 1 }
    local tokens = { 3, 2, 0 }
    local ids = buffer.from_bytes(string.char(table.unpack(tokens)))
    local seen = assert(logits.compare(ids, f32(a), f32(b), 4))
    assert.equal(2, #seen.divergence)
    for t = 0, 1 do
      local p, q, kl = softmax(a, 4 * t, 4), softmax(b, 4 * t, 4), 0
      for i = 1, 4 do kl = kl + p[i] * math.log(p[i] / q[i]) end
      assert.near(kl, seen.divergence:get(t), 1e-6)
      assert.near(-math.log(p[tokens[t + 2] + 1]), seen.reference:get(t), 1e-6)
      assert.near(-math.log(q[tokens[t + 2] + 1]), seen.other:get(t), 1e-6)
    end
    -- 2 against 3; then the first of two equal ones against the last.
    assert.same({ 0, 0 }, { seen.agree:get(0), seen.agree:get(1) })
    local same = assert(logits.compare(ids, f32(a), f32(a), 4))
    assert.same({ 0, 0, 1, 1 }, { same.divergence:get(0), same.divergence:get(1),
      same.agree:get(0), same.agree:get(1) })
  end)

  it("is not upset by large logits", function()
    local seen = assert(logits.compare(buffer.from_bytes "\0\1", f32 { 3e38, -3e38, 0, 0 },
      f32 { 3e38, -3e38, 0, 0 }, 2))
    assert.equal(0, seen.divergence:get(0))
    assert.equal(math.huge, seen.other:get(0))
  end)

  it("has nothing to say of fewer than two tokens", function()
    assert.equal(0, #logits.compare(buffer.from_bytes "", f32 {}, f32 {}, 4).agree)
    assert.equal(0, #logits.compare(buffer.from_bytes "\1", f32 { 1, 2 }, f32 { 1, 2 }, 2).agree)
  end)

  it("refuses what does not fit", function()
    local two = buffer.from_bytes "\0\1"
    local function wrong(says, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() logits.compare(table.unpack(arguments)) end, says)
    end
    wrong("must be %[tokens, vocabulary%]", two, f32 { 1, 2, 3 }, f32 { 1, 2, 3, 4 }, 2)
    wrong("must be %[tokens, vocabulary%]", two, f32 { 1, 2, 3, 4 }, f32 { 1 }, 2)
    wrong("outside of the vocabulary", buffer.from_bytes "\2", f32 { 1, 2 }, f32 { 1, 2 }, 2)
    wrong("out of range", two, f32 {}, f32 {}, 0)
    wrong("f32", two, two, two, 2)
  end)
end)
