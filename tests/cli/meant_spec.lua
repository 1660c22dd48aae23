-- A slip of the hand is met with what may have been meant, whatever kind of name it is in.
local fs = require "core.fs"

local mining = require "tests.mining"
local support = require "tests.support"

describe("did you mean", function()
  local miner, home

  setup(function()
    miner = mining.start()
    home = miner.home
    assert.equal(0, support.bittern(home, { "wallet", "new" }).status)
    assert(fs.mkdir(home .. "/.config/bittern"))
    assert(fs.write(home .. "/.config/bittern/config.lua", [[return {
      aliases = { rehearse = "compress --dry-run" },
      profiles = { rehearsal = { hotkey = "t" } } }]]))
    assert(fs.write(home .. "/r.lua",
      "return { api = 1, about = 'x', tensr = function() end }"))
  end)
  teardown(function() miner:stop() end)

  local model <const> = support.model
  local mine <const> = { "mine", "tiny-binary-frontier", "--model", model, "--text", model
    .. "/heldout.txt" }

  local function mine_with(...)
    return table.move({ ... }, 1, select("#", ...), #mine + 1, { table.unpack(mine) })
  end

  -- what it is, what was meant, the words
  for _, case in ipairs {
    { "a command", "compress", { "comprss" } },
    { "help", "help", { "hlp" } },
    { "an alias", "rehearse", { "reherse" } },
    { "an option", "--recipe", { "compress", model, "--recpe", "rowmix" } },
    { "an option of every command", "--offline", { "version", "--ofline" } },
    { "a profile", "rehearsal", { "--profile", "rehersal", "version" } },
    { "a slug", "tiny-binary-frontier", { "task", "tiny-binry-frontier" } },
    { "a slug to work on", "tiny-binary-frontier", { "claim", "tiny-binary-frontire" } },
    { "a mode", "standard", { "tasks", "--mode", "standrad" } },
    { "a tensor to look at", "model.norm.weight", { "stats", model, "--tensor",
      "model.norm.wieght" } },
    { "a tensor to decode", "model.norm.weight", { "decode", model, "--tensor", "model.norm.weigt",
      "--out", "/dev/null" } },
    { "a recipe", "rowmix", { "compress", model, "--recipe", "rowmx", "--dry-run" } },
    { "a recipe's argument", "base", { "compress", model, "--set", "bse=t5", "--dry-run" } },
    { "a recipe's key", "tensor", { "compress", model, "--recipe", "{home}/r.lua", "--dry-run" } },
    { "a codec", "q8_0", { "convert", model, "{home}/c.gguf", "--to", "q8_1" } },
    { "a publisher", "practice", mine_with("--publish", "practise") },
    { "a publisher's argument", "bucket", { "publish", "{home}/text", "--to", "s3", "--set",
      "bukcet=x", "--dry-run" } },
    { "a workflow", "mine", mine_with("--publish", "practice", "--workflow", "mien") },
    { "a field", "slug", { "--json", "tasks", "--fields", "slgu" } },
    { "a fault", "chunked", { "practice", "--state", "{home}/other", "--fault", "chnuked" } },
  } do
    it(case[1], function()
      local argv = { "--coordinator", miner.url }
      for _, word in ipairs(case[3]) do argv[#argv + 1] = (word:gsub("{home}", home)) end
      local done = support.bittern(home, argv, { env = mining.settle })
      local text = ("did you mean '%s'?"):format(case[2])
      assert.truthy((done.stdout .. done.stderr):find(text, 1, true), done.stdout .. done.stderr)
    end)
  end
end)
