local support = require "tests.support"
local whole_model = require "tests.bench.whole_model"

describe("bittern eval of a packed model", function()
  it("takes little memory beside the weights it maps", function()
    local found = whole_model.score({ documents = 2, tokens = 48, rescue = 1 / 32, config = {
      model_type = "qwen3", hidden_size = 2048, intermediate_size = 6144, num_hidden_layers = 4,
      num_attention_heads = 16, num_key_value_heads = 8, head_dim = 128, vocab_size = 512,
      tie_word_embeddings = true,
    } }, support.folder())
    assert.is_true(found.bytes > 50e6)
    -- Its 200 million weights would be 400 MB in halves, 800 MB as floats.
    assert.is_true(found.peak < found.bytes + 150e6,
      ("%d bytes at most, %d of weights"):format(found.peak, found.bytes))
  end)
end)
