-- bittern ledger: what this machine sent, and what became of it; what nobody knows comes first.
local sys = require "core.sys"

local check = require "bittern.check"
local claims = require "bittern.claim"
local contest = require "bittern.contest"
local errors = require "bittern.errors"
local ledgers = require "bittern.ledger"
local lines = require "bittern.ledger.lines"
local peers = require "bittern.peers"
local pool = require "bittern.pool"
local listing = require "bittern.cli.listing"
local session = require "bittern.session"
local submit = require "bittern.submit"

-- How to find out what became of a POST of unknown outcome, by its kind.
local settlers = {
  claim = claims.settle, submission = submit.settle, cancel = claims.settle_cancel,
  peer_evaluation = peers.settle, work_item = pool.settle,
}

local function settle(ctx, ledger)
  local client, message, code = session.client(ctx, { signed = true })
  if not client then return nil, message, code end
  local open, why, id = contest.context(ctx, client, ledger)
  if not open then return nil, why, id end
  local list, trouble, kind = ledger:posts {
    state = "unknown", coordinator = client.base, hotkey = client.address,
  }
  if not list then return nil, trouble, kind end
  for _, row in ipairs(list) do
    local settler = settlers[row.kind]
    local record, how, name
    if settler then record, how, name = settler(open, row) end
    if name == "interrupted" then return nil, how, name end
    if settler and record == nil then ctx.report.warn(how) end
  end
  return true
end

local function show(ctx, list)
  local picked, wrong, usage = listing.pick(ctx, list)
  if not picked then return nil, wrong, usage end
  local unknown = 0
  for _, row in ipairs(list) do unknown = unknown + (row.state == "unknown" and 1 or 0) end
  if ctx.json then
    ctx.report.data { posts = picked, unknown = unknown }
  elseif not listing.ids(ctx, list, "id") then
    for _, line in ipairs(lines.of(list, ctx.now(), sys.isatty(1) and sys.columns(1))) do
      ctx.report.out(line)
    end
    if #list == 0 then ctx.report.say("nothing was sent from here") end
  end
  if unknown == 0 then return true end
  local hint = "%d of unknown outcome; `bittern ledger --reconcile` asks the coordinator"
  ctx.report.say(hint:format(unknown))
  return ctx.args.reconcile and errors.exit "unknown_outcome" or true
end

local function run(ctx)
  local ledger <close>, message, code = ledgers.open()
  if not ledger then return nil, message, code end
  if ctx.args.reconcile then
    local ok, why, id = settle(ctx, ledger)
    if not ok then return nil, why, id end
  end
  local list, why, id = ledger:posts {
    state = ctx.args.unknown and "unknown" or nil, limit = ctx.args.limit,
  }
  if not list then return nil, why, id end
  return show(ctx, list)
end

return {
  api = 1,
  about = "what was sent from here and what became of it, unknown first",
  group = "self",
  args = function(parser)
    parser:flag("--unknown", "only what is of unknown outcome")
    parser:option("--limit", "at most so many"):argname("N")
      :convert(check.whole("--limit", 1, 1000000))
    parser:flag("--reconcile", "ask the coordinator about what is of unknown outcome")
    listing.arguments(parser, "numbers of posts")
    contest.arguments(parser)
  end,
  run = run,
}
