-- A run of three steps in the ledger of this home; what is on disk by then is printed. Run again,
-- it goes on where it stopped.
local ledgers = require "bittern.ledger"
local report = require "bittern.report"

local KEY <const> = { workflow = "w", slug = "s", coordinator = "c", hotkey = "h" }

local ledger <close>, message, code = ledgers.open()
if not ledger then return nil, message, code end

local function run_of_mine()
  local run, why, id = ledger:last_run(KEY)
  if run == false then run, why, id = ledger:start_run(KEY, "{}") end
  return run, why, id
end

local function step_of(run, name)
  local step, why, id = ledger:step(run, name)
  if step == nil then return nil, why, id end
  if step and step.state == "done" then return true end
  local done
  done, why, id = ledger:begin_step(run, name, "inputs")
  if done then done, why, id = ledger:end_step(run, name, { number = #name }, name) end
  return done, why, id
end

local run, why, id = run_of_mine()
if not run then return nil, why, id end
for _, name in ipairs { "a", "bb", "ccc" } do
  local done, what, kind = step_of(run.id, name)
  if not done then return nil, what, kind end
  report.out(name)
end
