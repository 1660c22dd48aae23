-- A table of runs that survives: `bittern run examples/store.lua FILE`.
local store = require "core.store"

local path = ... or os.tmpname()
local db <close> = assert(store.open(path))
assert(db:exec [[
  CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, task TEXT NOT NULL, ppl REAL)
]])

-- All or nothing: an error, or a nil result, takes both rows back.
assert(db:transaction(function()
  assert(db:exec("INSERT INTO run (task, ppl) VALUES (?, ?)", "tiny-binary-frontier", 5.25))
  return db:exec("INSERT INTO run (task, ppl) VALUES (?, ?)", "tiny-ternary-frontier", nil)
end))

for _, row in ipairs(assert(db:query "SELECT id, task, ppl FROM run ORDER BY id")) do
  print(row.id, row.task, row.ppl or "not scored")
end
