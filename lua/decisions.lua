-- What the user decided where a task's page contradicts its record. The ledger keeps it with its
-- reason, and it holds for every command while page and contradiction read the same.
local fs = require "core.fs"
local sha256 = require "core.sha256"

local ledgers = require "bittern.ledger"
local paths = require "bittern.paths"

local M = {}

--- Adds the option that decides.
function M.arguments(parser)
  parser:option("--decide", "go by the task record where the page contradicts it, and why")
    :argname("FIELD[=WHY]"):count "*"
end

-- {field = why, "" without one} as the command line has it.
local function asked(args)
  local set = {}
  for _, word in ipairs(args.decide or {}) do
    local field, why = word:match("^([^=]*)=?(.*)$")
    set[field] = why
  end
  return set
end

local function contradictions_of(rules)
  local list = {}
  for _, rule in ipairs(rules) do
    if rule.contradiction then list[#list + 1] = rule end
  end
  return list
end

local function key_of(where)
  return { coordinator = where.coordinator, task_id = where.task.id,
    onboarding = sha256.hex(where.text or "") }
end

-- One contradiction: its decision, and whether that is an earlier one; false when there is none; or
-- nil, message, code.
local function one(ctx, ledger, key, rule, row)
  local field = rule.value
  local why = asked(ctx.args)[field]
  local holds = row and row.contradiction == rule.contradiction
  if holds and (not why or why == "" or why == row.why) then
    return row, not why
  end
  if not why then return false end
  local decision = { contradiction = rule.contradiction, why = why ~= "" and why or nil,
    field = field }
  for name, value in pairs(key) do decision[name] = value end
  local ok, message, code = ledger:decide(decision)
  if not ok then return nil, message, code end
  decision.decided = ledger.now()
  return decision
end

local function tell(ctx, decision)
  ctx.report.say(ctx.report.clean(("    decided before: %s; `bittern rules` shows when and why")
    :format(decision.contradiction)))
end

local function all(ctx, ledger, where, rules)
  local key = key_of(where)
  local before, message, code = ledger:decisions(key)
  if not before then return nil, message, code end
  local decided = {}
  for _, rule in ipairs(rules) do
    local decision, why, id = one(ctx, ledger, key, rule, before[rule.value])
    if decision == nil then return nil, why, id end
    if decision and why == true and where.ledger then tell(ctx, decision) end
    decided[rule.value] = decision or nil
  end
  return decided
end

-- A command that only looks makes no ledger for it.
local function with_ledger(ctx, where, fn)
  if where.ledger then return fn(where.ledger) end
  local is_there = fs.stat(paths.state(ctx.env) .. "/ledger.db")
  if not is_there and not next(asked(ctx.args)) then return {} end
  local ledger <close>, message, code = ledgers.open()
  if not ledger then return nil, message, code end
  local decided, why, id = fn(ledger)
  return decided, why, id
end

--- What the user decides now, which is kept, or decided before.
-- @param ctx a command's context; ctx.args.decide as M.arguments
-- @param where {coordinator= URL, task= record, text= its page or nil, ledger= of a command that
--   changes something, which tells of earlier decisions; nil opens it}
-- @param rules of the task
-- @return {field = {contradiction=, why=, decided= seconds since 1970}} (the gate's
--   world.decided), or nil, message, code
function M.of(ctx, where, rules)
  local list = contradictions_of(rules)
  if #list == 0 then return {} end
  return with_ledger(ctx, where, function(ledger)
    return all(ctx, ledger, where, list)
  end)
end

--- Forgets what was decided for a task.
-- @return true, or nil, message, code
function M.forget(coordinator, task)
  local ledger <close>, message, code = ledgers.open()
  if not ledger then return nil, message, code end
  local ok, why, id = ledger:forget_decisions(coordinator, task.id)
  return ok, why, id
end

return M
