-- What `bittern eval` says of texts and models that it cannot score: one line that names the place,
-- an exit code, nothing on stdout.
local fs = require "core.fs"

local json = require "bittern.json"
local made = require("tests.architectures").made
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()
local good = home .. "/text"
assert(fs.write(good, "some text to be scored"))

local function refused(status, pattern, model, text, ...)
  local path = good
  if text then
    path = home .. "/other"
    assert(fs.write(path, text))
  end
  local done = support.bittern(home, { "eval", model, "--text", path, ... })
  assert.equal(status, done.status, done.stderr)
  assert.equal("", done.stdout)
  assert.matches(pattern, done.stderr)
  assert.is_nil(done.stderr:find("traceback"), done.stderr)
end

-- A random Llama of 90 tokens, changed.
local function model_with(change)
  local dir, _, _, tensors, config = made "llama"
  for _, tensor in ipairs(tensors) do change(tensor, config) end
  return small_model.write(tensors, { config = config, dir = dir })
end

-- The same with a number that is none at the head of a tensor.
local function broken(name)
  return model_with(function(tensor, config)
    config.tie_word_embeddings = false
    if tensor.name == name then tensor.text = ("<f"):pack(0 / 0) .. tensor.text:sub(5) end
  end)
end

-- Bytes below 89, which that model knows.
local known = "SOME TEXT TO BE SCORED"

describe("bittern eval refuses", function()
  it("numbers that are not finite, naming layer and position", function()
    refused(1, "document 1, position 0: layer 1 gives numbers that are not finite",
      broken "model.layers.1.mlp.down_proj.weight", known)
    refused(1, "document 1, position 0: logits are not finite", broken "model.norm.weight", known)
    -- Token 0 + "E" + 1 is first seen at position 3.
    local dir = model_with(function(tensor)
      if tensor.name ~= "model.embed_tokens.weight" then return end
      local at = (("E"):byte() + 1) * 72 * 4
      tensor.text = tensor.text:sub(1, at) .. ("<f"):pack(math.huge) .. tensor.text:sub(at + 5)
    end)
    refused(1, "document 1, position 3: the embedding is not finite", dir, known)
  end)

  it("tokens that the model does not know", function()
    local dir = model_with(function() end)
    refused(1, "document 1, position 4: token 98 %('a'%) is not below the model's vocabulary of 90",
      dir, "SOMEa")
  end)

  it("texts that are empty, too short, or no UTF-8", function()
    refused(3, "the text is empty", support.model, "")
    refused(3, "no document of the text has two tokens", support.model, "x")
    refused(3, "the text is not UTF%-8: byte 4; convert it", support.model, "abc\xFFdef")
    refused(3, "shorter than one chunk of 512 tokens", support.model, "short", "--mode", "llama")
    refused(2, "Is a directory", support.model, nil,
      "--tokenizer", home)
  end)

  it("more tokens than the model has positions for", function()
    local dir = made "gpt2"
    refused(3, "document 1 has 64 tokens, the model knows 40 positions; give %-%-max%-tokens 40",
      dir, ("x"):rep(64))
    local done = support.bittern(home, { "eval", dir, "--text", home .. "/other", "--max-tokens",
      "40" })
    assert.equal(0, done.status, done.stderr)
  end)

  it("models that only a loader of their own can run", function()
    local function own(kind, names)
      return model_with(function(tensor, config)
        config.model_type = kind
        config.auto_map = { AutoModelForCausalLM = "modeling_own.Own" }
        if names then tensor.name = tensor.name .. ".theirs" end
      end)
    end
    refused(1, "model_type 'own' is not supported; these are: gpt2, llama, qwen3, qwen3_5; it "
      .. "brings its own loader %(auto_map%), which is not run here", own "own", known)
    refused(1, "no tensor 'model.embed_tokens.weight'; it brings its own loader",
      own("llama", true), known)
  end)

  it("configs that disagree with the weights, and absurd ones", function()
    local function changed(key, value)
      return model_with(function(_, config) config[key] = value end)
    end
    refused(1, "is %[90, 72%], the config needs %[91, 72%]", changed("vocab_size", 91), known)
    refused(1, "no tensor 'model.layers.2", changed("num_hidden_layers", 3), known)
    refused(1, "hidden_size must be a whole number in 1..65536", changed("hidden_size", 1 << 40),
      known)
    refused(1, "num_key_value_heads must divide", changed("num_key_value_heads", 4), known)
    local dir = home .. "/no-config"
    assert(fs.mkdir(dir))
    assert(fs.write(dir .. "/config.json", "{"))
    refused(1, "no%-config/config.json", dir)
  end)

  it("and tells programs the same as JSON", function()
    assert(fs.write(home .. "/other", "abc\xFF"))
    local done = support.bittern(home, { "eval", support.model, "--text", home .. "/other",
      "--json" })
    local failure = json.decode(done.stdout).error
    assert.same({ "config", 3 }, { failure.id, failure.exit })
    assert.matches("not UTF%-8", failure.message)
  end)
end)
