-- What a miner did: `bittern run examples/ledger.lua [LEDGER]` lists runs and their steps.
local ledgers = require "bittern.ledger"

local ledger <close> = assert(ledgers.open((...)))
for _, run in ipairs(assert(ledger:query "SELECT * FROM runs ORDER BY id")) do
  print(("run %d: %s %s, %s"):format(run.id, run.workflow, run.slug, run.state))
  for _, step in ipairs(assert(ledger:query(
    "SELECT name, state, line FROM steps WHERE run = ? ORDER BY started", run.id))) do
    print(("  %-9s %-8s %s"):format(step.name, step.state, step.line or ""))
  end
end
