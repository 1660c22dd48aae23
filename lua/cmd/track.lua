-- bittern track ID: follows a submission until it is decided.
local sys = require "core.sys"

local check = require "bittern.check"
local session = require "bittern.session"
local track = require "bittern.track"
local wallet = require "bittern.wallet"
local work = require "bittern.work"

local function follow(ctx)
  local client, message, code = session.client(ctx, { signed = "optional" })
  if not client then return nil, message, code end
  local watch = { client = client, report = ctx.report, sleep = sys.sleep, clock = sys.clock }
  local detail, why, id = track.follow(watch, ctx.args.id, ctx.args.timeout)
  if not detail then return nil, why, id end
  if ctx.json then
    ctx.report.data(detail)
  else
    ctx.report.out(("accepted: %s"):format(work.observed(detail.submission)))
  end
  return true
end

return {
  api = 1,
  about = "follow a submission until it is accepted, rejected or in error",
  group = "compete",
  args = function(parser)
    parser:argument("id", "the submission's id")
    parser:option("--timeout", "seconds to wait"):argname("S")
      :convert(check.seconds("--timeout")):default "3600"
    wallet.arguments(parser)
  end,
  run = follow,
}
