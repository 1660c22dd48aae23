-- Configs that disagree with the weights, or with reason: each refused by name, none raised.
local json = require "bittern.json"
local load = require "bittern.eval.load"
local made = require("tests.architectures").made
local models = require "bittern.model"
local small_model = require "tests.small_model"

local ABSURD <const> = { 0, -1, 1, 7, 1.5, 1 << 20, 1 << 40, math.maxinteger, 1e300, "12", true,
  false, {}, json.null }

-- Every number or word of a config, with the ways in.
local function each_setting(config, visit)
  for key, value in pairs(config) do
    if type(value) == "table" and #value == 0 then
      each_setting(value, function(owner, inner) visit(owner, inner, key .. ".") end)
    elseif key ~= "model_type" then
      visit(config, key, "")
    end
  end
end

-- Whether a model can be made ready to run; the message when it cannot.
local function start(dir)
  local model <close> = assert(models.open(dir))
  local read, message, code = load.read(model)
  if not read then return nil, message, code end
  return load.start(read)
end

describe("configs of", function()
  for _, kind in ipairs { "llama", "gpt2", "qwen3_5" } do
    it(kind .. " with absurd settings are refused, and say which file", function()
      local dir, _, _, _, config = made(kind, kind == "gpt2" and { n_inner = 240 } or nil)
      local refused = 0
      local function try(owner, key, what)
        local before = owner[key]
        for _, value in ipairs(ABSURD) do
          owner[key] = value
          assert(require("core.fs").write(dir .. "/config.json", assert(json.encode(config))))
          local ok, runnable, message, code = pcall(start, dir)
          local name = ("%s%s = %s"):format(what, key, tostring(value))
          assert.is_true(ok, name .. ": " .. tostring(runnable))
          if not runnable then
            refused = refused + 1
            assert.equal(dir, message:sub(1, #dir), name)
            assert.is_true(code == "invalid_model" or code == "unsupported", name)
          end
        end
        owner[key] = before
      end
      each_setting(config, try)
      assert.is_true(refused > 60, refused .. " were refused")
    end)
  end

  it("gpt2 with heads that no model has are refused", function()
    local dir = made("gpt2", { n_embd = 4096, n_head = 1 })
    local runnable, message = start(dir)
    assert.is_nil(runnable)
    assert.matches("n_embd is more than 1024 for each of n_head", message)
  end)

  it("models without a tensor, or with one of another shape, name it", function()
    for _, kind in ipairs { "llama", "gpt2", "qwen3_5" } do
      local dir, _, _, tensors, config = made(kind)
      table.sort(tensors, function(a, b) return a.name < b.name end)
      for i, tensor in ipairs(tensors) do
        local others = table.move(tensors, 1, #tensors, 1, {})
        table.remove(others, i)
        small_model.write(others, { config = config, dir = dir })
        local runnable, message, code = start(dir)
        assert.is_nil(runnable, tensor.name)
        assert.matches(dir .. ": no tensor '" .. tensor.name .. "'", message, 1, true)
        assert.equal("invalid_model", code)
        others[#others + 1] = { name = tensor.name, dtype = "F32", shape = { 3, 5 },
          text = ("\0"):rep(60) }
        small_model.write(others, { config = config, dir = dir })
        runnable, message = start(dir)
        assert.is_nil(runnable, tensor.name)
        assert.matches(("tensor '%s' "):format(tensor.name), message, 1, true)
      end
    end
  end)
end)
