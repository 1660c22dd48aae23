-- The examples run. Those that need the network, a server or a person are left to their readers.
local fs = require "core.fs"
local lfs = require "lfs"

local kinds = require "bittern.script.kinds"
local reference = require "bittern.reference.modules"
local source_c = require "bittern.reference.source_c"

local support = require "tests.support"

-- What an example is run with; "file" and "folder" are places to write to.
local arguments = {
  artifact = { "folder" }, bench = { "file" }, formats = { "folder" }, gguf = { "file" },
  once = { "file" }, wallet = { "file" }, zip = { "file" },
}

-- Those that run in other specs, or not without something that only their reader has.
local elsewhere = {
  archive = "an archive to name", coordinator = "production", demo = "tests/demo_spec.lua",
  http = "a URL to name", httpd = "serves until it is stopped",
}

-- Core modules whose example names the module that uses them.
local through = {
  ["core.sandbox"] = "bittern.sandbox", ["core.signer"] = "bittern.wallet.signer",
}

-- Modules that have no example of their own: parts of what one shows as a whole.
local parts = {
  ["bittern.coordinator"] = { "coordinator.tasks", "coordinator.mining", "coordinator.service",
    "coordinator.peers", "coordinator.validating", "task", "session", "trust", "rewards" },
  ["bittern.work"] = { "steps", "workflow", "runs", "claim", "submit", "track", "proposal" },
  ["bittern.compress.engine"] = { "compress.plan", "model.imatrix" },
  ["bittern.eval.frontier"] = { "eval.compare" },
  ["bittern.publishing"] = { "huggingface" },
  ["bittern.practice.rehearsal"] = { "patch", "workspace" },
  ["bittern.rules.common"] = { "rules.rank" },
}

local function lua_files(folder, list)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    local mode = name:sub(1, 1) ~= "." and lfs.attributes(path, "mode")
    if mode == "directory" then lua_files(path, list) end
    if mode == "file" and name:find "%.lua$" then list[#list + 1] = path end
  end
  return list
end

-- Every module that an example requires.
local function shown()
  local modules = {}
  for _, path in ipairs(lua_files(support.root .. "/examples", {})) do
    for name in assert(fs.read(path)):gmatch('require%s*%(?"([%w_.]+)"') do modules[name] = true end
  end
  return modules
end

describe("the examples", function()
  local home = support.folder()

  local function runs(name, ...)
    local done = support.bittern(home,
      { "run", support.root .. "/examples/" .. name .. ".lua", ... }, { cwd = home })
    assert.equal(0, done.status, name .. ": " .. done.stderr)
  end

  for name in lfs.dir(support.root .. "/examples") do
    name = name:match "^(.*)%.lua$"
    if name and not elsewhere[name] then
      it("run: " .. name, function()
        local words = {}
        for i, word in ipairs(arguments[name] or {}) do
          words[i] = word == "folder" and support.folder() or home .. "/" .. name
        end
        runs(name, table.unpack(words))
      end)
    end
  end

  it("have a script of each kind, whose tests pass", function()
    for _, kind in ipairs(kinds.names()) do
      local folder = ("%s/examples/%s"):format(support.root, kinds.of(kind).folder)
      assert.is_true(#lua_files(folder, {}) > 0, kind)
    end
    local done = support.bittern(home, { "test", support.root .. "/examples" })
    assert.same({ 0, "6 passed, 0 failed\n" }, { done.status, done.stderr }, done.stdout)
  end)

  it("show every core module, and every Lua module that scripts may use", function()
    local modules = shown()
    for whole, list in pairs(parts) do
      for _, part in ipairs(list) do modules["bittern." .. part] = modules[whole] end
    end
    for _, name in ipairs(source_c.names()) do
      name = "core." .. name
      assert.is_true(modules[through[name] or name], name .. " has no example")
    end
    for _, group in ipairs(reference) do
      for _, name in ipairs(group.modules) do
        assert.is_true(modules[name], name .. " has no example")
      end
    end
  end)

  it("have a mode that its document shows as it is", function()
    local folder = support.root .. "/examples/speedup"
    local document = assert(fs.read(support.root .. "/docs/write-a-mode.md"))
    for _, name in ipairs { "modes/speedup.lua", "tasks/speedup/task.json",
      "tasks/speedup/repo/bench.sh" } do
      assert.truthy(document:find(assert(fs.read(folder .. "/" .. name)), 1, true), name)
    end
  end)
end)
