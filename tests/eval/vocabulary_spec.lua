local fs = require "core.fs"
local json = require "bittern.json"
local models = require "bittern.model"
local support = require "tests.support"
local vocabulary = require "bittern.eval.vocabulary"

-- The 256 bytes' characters as GPT-2 writes them, then the words that merges make.
local function small_tokenizer(words, merges)
  local vocab, next_point = {}, 256
  for byte = 0, 255 do
    local printable = byte >= 33 and byte <= 126 or byte >= 161 and byte ~= 173
    vocab[utf8.char(printable and byte or next_point)] = byte
    if not printable then next_point = next_point + 1 end
  end
  for i, word in ipairs(words) do vocab[word] = 255 + i end
  return json.encode {
    model = { type = "BPE", vocab = vocab, merges = json.array(merges) },
    pre_tokenizer = { type = "ByteLevel", add_prefix_space = false, use_regex = true },
    added_tokens = json.array {},
  }
end

local function model_with(files, changes)
  local folder = support.folder()
  local config = json.decode(assert(fs.read(support.model .. "/config.json")))
  for key, value in pairs(changes or {}) do config[key] = value end
  assert(fs.write(folder .. "/config.json", json.encode(config)))
  assert(fs.write(folder .. "/model.safetensors",
    assert(fs.read(support.model .. "/model.safetensors"))))
  for name, text in pairs(files) do assert(fs.write(folder .. "/" .. name, text)) end
  return folder
end

local function choose(folder, wanted)
  local model <close> = assert(models.open(folder))
  return vocabulary.choose(model, wanted or "auto")
end

local tokenizer_json = small_tokenizer({ "th", "the" }, { "t h", "th e" })

describe("bittern.eval.vocabulary", function()
  it("takes bytes for a small vocabulary, and the model's own tokenizer.json", function()
    assert.equal("bytes", assert(choose(support.model)).name)
    local folder = model_with { ["tokenizer.json"] = tokenizer_json }
    local own = assert(choose(folder))
    assert.equal("tokenizer.json", own.name)
    local ids = assert(own.encode("the"))
    assert.same({ 1, 257 }, { #ids, ids:get(0) })
    assert.equal("bytes", assert(choose(folder, "bytes")).name)
    assert.equal("tokenizer.json",
      assert(choose(support.model, folder .. "/tokenizer.json")).name)
  end)

  it("asks for a tokenizer where bytes cannot be meant", function()
    local tokenizer, message, code = choose(model_with({}, { vocab_size = 151936 }))
    assert.is_nil(tokenizer)
    assert.matches("has 151936 tokens and no tokenizer.json; name one with %-%-tokenizer", message)
    assert.equal("unsupported", code)
  end)

  it("names the file that is none", function()
    local folder = model_with { ["tokenizer.json"] = "{" }
    local tokenizer, message, code = choose(folder)
    assert.is_nil(tokenizer)
    assert.equal(folder, message:sub(1, #folder))
    assert.equal("invalid_model", code)
    assert.equal("not_found", select(3, choose(support.model, folder .. "/none")))
  end)
end)
