-- core.store: SQLite with values that come back as they went in.
local fs = require "core.fs"
local store = require "core.store"

local support = require "tests.support"

describe("store", function()
  local path, db

  before_each(function()
    path = support.folder() .. "/t.db"
    db = assert(store.open(path))
    assert(db:exec "CREATE TABLE t (id INTEGER PRIMARY KEY, v, name TEXT UNIQUE)")
  end)
  after_each(function() db:close() end)

  local function back(value)
    assert(db:exec("INSERT INTO t (v) VALUES (?)", value))
    return assert(db:query "SELECT v FROM t ORDER BY id DESC LIMIT 1")[1].v
  end

  it("creates its file for the owner only", function()
    assert.equal(tonumber("600", 8), fs.stat(path).mode)
    assert.equal(tonumber("600", 8), fs.stat(path .. "-wal").mode)
  end)

  it("keeps integers, floats, text and bytes apart", function()
    for _, value in ipairs { 0, -1, math.maxinteger, math.mininteger, 1 << 53 | 1 } do
      assert.equal("integer", math.type(back(value)))
      assert.equal(value, back(value))
    end
    for _, value in ipairs { 0.0, 3.0, -0.1, 1e300, math.huge, 5e-324 } do
      assert.equal("float", math.type(back(value)))
      assert.equal(value, back(value))
    end
    for _, value in ipairs { "", "na\u{ef}ve", "\0", "a\0b", "\xff\xfe", ("x"):rep(100000) } do
      assert.equal(value, back(value))
    end
    assert.equal(1, back(true))
    assert.equal(0, back(false))
  end)

  it("maps NULL to an absent column, also as the last value", function()
    assert.equal(1, db:exec("INSERT INTO t (v, name) VALUES (?, ?)", nil, nil))
    local row = db:query("SELECT id, v, name FROM t WHERE v IS ? AND name IS ?", nil, nil)[1]
    assert.same({ id = 1 }, row)
  end)

  it("finds text by an equal string", function()
    db:exec("INSERT INTO t (name, v) VALUES (?, 1), (?, 2)", "a", "b")
    assert.same({ { v = 2 } }, db:query("SELECT v FROM t WHERE name = ?", "b"))
    assert.same({}, db:query("SELECT v FROM t WHERE name = ?", "c"))
  end)

  it("counts changes, and runs several statements without values", function()
    assert.equal(3, db:exec "INSERT INTO t (v) VALUES (1),(2); INSERT INTO t (v) VALUES (3); ")
    assert.equal(2, db:exec("UPDATE t SET v = ? WHERE v > ?", 9, 1))
    assert.equal(0, db:exec "")
  end)

  it("answers rows of statements that change", function()
    local rows = db:query("INSERT INTO t (v) VALUES (?) RETURNING id, v", 5)
    assert.same({ { id = 1, v = 5 } }, rows)
  end)

  it("raises for misuse", function()
    assert.has_error(function() db:query("SELECT ?", 1, 2) end,
      "statement has 1 parameters, 2 given")
    assert.has_error(function() db:exec("SELECT ?; SELECT ?", 1, 2) end)
    assert.has_error(function() db:query("SELECT 1; SELECT 2") end)
    assert.has_error(function() db:query "  " end)
    assert.has_error(function() db:exec("INSERT INTO t (v) VALUES (?)", {}) end)
    assert.has_error(function() db:exec("INSERT INTO t (v) VALUES (?)", 0 / 0) end)
    assert.has_error(function() store.open "" end)
    assert.has_error(function() store.open "a\0b" end)
    assert.equal(0, db:query("SELECT count(*) AS n FROM t")[1].n)
  end)

  it("says what SQL is wrong, and where", function()
    local value, message, code = db:query "SELEC 1"
    assert.is_nil(value)
    assert.equal(path .. ': near "SELEC": syntax error', message)
    assert.equal("io", code)
    assert(db:exec("INSERT INTO t (name) VALUES ('a')"))
    assert.equal("constraint", select(3, db:exec "INSERT INTO t (name) VALUES ('a')"))
  end)

  it("commits a transaction and passes its results on", function()
    local a, b, c = db:transaction(function(inner)
      assert.equal(db, inner)
      assert(inner:exec "INSERT INTO t (v) VALUES (1)")
      return 1, nil, "c"
    end)
    assert.same({ 1, nil, "c" }, { a, b, c })
    assert.equal(1, #db:query "SELECT * FROM t")
  end)

  it("rolls back when the function returns nil or fails", function()
    local a, b, c = db:transaction(function()
      db:exec "INSERT INTO t (v) VALUES (1)"
      return nil, "no", "why"
    end)
    assert.same({ nil, "no", "why" }, { a, b, c })
    assert.has_error(function()
      db:transaction(function() db:exec "INSERT INTO t (v) VALUES (2)"; error("boom", 0) end)
    end, "boom")
    assert.has_error(function()
      db:transaction(function() db:exec "INSERT INTO t (v) VALUES (3)" end)
    end)
    assert.same({}, db:query "SELECT * FROM t")
    assert.is_true(db:transaction(function() return true end))
  end)

  it("refuses a transaction inside a transaction, and one that closes the store", function()
    assert.has_error(function()
      db:transaction(function() db:transaction(function() return 1 end) return 1 end)
    end, "a transaction is already open")
    local other = assert(store.open(path))
    assert.has_error(function()
      other:transaction(function()
        other:exec "INSERT INTO t (v) VALUES (1)"
        other:close()
        return 1
      end)
    end, "store was closed inside its transaction")
    assert.same({}, db:query "SELECT * FROM t")
  end)

  it("tells that another holds the file", function()
    local other <close> = assert(store.open(path))
    local started = os.time()
    db:transaction(function()
      local value, _, code = other:exec "INSERT INTO t (v) VALUES (1)"
      assert.is_nil(value)
      assert.equal("locked", code)
      return true
    end)
    assert.is_true(os.time() - started >= 4)
  end)

  it("is harmless when closed twice, and refuses work then", function()
    db:close()
    db:close()
    assert.equal("store (" .. path .. ", closed)", tostring(db))
    assert.has_error(function() db:query "SELECT 1" end)
    assert.has_error(function() db:transaction(function() return 1 end) end)
    assert.is_false(getmetatable(db))
  end)

  it("reopens what a killed process left", function()
    local script = support.root .. "/tests/fixtures/store_kill.lua"
    support.run { support.bin, "run", script, path }
    assert.same({ { v = 7 } }, db:query "SELECT v FROM t")
  end)

  it("names why a file cannot be opened", function()
    local folder = support.folder()
    local _, message, code = store.open(folder .. "/none/t.db")
    assert.equal("not_found", code)
    assert.truthy(message:find(folder .. "/none/t.db: ", 1, true))
    assert(fs.write(folder .. "/text.db", ("not a database"):rep(100)))
    assert.equal("io", select(3, store.open(folder .. "/text.db")))
    assert.is_nil((store.open(folder)))
  end)

  it("reports a full disk", function()
    local script = support.root .. "/tests/fixtures/store_full.lua"
    local done = support.run { "/bin/sh", "-c", 'ulimit -f 100; exec "$0" run "$1" "$2"',
      support.bin, script, support.folder() .. "/f.db" }
    assert.equal("disk_full 0\n", done.stdout)
  end)
end)
