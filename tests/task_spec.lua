local json = require "bittern.json"
local task = require "bittern.task"

local function record(extra)
  local value = { id = "1", slug = "a", task_state = "live", is_active = true }
  for key, member in pairs(extra or {}) do value[key] = member end
  return value
end

local function normal(extra)
  return assert(task.normalize(record(extra)))
end

describe("bittern.task", function()
  it("fills what the contract lets a server leave out, and says what it assumed", function()
    local t = normal { setup_command = json.null, novel_field = { deep = 1 } }
    assert.equal("standard", t.competition_mode)
    assert.equal(262144, t.max_patch_bytes)
    assert.equal("scalar", t.ranking_mode)
    assert.is_nil(t.setup_command)
    assert.same({ deep = 1 }, t.novel_field)
    assert.same({}, t.allowed_patch_paths)
    assert.is_false(task.said(t, "competition_mode"))
    assert.is_true(task.said(normal { competition_mode = "centerless" }, "competition_mode"))
    assert.is_true(task.said(t, "slug"))
    assert.is_false(task.said(t, "no_such_field"))
  end)

  it("takes ids as text, patterns without blanks and the older name of the repository", function()
    local patterns = { " a.py ", "", 7 }
    local t = normal { id = 42, allowed_patch_paths = patterns, repository_url = "https://x/y.git" }
    assert.equal("42", t.id)
    assert.same({ "a.py" }, t.allowed_patch_paths)
    assert.equal("https://x/y.git", t.repository)
  end)

  it("says what makes a record unusable", function()
    for reason, broken in pairs {
      ["is a string, not an object"] = "task", ["has no id"] = { slug = "a" },
      ["has no slug"] = { id = "1", slug = "  " },
    } do
      local value, message, code = task.normalize(broken)
      assert.is_nil(value)
      assert.equal(reason, message)
      assert.equal("invalid_response", code)
    end
  end)

  it("is live only when both fields say so", function()
    assert.is_true(task.is_live(normal()))
    assert.is_false(task.is_live(normal { task_state = "paused" }))
    assert.is_false(task.is_live(normal { is_active = false }))
    assert.is_false(task.is_live(normal { is_active = "yes" }))
    assert.equal("inactive", task.state(normal { is_active = false }))
    assert.equal("frozen", task.state(normal { task_state = "frozen" }))
  end)

  it("finds by id, and by slug without regard to case and blanks", function()
    local tasks = { normal(), normal { id = "2", slug = "Other-Slug" } }
    assert.equal("2", task.find(tasks, " other-slug ").id)
    assert.equal("a", task.find(tasks, "1").slug)
    local none, message, code = task.find(tasks, "x")
    assert.is_nil(none)
    assert.equal("no task 'x'", message)
    assert.equal("not_found", code)
  end)

  it("never guesses between two tasks of one slug", function()
    local tasks = { normal(), normal { id = "2", slug = "A" } }
    local none, message, code = task.find_live(tasks, "a")
    assert.is_nil(none)
    assert.equal("ambiguous", code)
    assert.matches("name one by its id: 1, 2", message)
    assert.equal("2", task.find_live(tasks, "2").id)
    tasks[2].task_state = "closed"
    assert.equal("1", task.find_live(tasks, "a").id)
  end)

  it("lists what is live when the word is not, and the nearest", function()
    local paused = normal { id = "2", slug = "old", task_state = "paused" }
    local tasks = { normal { slug = "binary-frontier" }, paused }
    local none, message, code = task.find_live(tasks, "old")
    assert.is_nil(none)
    assert.equal("not_live", code)
    assert.equal("task 'old' is paused; live now: binary-frontier", message)
    message = select(2, task.find_live(tasks, "binary-frontire"))
    assert.equal("no live task 'binary-frontire'; did you mean 'binary-frontier'? "
      .. "live now: binary-frontier", message)
    message = select(2, task.find_live({}, "old"))
    assert.equal("no live task 'old'; no task is live now", message)
  end)
end)
