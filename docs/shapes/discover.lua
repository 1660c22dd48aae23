-- What the commands of the group `discover` print with --json.
local shape = ...
local list, map, either = shape.list, shape.map, shape.either

local SAID <const> = { line = "integer: of the onboarding text", text = "string",
  ["..."] = true }

local SHARE <const> = {
  ["slug?"] = "string", ["competition_mode?"] = "string", ["scoring_mode?"] = "string",
  weight = "number", pool_share = "number", miners = "integer: how many", score = "number",
  ["place?"] = "integer", share = "number: of the competition", of_pool = "number",
}

local PAYOUT <const> = {
  epoch = "integer", hotkey = "string", recipient = "string", recipient_is_hotkey = "boolean",
  ["amount_rao?"] = "string: digits, all that was ever earned", ["index?"] = "integer",
  ["root?"] = "string", ["proof?"] = "any",
}

return {
  tasks = { tasks = list "task" },
  task = "task",
  onboard = {
    slug = "string", text = "string: all of it, as it came", ["title?"] = "string",
    demands = list { line = "integer", text = "string", field = "string",
      kind = "string: required, optional or forbidden", ["items?"] = list "string",
      ["condition?"] = "string: when it holds" },
    facts = list { line = "integer", text = "string", field = "string", value = "any",
      ["section?"] = "integer" },
    limits = map { line = "integer", text = "string", value = "string|integer|number" },
    ["artifact_first?"] = SAID,
    ["changed?"] = { since = "integer: seconds since 1970, when it was seen last",
      lines = list "string: '- ' and a line taken away, or '+ ' and one added" },
  },
  rules = {
    slug = "string",
    rules = list {
      id = "string", about = "string", source = "string: who says so",
      state = "string: PASS, STOP, decided, optional, or open until there is a submission",
      ["value?"] = "any", optional = "boolean", also = list "string: who says the same",
      conflicts = list "string: who says otherwise",
      ["decision?"] = { contradiction = "string", ["why?"] = "string",
        decided = "integer: seconds since 1970" },
    },
  },
  best = { slug = "string", best = either { "best", "null: there is none yet" } },
  rewards = either {
    {
      hotkey = "string|null", of_pool = "number: share of all", snapshot = "object",
      shares = list(SHARE), ideas = either {
        { proposed = "number", implemented = "number", count = "integer" }, "null",
      },
    },
    { slug = "string", miners = list { hotkey = "string", score = "number", share = "number" } },
    { hotkey = "string", payout = either { PAYOUT, "null: none in the newest epochs" } },
  },
  ideas = { slug = "string", hotkey = "string|null: whose ideas are left out",
    ideas = list "submission" },
  dashboard = {
    coordinator = "string", tasks = list "task", numbers = "object: as the coordinator counts",
    competitions = list "competition", best = map "best",
    missing = list "string: what the coordinator did not tell, and why",
    ["disclaimer?"] = "string",
  },
}
