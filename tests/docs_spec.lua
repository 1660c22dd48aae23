-- What the documents show works: their scripts load, their commands exist.
local fs = require "core.fs"
local script = require "bittern.script"
local support = require "tests.support"

local function text_of(path)
  return assert(fs.read(support.root .. "/" .. path))
end

describe("the documents", function()
  it("show scripts that load", function()
    local count = 0
    for _, path in ipairs(support.documents()) do
      for block in text_of(path):gmatch("```lua\n(.-)```") do
        local kind = block:find("tensor =") and "recipe" or block:find("publish =") and "publish"
          or block:find("steps =") and "workflow" or block:find("accept =") and "mode" or "cmd"
        local file = support.folder() .. "/shown.lua"
        assert(fs.write(file, block))
        local is_config = block:find("config%.lua\n")
        assert(is_config or script.load(file, kind))
        count = count + 1
      end
    end
    assert.is_true(count >= 2)
  end)

  it("show a whole recipe that compresses, and say of a slip what bittern says", function()
    local block = text_of("docs/write-a-recipe.md"):match("```lua\n(.-)```")
    local file = support.folder() .. "/mine.lua"
    local function plan(text)
      assert(fs.write(file, text))
      return require("bittern.compress.engine").run {
        model = support.model, recipe = file, budget = "binary", dry_run = true,
      }
    end
    local result = assert(plan(block))
    assert.is_true(result.bytes > 0.99 * result.budget and result.bytes <= result.budget)
    local failed, message = plan((block:gsub("rescue = 0 }", "recue = 0 }")))
    assert.is_nil(failed)
    assert.truthy(message:find("mine.lua:%d+: .*did you mean 'rescue'%?"), message)
  end)

  it("show tests of that recipe that pass", function()
    local text, folder = text_of("docs/write-a-recipe.md"), support.folder()
    local tests = assert(text:match('```\n(local engine = .-describe%("recipe mine".-)```'))
    assert(fs.write(folder .. "/mine.lua", (text:match("```lua\n(.-)```"))))
    assert(fs.write(folder .. "/mine.test.lua", tests))
    local done = support.bittern(folder, { "test", folder .. "/mine.lua" })
    assert.same({ 0, "1 passed, 0 failed\n" }, { done.status, done.stderr }, done.stdout)
  end)

  it("name commands that exist", function()
    local known = {}
    for _, entry in ipairs(script.list("cmd")) do known[entry.name] = true end
    for _, path in ipairs(support.documents()) do
      for command in text_of(path):gmatch("`bittern (%l[%l-]*)") do
        assert.is_true(known[command], path .. " names bittern " .. command)
      end
      for command in text_of(path):gmatch("\nbittern ([%l-]+)") do
        assert.is_true(known[command], path .. " names bittern " .. command)
      end
    end
  end)

  it("link to files that exist", function()
    for _, path in ipairs(support.documents()) do
      local folder = path:match("^(.*/)") or ""
      for target in text_of(path):gmatch("%]%(([^)#]+)") do
        if not target:find("^%w+:") then
          assert.is_truthy(fs.stat(support.root .. "/" .. folder .. target), path .. ": " .. target)
        end
      end
    end
  end)
end)
