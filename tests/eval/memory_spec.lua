local fs = require "core.fs"
local random_model = require "tests.bench.random_model"
local support = require "tests.support"

describe("bittern eval of a packed model", function()
  it("takes little memory beside the weights it maps", function()
    local folder = support.folder()
    local bytes = random_model.write(folder, {
      model_type = "qwen3", hidden_size = 2048, intermediate_size = 6144, num_hidden_layers = 4,
      num_attention_heads = 16, num_key_value_heads = 8, head_dim = 128, vocab_size = 512,
      tie_word_embeddings = true,
    }, "t2", 1 / 32)
    assert.is_true(bytes > 50e6)
    assert(fs.write(folder .. "/text", ("a text of no meaning "):rep(5)))
    local status, _, peak = support.cost(folder, { "eval", folder, "--text", folder .. "/text",
      "--tokenizer", "bytes", "--max-tokens", "48", "--no-cache" })
    assert.equal(0, status)
    -- Its 200 million weights would be 400 MB in halves, 800 MB as floats.
    assert.is_true(peak < bytes + 150e6, ("%d bytes at most, %d of weights"):format(peak, bytes))
  end)
end)
