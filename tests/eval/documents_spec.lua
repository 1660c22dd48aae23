local documents = require "bittern.eval.documents"
local tokenizer = require "bittern.tokenizer"

local bytes = tokenizer.bytes()

-- The pieces as text, each with the first target that is scored.
local function pieces(text, settings, with)
  settings.mode, settings.max_tokens = settings.mode or "validator", settings.max_tokens or 4
  local list, all = documents.of(text, with or bytes, settings)
  assert(list, all)
  local out = {}
  for i, document in ipairs(list) do
    local parts = {}
    for j = 0, #document.tokens - 1 do parts[j + 1] = bytes.text(document.tokens:get(j)) end
    out[i] = table.concat(parts) .. (document.from > 0 and " from " .. document.from or "")
    assert.equal(#document.tokens - 1 - document.from, document.targets)
  end
  return out, all
end

describe("bittern.eval.documents", function()
  it("cuts documents by tokens, by lines or not at all", function()
    assert.same({ "0123", "4567", "89" }, pieces("0123456789", { documents = "tokens" }))
    assert.same({ "0123", "4567" }, pieces("012345678", { documents = "tokens" }))
    assert.same({ "abc", "efgh" }, pieces("abc\n\nd\nefghijk\n", { documents = "lines" }))
    assert.same({ "0123" }, pieces("0123456789", { documents = "file" }))
  end)

  it("takes whole chunks, and windows that reach new targets", function()
    assert.same({ "0123 from 2", "4567 from 2" }, pieces("0123456789", { mode = "llama" }))
    assert.same({ "0123", "2345 from 1", "4567 from 1", "6789 from 1" },
      pieces("0123456789", { mode = "stride", stride = 2 }))
    assert.same({ "0123", "3456", "678" },
      pieces("012345678", { mode = "stride", stride = 3 }))
    assert.same({ "012" }, pieces("012", { mode = "stride", stride = 3 }))
  end)

  it("begins documents and chunks with the token that texts begin with", function()
    local with = { name = "t", first = { 34 }, encode = bytes.encode, text = bytes.text } -- "!"
    assert.same({ "!012", "!345" }, pieces("012345", { documents = "tokens" }, with))
    assert.same({ "!ab", "!cde" }, pieces("ab\ncdefg", { documents = "lines" }, with))
    assert.same({ "!012 from 2", "!456 from 2" }, pieces("0123456", { mode = "llama" }, with))
    assert.same({ "!012", "1234 from 1" }, pieces("01234", { mode = "stride", stride = 2 }, with))
  end)

  it("draws as many documents as it may, in their order", function()
    local text = ("0123456789"):rep(10)
    local first, all = pieces(text, { documents = "tokens", limit = 2 })
    assert.same({ "0123", "4567" }, first)
    assert.equal(25, all)
    local settings = { mode = "validator", documents = "tokens", max_tokens = 4, limit = 5,
      seed = 3 }
    local numbers = {}
    for i, one in ipairs(documents.of(text, bytes, settings)) do
      numbers[i] = one.number
      assert.is_true(i == 1 or numbers[i - 1] < one.number)
    end
    assert.equal(5, #numbers)
    for i, one in ipairs(documents.of(text, bytes, settings)) do
      assert.equal(numbers[i], one.number)
    end
  end)

  it("refuses tokens that the model does not know", function()
    local list = documents.of("ab\u{E9}", bytes,
      { mode = "validator", documents = "file", max_tokens = 8 })
    local function check(vocab, most_tokens)
      return documents.check(list, bytes, { vocab = vocab,
        description = { most_tokens = most_tokens } })
    end
    assert.is_true(check(257))
    assert.is_true(check(257, 4))
    assert.matches("document 1 has 4 tokens, the model knows 3 positions; give %-%-max%-tokens 3",
      select(2, check(257, 3)))
    local ok, message, code = check(100)
    assert.is_nil(ok)
    assert.matches("document 1, position 2: token 196 .* not below the model's vocabulary of 100",
      message)
    assert.equal("invalid_model", code)
  end)
end)
