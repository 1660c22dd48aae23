-- The examples run. Those that need the network, a server or a person are left to their readers.
local fs = require "core.fs"

local support = require "tests.support"

local alone = { "compress", "download", "eval", "kernels", "keybox", "ledger", "limit", "logits",
  "patch", "process", "publish", "quant", "ranking", "rules", "sandbox", "sign", "statistics",
  "store", "sweep" }
local writes_a_file = { "bench", "gguf", "once", "wallet", "zip" }

describe("the examples", function()
  local home = support.folder()

  local function runs(name, ...)
    local done = support.bittern(home,
      { "run", support.root .. "/examples/" .. name .. ".lua", ... }, { cwd = home })
    assert.equal(0, done.status, name .. ": " .. done.stderr)
  end

  it("run as they are", function()
    for _, name in ipairs(alone) do runs(name) end
  end)

  it("have a mode that is rehearsed from its task to a best, as its document shows it", function()
    local folder = support.root .. "/examples/speedup"
    local done = support.bittern(home, { "test", folder })
    assert.same({ 0, "2 passed, 0 failed\n" }, { done.status, done.stderr })
    local document = assert(fs.read(support.root .. "/docs/write-a-mode.md"))
    for _, name in ipairs { "modes/speedup.lua", "tasks/speedup/task.json",
      "tasks/speedup/repo/bench.sh" } do
      assert.truthy(document:find(assert(fs.read(folder .. "/" .. name)), 1, true), name)
    end
  end)

  it("run with a file to write", function()
    for _, name in ipairs(writes_a_file) do runs(name, home .. "/" .. name) end
  end)
end)
