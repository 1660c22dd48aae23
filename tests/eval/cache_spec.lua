-- What scores are known by.
local cache = require "bittern.eval.cache"
local fs = require "core.fs"
local sha256 = require "core.sha256"
local support = require "tests.support"

local folder = support.folder()

local function options(changes)
  local all = { model = folder .. "/model", text = "words", tokenizer = "auto", mode = "validator",
    documents = "tokens", max_tokens = 512 }
  for name, value in pairs(changes or {}) do all[name] = value end
  return all
end

describe("what a score is known by", function()
  setup(function()
    assert(fs.write(folder .. "/model", "model"))
    assert(fs.write(folder .. "/reference", "a longer reference"))
  end)

  it("has the model's own size and hash, whatever it is compared with", function()
    for _, reference in ipairs { false, folder .. "/reference" } do
      local mark = assert(cache.mark(options { reference = reference or nil }))
      assert.same({ 5, (sha256.hex "model") }, { mark.size, mark.sha256 })
    end
  end)

  it("is another with each thing that changes the result", function()
    local seen = {}
    for _, changes in ipairs { {}, { text = "other" }, { limit = 3 }, { exact = true },
      { reference = folder .. "/reference" }, { mode = "llama" },
      { model = folder .. "/reference" } } do
      local file = assert(cache.mark(options(changes))).file
      assert.is_nil(seen[file])
      seen[file] = true
    end
  end)

  it("is not, where a file is missing", function()
    for _, changes in ipairs { { model = "/none" }, { reference = "/none" } } do
      local mark, message, code = cache.mark(options(changes))
      assert.is_nil(mark)
      assert.matches("/none", message)
      assert.equal("not_found", code)
    end
  end)
end)
