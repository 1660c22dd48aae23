-- Held-out texts: what validators fetch before a benchmark, from a datasets server of our own.
local fs = require "core.fs"
local process = require "core.process"

local heldout = require "bittern.bench.heldout"
local json = require "bittern.json"
local rows = require "bittern.bench.rows"
local support = require "tests.support"

describe("held-out texts", function()
  local child, server, folder

  local function query(offset, length)
    return ("dataset=a%%2Fb&config=default&split=test&offset=%d&length=%d"):format(offset, length)
  end

  local function page(...)
    local list = json.array {}
    for i, row in ipairs { ... } do list[i] = { row_idx = i, row = row } end
    return { body = json.encode { rows = list, num_rows_total = 9 } }
  end

  setup(function()
    folder = support.folder()
    assert(fs.write(folder .. "/answers.json", json.encode {
      ["GET /rows?" .. query(0, 2)] = page({ text = "one", more = "I" }, { text = " " }),
      ["GET /rows?" .. query(2, 1)] = page({ text = "th\u{e9}ee", more = "III" }),
      ["GET /rows?" .. query(5, 3)] = page({ text = "turned" }, {}, {}),
      ["GET /rows?" .. query(7, 3)] = { status = 404, body = '{"error":"no such split"}' },
    }))
    child = assert(process.spawn {
      argv = { support.bin, "run", support.root .. "/tests/fixtures/answers.lua",
        folder .. "/answers.json" }, stdout = "pipe", stderr = "null",
    })
    server = "http://127.0.0.1:" .. assert(child:read_line(20))
  end)
  teardown(function()
    child:kill()
    child:wait(10)
  end)

  local function fetch(entry, env)
    local all = { dataset = "a/b", split = "test", text_column = "text", limit = 3, page_size = 2 }
    for name, value in pairs(entry) do all[name] = value or nil end
    return rows.fetch(all, env or {}, server)
  end

  it("are asked for page by page, empty ones left out", function()
    assert.same({ "one", "th\u{e9}ee" }, fetch { source = "hf_rows", unknown = true })
  end)

  it("join columns, and are cut between characters", function()
    assert.same({ "one\n\nI", "th\u{e9}ee\n\nIII" },
      fetch { text_column = false, text_columns = json.array { "text", "more" } })
    assert.same({ "one", "th\u{e9}" }, fetch { max_chars = 3 })
    assert.same({ "th\u{e9}ee" }, fetch { min_chars = 4 })
  end)

  it("begin where the sync slot says", function()
    -- int.from_bytes(sha256(b"a/b:default:test:0:3:4:18").digest()[:8], "big") % 7 == 5
    local env = { AUTORESEARCH_HELDOUT_SYNC_SLOT = "4", AUTORESEARCH_HELDOUT_SYNC_NUMBER = "18" }
    assert.same({ "turned" }, fetch({ rotate = true, row_count = 9, page_size = 3 }, env))
    assert.matches("rotate needs a row_count", select(2, fetch { rotate = true }), 1, true)
  end)

  for what, entry in pairs {
    ["source 'ftp' is not known"] = { source = "ftp" },
    ["key 'split' is missing"] = { split = false },
    ["key 'limit' must be an integer, not string"] = { limit = "3" },
    ["names no text_column"] = { text_column = false },
    ["too small"] = { limit = 0 },
    ["no such split"] = { offset = 7, page_size = 3 },
    ["gives no text"] = { min_chars = 99 },
  } do
    it("are refused: " .. what, function()
      assert.matches(what, select(2, fetch(entry)), 1, true)
    end)
  end

  it("are written out, and where they come from is hidden from the benchmark", function()
    local env = { HF_TOKEN = "hf_secret", OTHER = "stays", [heldout.SOURCES] = json.encode {
      documents = { "mine", { dataset = "a/b", split = "test", text_column = "text", limit = 3,
        page_size = 2, category = "code" } } } }
    assert(heldout.prepare(folder, env, server))
    assert.same({ OTHER = "stays", AUTORESEARCH_HELDOUT_DATASET = "validator-private-shard",
      AUTORESEARCH_PRIVATE_HELDOUT_MANIFEST = ".autoresearch-heldout/manifest.json",
      AUTORESEARCH_PRIVATE_HELDOUT_ROOT = ".autoresearch-heldout" }, env)
    assert.same({ { text = "mine" }, { text = "one", category = "code" },
      { text = "th\u{e9}ee", category = "code" } }, json.decode(assert(fs.read(
        folder .. "/.autoresearch-heldout/manifest.json"))).documents)
    heldout.remove(folder)
    assert.is_nil(fs.stat(folder .. "/.autoresearch-heldout"))
  end)
end)
