local errors = require "bittern.errors"
local fs = require "core.fs"
local lfs = require "lfs"

local commands = require "tests.errors.commands"
local files = require "tests.errors.files"
local keys = require "tests.errors.keys"
local network = require "tests.errors.network"
local support = require "tests.support"

local lists <const> = { commands.meet, network.meet, files, keys }

local function sources(folder, suffix, list)
  for name in lfs.dir(support.root .. "/" .. folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." then
      if lfs.attributes(support.root .. "/" .. path, "mode") == "directory" then
        sources(path, suffix, list)
      elseif name:find(suffix .. "$") then
        list[path] = assert(fs.read(support.root .. "/" .. path))
      end
    end
  end
  return list
end

describe("bittern.errors", function()
  local known = {}
  for _, id in ipairs(errors.list()) do known[id] = true end

  it("has an exit code of the design and a next step for every id", function()
    local codes = { [130] = true }
    for code = 1, 15 do codes[code] = true end
    for id in pairs(known) do
      assert.is_true(codes[errors.exit(id)], id)
      assert.is_true(errors.next(id) ~= nil or id == "closed_pipe", id)
    end
    assert.equal(1, errors.exit("never heard of it"))
    assert.equal(1, errors.exit(nil))
  end)

  it("knows every code that C and Lua return", function()
    for path, text in pairs(sources("core", "%.c", {})) do
      for id in text:gmatch('bind_fail%(L,%s*"([%l_]+)"') do
        assert.is_true(known[id], path .. ": " .. id)
      end
    end
    for path, text in pairs(sources("lua", "%.lua", {})) do
      for id in text:gmatch('return nil,[^\n]-,%s*"([%l_]+)"%s*\n') do
        assert.is_true(known[id], path .. ": " .. id)
      end
    end
  end)

  it("has no id that nobody meets", function()
    local met = {}
    for _, list in ipairs(lists) do
      for id in pairs(list) do met[id] = true end
    end
    assert.same(known, met)
  end)

  it("docs/errors.md says the same (make docs)", function()
    local generate = assert(loadfile(support.root .. "/docs/generate.lua", "t"))("as a module")
    assert.equal(generate.errors(), fs.read(support.root .. "/docs/errors.md"))
  end)
end)

describe("an error that is met:", function()
  setup(function()
    network.start()
    commands.start()
  end)
  teardown(function()
    network.stop()
    commands.stop()
  end)

  for _, id in ipairs(errors.list()) do
    it(id, function()
      for _, list in ipairs(lists) do
        if list[id] then return assert.equal(id, list[id]()) end
      end
    end)
  end
end)
