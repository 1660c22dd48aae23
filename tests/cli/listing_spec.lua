-- -q/--ids and --fields of the commands that list things.
local json = require "bittern.json"
local listing = require "bittern.cli.listing"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local function context(args, is_json)
  local out = {}
  return { args = args, json = is_json, out = out, report = {
    out = function(text) out[#out + 1] = text end,
    clean = function(text) return (text:gsub("%c", " ")) end,
  } }
end

local LIST <const> = { { id = 1, name = "a", note = "x" }, { id = 2, name = "b\27" } }

describe("lists", function()
  it("have the fields that were asked for, null where a record has none", function()
    local picked = assert(listing.pick(context({ fields = "note, id" }, true), LIST))
    assert.equal('[{"id":1,"note":"x"},{"id":2,"note":null}]', json.encode(picked))
    assert.equal("[]", json.encode(listing.pick(context({ fields = "id" }, true), {})))
    assert.equal(LIST, listing.pick(context({}, false), LIST))
  end)

  it("refuse fields that no record has, and fields without --json", function()
    local none, message, code = listing.pick(context({ fields = "nmae" }, true), LIST)
    assert.is_nil(none)
    assert.equal("--fields: no field 'nmae'; did you mean 'name'?", message)
    assert.equal("usage", code)
    none, message = listing.pick(context({ fields = "zzzzzzzz" }, true), LIST)
    assert.is_nil(none)
    assert.equal("--fields: no field 'zzzzzzzz'; there are id, name, note", message)
    assert.is_nil(listing.pick(context({ fields = "id" }, false), LIST))
  end)

  it("print ids only, harmless ones, when asked to", function()
    local ctx = context { ids = true }
    assert.is_true(listing.ids(ctx, LIST, "name"))
    assert.same({ "a", "b " }, ctx.out)
    assert.is_false(listing.ids(context {}, LIST, "name"))
    assert.is_false(listing.ids(context({ ids = true }, true), LIST, "name"))
  end)

  it("do both in every command that lists", function()
    local child <close>, url = serving.start(support.folder(), { "--no-validator" })
    local home = support.folder()
    local function bittern(...)
      return support.bittern(home, { "--coordinator", url, ... })
    end
    local slugs = bittern("tasks", "-q")
    assert.equal(0, slugs.status, slugs.stderr)
    local slug = slugs.stdout:match("^([%w-]+)\n")
    local chosen = bittern("tasks", "--json", "--fields", "slug,id")
    local tasks = assert(json.decode(chosen.stdout)).tasks
    assert.equal(slug, tasks[1].slug)
    assert.is_nil(tasks[1].title)
    local fields = { tasks = "slug", ledger = "id", scripts = "name" }
    for command, field in pairs(fields) do
      for _, options in ipairs { { "-q" }, { "--json", "--fields", field } } do
        local done = bittern(command, table.unpack(options))
        assert.equal(0, done.status, command .. done.stderr)
      end
    end
    assert.equal(0, bittern("work-items", slug, "-q").status)
    assert.equal(0, bittern("work-items", slug, "--json", "--fields", "id").status)
    assert.equal(2, bittern("tasks", "--fields", "slug").status)
    serving.stop(child)
  end)
end)
