-- bittern rewards [SLUG]: the reward snapshot, and what part of it is ours; payouts, to look at.
local sr25519 = require "core.sr25519"

local json = require "bittern.json"
local listing = require "bittern.cli.listing"
local payout = require "bittern.payout"
local rewards = require "bittern.rewards"
local session = require "bittern.session"
local wallet = require "bittern.wallet"

local function percent(share)
  return ("%.2f %%"):format(100 * share)
end

local function show_shares(ctx, list)
  local rows, clean = {}, ctx.report.clean
  for i, one in ipairs(list) do
    rows[i] = {
      clean(one.slug or "-"), clean(one.scoring_mode or "-"), ("%g"):format(one.weight),
      percent(one.pool_share), ("%d"):format(one.miners), one.place and ("%d"):format(one.place)
        or "-", ("%.4g"):format(one.score), percent(one.share), percent(one.of_pool),
    }
  end
  local columns = { { "SLUG" }, { "SCORING", spare = true }, { "WEIGHT", right = true },
    { "POOL", right = true }, { "MINERS", right = true, spare = true },
    { "PLACE", right = true }, { "SCORE", right = true }, { "SHARE", right = true },
    { "OF ALL", right = true } }
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
end

local function explain(ctx, snapshot, address, sum)
  local say = ctx.report.say
  if address then
    say(address)
    say(("  would get %s of the pool by this snapshot"):format(percent(sum)))
  else
    ctx.report.warn("no hotkey is named: shares are nobody's (--address, or a wallet)")
  end
  say("POOL = weight / all weights; SHARE = score / all scores; OF ALL = both")
  if snapshot.score_ema_days then
    say(("scores fade: their average reaches over %g days"):format(snapshot.score_ema_days))
  end
  say("none of this is guaranteed; payouts go to the recipient that was fixed before")
end

-- Ideas of the hotkey that others built on, and those that it built on.
local function idea_scores(client, address)
  local sums = { proposed = 0, implemented = 0, count = 0 }
  for role, name in pairs { proposer_hotkey = "proposed", implementer_hotkey = "implemented" } do
    local list, message, code = client:idea_rewards { [role] = address }
    if not list and code ~= "not_found" then return nil, message, code end
    for _, reward in ipairs(list or {}) do
      local score = name == "proposed" and reward.proposer_score or reward.implementer_score
      if reward[role] == address then
        sums[name], sums.count = sums[name] + (score or 0), sums.count + 1
      end
    end
  end
  return sums
end

local function find(snapshot, slug)
  for _, competition in ipairs(snapshot.competitions or {}) do
    if competition.slug and competition.slug:lower() == slug:lower() then return competition end
  end
  return nil, ("the snapshot has no competition '%s'"):format(slug), "not_found"
end

local function show_miners(ctx, competition, address)
  local miners = rewards.miners(competition)
  local picked, wrong, usage = listing.pick(ctx, miners)
  if not picked then return nil, wrong, usage end
  if ctx.json then ctx.report.data { slug = competition.slug, miners = picked } end
  if ctx.json or listing.ids(ctx, miners, "hotkey") then return true end
  local rows = {}
  for i, miner in ipairs(miners) do
    rows[i] = { ("%d"):format(i), ctx.report.clean(miner.hotkey), ("%.4g"):format(miner.score),
      percent(miner.share), miner.hotkey == address and "you" or "" }
  end
  local columns = { { "PLACE", right = true }, { "HOTKEY" }, { "SCORE", right = true },
    { "SHARE", right = true }, { "" } }
  for _, line in ipairs(#rows > 0 and ctx.report.table(columns, rows) or {}) do
    ctx.report.out(line)
  end
  if #rows == 0 then ctx.report.say "no miner has a score yet" end
  return true
end

local function tell_ideas(ctx, ideas)
  if not ideas or ideas.count == 0 then return end
  ctx.report.say(("ideas: %g for those that others built on, %g for building on theirs"):format(
    ideas.proposed, ideas.implemented))
end

-- Every competition, and what the hotkey would get.
local function show_all(ctx, client, snapshot, address)
  local list, sum = rewards.shares(snapshot, address)
  local picked, wrong, usage = listing.pick(ctx, list)
  if not picked then return nil, wrong, usage end
  if listing.ids(ctx, list, "slug") then return true end
  local ideas, message, code
  if address then
    ideas, message, code = idea_scores(client, address)
    if not ideas then return nil, message, code end
  end
  if ctx.json then
    ctx.report.data { hotkey = address or json.null, of_pool = sum, shares = picked,
      ideas = ideas or json.null, snapshot = snapshot }
    return true
  end
  show_shares(ctx, list)
  tell_ideas(ctx, ideas)
  explain(ctx, snapshot, address, sum)
  return true
end

local function show_snapshot(ctx, client, address)
  local snapshot, message, code = client:reward_snapshot()
  if not snapshot then return nil, message, code end
  if not ctx.args.slug then return show_all(ctx, client, snapshot, address) end
  local competition, why, id = find(snapshot, ctx.args.slug)
  if not competition then return nil, why, id end
  return show_miners(ctx, competition, address)
end

local function tell_claim(report, claim)
  for _, name in ipairs { "epoch", "amount_rao", "recipient", "index", "root" } do
    report.out(report.clean(("%-12s%s"):format(name, tostring(claim[name] or "-"))))
  end
  report.say("the amount is all that was ever earned, claimed or not; small claims revert")
  if claim.recipient_is_hotkey then
    report.warn("no recipient coldkey is set: payouts go to the hotkey itself")
  end
end

local function show_payout(ctx, client, address)
  if not address then return nil, "--payout needs a hotkey: --address, or a wallet", "usage" end
  local base, message, code = payout.url(client.base, ctx.args.pool or ctx.env "BITTERN_POOL")
  if not base then return nil, message, code end
  local claim, why, id = payout.newest(base, address)
  if claim == nil then return nil, why, id end
  if ctx.json then
    ctx.report.data { hotkey = address, payout = claim or json.null }
  elseif not claim then
    ctx.report.say(("nothing for %s in the newest %d epochs"):format(address, why))
  else
    tell_claim(ctx.report, claim)
  end
  return true
end

return {
  api = 1,
  about = "the reward snapshot, and what part of it would be yours",
  group = "discover",
  args = function(parser)
    parser:argument("slug", "a task: all of its miners"):args "?"
    parser:option("--address", "whose share (default: the wallet's hotkey)"):argname "SS58"
    parser:flag("--payout", "what may be claimed from the Pool; nothing is claimed")
    parser:option("--pool", "the Pool's claims (else BITTERN_POOL, else the coordinator's own)")
      :argname "URL"
    listing.arguments(parser, "slugs, or hotkeys of a task's miners,")
    wallet.arguments(parser)
  end,
  run = function(ctx)
    local given = ctx.args.address
    if given and not sr25519.public(given) then
      return nil, "--address is no SS58 address", "usage"
    end
    local client, message, code = session.client(ctx, { signed = not given and "optional" or nil })
    if not client then return nil, message, code end
    local address = given or client.address
    if ctx.args.payout and (ctx.args.ids or ctx.args.fields) then
      return nil, "--payout shows one record: --ids and --fields do not go with it", "usage"
    end
    if ctx.args.payout then return show_payout(ctx, client, address) end
    return show_snapshot(ctx, client, address)
  end,
}
