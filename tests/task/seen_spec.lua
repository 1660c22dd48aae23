local fs = require "core.fs"
local json = require "bittern.json"
local seen = require "bittern.task.seen"
local serving = require "tests.practice.serving"
local support = require "tests.support"
local task_record = require "bittern.task"

local HERE <const> = "https://one.example.org"

local function user()
  local home = support.folder()
  return function(name) return name == "HOME" and home or nil end
end

describe("the list of tasks that was seen last", function()
  it("is what it was, and what was assumed is assumed again", function()
    local env = user()
    local task = assert(task_record.normalize { id = 7, slug = "a", title = "A", is_active = true })
    assert(seen.write(HERE, { task }, 1000.5, env))
    local list, since = seen.read(HERE, env)
    assert.equal(1000, since)
    assert.same({ task }, list)
    assert.is_false(task_record.said(list[1], "competition_mode"))
  end)

  it("belongs to one coordinator, and is nothing when it cannot be read", function()
    local env = user()
    assert.is_nil(seen.read(HERE, env))
    assert(seen.write(HERE, {}, 1, env))
    assert.same({}, (seen.read(HERE, env)))
    assert.is_nil(seen.read("https://two.example.org", env))
    local dir = env "HOME" .. "/.cache/bittern/tasks"
    local name = support.run({ "/bin/ls", dir }).stdout:match("%S+")
    for _, text in ipairs { "", "{", "[1]", json.encode { coordinator = HERE, tasks = 3 } } do
      assert(fs.write(dir .. "/" .. name, text))
      assert.is_true(#(seen.read(HERE, env) or {}) == 0, text)
    end
  end)

  it("is what --offline shows", function()
    local home, dir = support.folder(), support.folder()
    local child <close>, url = serving.start(dir, { "--no-validator" })
    local function bittern(...)
      return support.bittern(home, { "--coordinator", url, ... })
    end
    local before = bittern("--offline", "tasks")
    assert.equal(6, before.status)
    local online = bittern("tasks")
    assert.equal(0, online.status, online.stderr)
    serving.stop(child)
    local offline = bittern("--offline", "tasks")
    assert.equal(0, offline.status, offline.stderr)
    assert.equal(online.stdout, offline.stdout)
    assert.matches("tasks as they were %d+ s ago", offline.stderr)
    local slug = online.stdout:match("\n(%S+)")
    assert.equal(0, bittern("--offline", "task", slug).status)
  end)
end)
