-- bittern track ID: follows a submission until it is decided.
local sys = require "core.sys"

local check = require "bittern.check"
local errors = require "bittern.errors"
local ledgers = require "bittern.ledger"
local session = require "bittern.session"
local track = require "bittern.track"
local wallet = require "bittern.wallet"
local work = require "bittern.work"

-- The ledger's last word on a submission of ours; of others it knows nothing.
local function note(client, detail)
  local ledger <close>, message, code = ledgers.open()
  if not ledger then return nil, message, code end
  return ledger:set_status(client.base, detail.submission.id, tostring(detail.submission.status))
end

local function show(ctx, detail)
  local submission = detail.submission
  if ctx.json then return ctx.report.data(detail) end
  local said = submission.status == "accepted" and ": " .. work.observed(submission)
    or track.last_note(detail)
  ctx.report.out(ctx.report.clean(tostring(submission.status) .. said))
end

local function follow(ctx)
  local client, message, code = session.client(ctx, { signed = "optional" })
  if not client then return nil, message, code end
  local watch = { client = client, report = ctx.report, sleep = sys.sleep, clock = sys.clock }
  local detail, why, id, last = track.follow(watch, ctx.args.id, ctx.args.timeout)
  if not detail and id ~= "rejected" then return nil, why, id end
  local noted, wrong = note(client, detail or last)
  if not noted then ctx.report.warn("ledger: " .. wrong) end
  show(ctx, detail or last)
  if not detail and ctx.args.exit_status then return errors.exit(id) end
  return true
end

return {
  api = 1,
  about = "follow a submission until it is accepted, rejected or in error",
  group = "compete",
  args = function(parser)
    parser:argument("id", "the submission's id")
    parser:option("--timeout", "seconds to wait; 0 looks once"):argname("S")
      :convert(check.seconds("--timeout")):default "3600"
    parser:flag("--exit-status", "end with 10 when it is rejected or in error, not with 0")
    parser:epilog "Still pending when the time is up: 8."
    wallet.arguments(parser)
  end,
  run = follow,
}
