-- -q/--ids and --fields of the commands that list things.
local fs = require "core.fs"

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
    assert.equal(0, bittern("wallet", "new").status)
    local address = bittern("wallet").stdout
    assert(fs.write(home .. "/text", ("a few words of text "):rep(5)))
    assert.equal(0, bittern("eval", support.model, "--text", home .. "/text").status)
    for _, case in ipairs {
      { "tasks", "slug", "tasks" }, { "posts", "id", "ledger" }, { "scripts", "name", "scripts" },
      { "shares", "pool_share", "rewards" }, { "miners", "score", "rewards", slug },
      { "wallets", "hotkeys", "wallet", "list" }, { "points", "nats", "frontier" },
      { "tasks", "title", "dashboard" }, { "best", "submission_id", "best", slug },
      { "work_items", "kind", "work-items", slug },
      { "ideas", "proposed_idea", "ideas", "tiny-ternary-frontier" },
    } do
      local key, field, argv = case[1], case[2], { table.unpack(case, 3) }
      local ids = bittern("-q", table.unpack(argv))
      assert.equal(0, ids.status, argv[1] .. ids.stderr)
      assert.is_nil(ids.stdout:find("[^\n] [^\n]"), argv[1])
      argv[#argv + 1] = "--fields=" .. field
      local done = bittern("--json", table.unpack(argv))
      assert.equal(0, done.status, argv[1] .. done.stdout)
      local list = json.decode(done.stdout)[key]
      for _, record in ipairs(list ~= json.null and list or {}) do
        assert.equal(field, next(record))
        assert.is_nil(next(record, field))
      end
    end
    assert.equal(address, bittern("wallet", "list", "-q").stdout)
    assert.equal(slugs.stdout, bittern("rewards", "-q").stdout)
    assert.matches("^%x+\n$", bittern("frontier", "-q").stdout)
    assert.equal(2, bittern("wallet", "-q").status)
    assert.equal(2, bittern("rewards", "--payout", "-q").status)
    assert.equal(2, bittern("tasks", "--fields", "slug").status)
    serving.stop(child)
  end)
end)
