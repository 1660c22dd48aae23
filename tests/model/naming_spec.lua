local naming = require "bittern.model.naming"

describe("bittern.model.naming", function()
  it("translates names both ways", function()
    for hugging, ggml in pairs {
      ["model.embed_tokens.weight"] = "token_embd.weight", ["lm_head.weight"] = "output.weight",
      ["model.norm.weight"] = "output_norm.weight",
      ["model.layers.12.self_attn.q_proj.bias"] = "blk.12.attn_q.bias",
      ["model.layers.0.self_attn.k_norm.weight"] = "blk.0.attn_k_norm.weight",
      ["model.layers.3.mlp.down_proj.weight"] = "blk.3.ffn_down.weight",
      ["model.layers.3.post_attention_layernorm.weight"] = "blk.3.ffn_norm.weight",
    } do
      assert.equal(ggml, naming.to_gguf(hugging))
      assert.equal(hugging, naming.to_huggingface(ggml))
    end
    for _, name in ipairs { "", "weight", "model.norm", "model.layers.x.mlp.up_proj.weight",
      "model.layers.0.mlp.experts.0.up_proj.weight", "model.norm.scale",
      "model.layers.0.self_attn.q_proj.weight.weight" } do
      assert.is_nil(naming.to_gguf(name))
    end
    for _, name in ipairs { "", "blk.0.ffn_gate_exps.weight", "rope_freqs.weight",
      "blk.0.weight" } do
      assert.is_nil(naming.to_huggingface(name))
    end
  end)

  it("writes an f32 as short as it can", function()
    local function f32(value) return string.unpack("<f", string.pack("<f", value)) end
    for _, value in ipairs { 1e-6, 0.1, 1e-5, 3.4028234663852886e38, 1.5, 1e-45, -0.25 } do
      local short = naming.shortest(f32(value))
      assert.equal(f32(value), f32(short))
      assert.is_true(#("%.17g"):format(short) >= #("%.9g"):format(short))
    end
    assert.equal(1e-6, naming.shortest(f32(1e-6)))
    assert.equal("integer", math.type(naming.shortest(1e6)))
    assert.equal(math.huge, naming.shortest(math.huge))
    local nan = naming.shortest(0 / 0)
    assert.is_true(nan ~= nan)
  end)

  it("knows a model by GGUF's keys", function()
    local config = naming.config({
      ["general.architecture"] = "llama", ["llama.embedding_length"] = 64,
      ["llama.attention.head_count"] = 4, ["llama.block_count"] = 2,
      ["llama.rope.freq_base"] = 500000.0, ["tokenizer.ggml.tokens"] = { count = 99 },
    }, true)
    assert.same({ "llama", 64, 4, 4, 16, 2, 500000, 99, false, "LlamaForCausalLM" },
      { config.model_type, config.hidden_size, config.num_attention_heads,
        config.num_key_value_heads, config.head_dim, config.num_hidden_layers, config.rope_theta,
        config.vocab_size, config.tie_word_embeddings, config.architectures[1] })
    assert.is_true(naming.config({ ["general.architecture"] = "qwen3" }, false)
      .tie_word_embeddings)
    assert.same({ model_type = "gemma" }, naming.config({ ["general.architecture"] = "gemma" },
      true))
    assert.same({}, naming.config({}, true))
    assert.same({}, naming.config({ ["general.architecture"] = 7 }, true))
    assert.equal("qwen3", naming.config({ ["bittern.config"] = '{"model_type":"qwen3"}' },
      true).model_type)
    for _, text in ipairs { "[", "1", "null" } do
      assert.same({}, naming.config({ ["bittern.config"] = text }, true))
    end
    local odd = naming.config({ ["general.architecture"] = "llama",
      ["llama.attention.head_count"] = 0, ["llama.embedding_length"] = 5,
      ["llama.block_count"] = "many" }, true)
    assert.is_nil(odd.head_dim)
    assert.is_nil(odd.num_hidden_layers)
  end)

  it("writes a config down, or says why it cannot", function()
    local function metadata(config)
      return naming.metadata(config, "{}", "c")
    end
    local list = assert(metadata { model_type = "llama", num_attention_heads = 8,
      rope_parameters = { rope_type = "default", rope_theta = 5e5 } })
    local seen = {}
    for _, entry in ipairs(list) do seen[entry.key] = entry.value end
    assert.same({ 8, 8, 5e5, "{}" }, { seen["llama.attention.head_count"],
      seen["llama.attention.head_count_kv"], seen["llama.rope.freq_base"],
      seen["bittern.config"] })
    for says, config in pairs {
      ["hidden_size is no number"] = { model_type = "qwen3", hidden_size = "x" },
      ["num_hidden_layers is no number"] = { model_type = "qwen3", num_hidden_layers = 1 << 33 },
      ["head_dim is no number"] = { model_type = "qwen3", head_dim = 1.5 },
      ["vocab_size is no number"] = { model_type = "qwen3", vocab_size = -1 },
      ["rms_norm_eps is no number"] = { model_type = "qwen3", rms_norm_eps = {} },
    } do
      local none, message, code = metadata(config)
      assert.is_nil(none)
      assert.equal("invalid_model", code)
      assert.is_truthy(message:find("c: " .. says, 1, true), message)
    end
    local _, _, code = metadata { model_type = "llama", rope_scaling = "yarn" }
    assert.equal("unsupported", code)
  end)

  it("orders rows there and back", function()
    for row = 0, 63 do
      local there = naming.source_row(row, 64, 4, "gguf")
      assert.equal(row, naming.source_row(there, 64, 4, "huggingface"))
      assert.equal(row // 16, there // 16)
    end
    local order = {}
    for row = 0, 5 do order[row + 1] = naming.source_row(row, 6, 1, "gguf") end
    assert.same({ 0, 3, 1, 4, 2, 5 }, order)
    assert.is_nil(naming.reordered_heads({ model_type = "qwen3" }, "blk.0.attn_q.weight"))
    local llama = { model_type = "llama", num_attention_heads = 8, num_key_value_heads = 2 }
    assert.equal(8, naming.reordered_heads(llama, "blk.0.attn_q.bias"))
    assert.equal(2, naming.reordered_heads(llama, "blk.10.attn_k.weight"))
    assert.is_nil(naming.reordered_heads(llama, "blk.0.attn_v.weight"))
    assert.equal(0, naming.reordered_heads({ model_type = "llama" }, "blk.0.attn_k.weight"))
  end)
end)
