-- A miner of one's own against a practice coordinator, for specs: a home, a hotkey, a short text,
-- and the command `mine` run, watched and killed.
local fs = require "core.fs"
local process = require "core.process"
local store = require "core.store"

local json = require "bittern.json"
local serving = require "tests.practice.serving"
local support = require "tests.support"

local M = {}

--- Nobody waits long for what a coordinator on this machine still may carry out.
M.settle = { BITTERN_SETTLE = "2" }

local Miner = {}
Miner.__index = Miner

--- Starts a practice coordinator and makes a miner.
-- @param options more arguments of `practice serve`; the validator is off unless `validates`
-- @param validates true starts the validator
function M.start(options, validates)
  local home = support.folder()
  local all = { table.unpack(options or {}) }
  if not validates then all[#all + 1] = "--no-validator" end
  assert(fs.mkdir(home .. "/coordinator"))
  local server, url = serving.start(home .. "/coordinator", all)
  local made = support.bittern(home, { "wallet", "new", home .. "/hotkey", "--quiet" })
  assert(made.status == 0, made.stderr)
  -- Few documents: these specs are about steps, not about scores.
  local text = assert(fs.read(support.model .. "/heldout.txt")):sub(1, 600)
  assert(fs.write(home .. "/text", text))
  return setmetatable({ home = home, server = server, url = url }, Miner)
end

--- Ends the coordinator.
function Miner:stop()
  if self.server then serving.stop(self.server) end
  self.server = nil
end

--- Starts the coordinator that was ended, with its state and at its address.
-- @param options more arguments of `practice serve`
function Miner:resume(options)
  local all = { "--no-validator", "--port", self.url:match("(%d+)$") }
  table.move(options or {}, 1, #(options or {}), #all + 1, all)
  self.server = serving.start(self.home .. "/coordinator", all)
end

--- Runs a command of bittern with this miner's coordinator and hotkey.
-- @return {status=, stdout=, stderr=}
function Miner:run(argv)
  local all = { "--coordinator", self.url, table.unpack(argv) }
  table.move({ "--hotkey-file", self.home .. "/hotkey" }, 1, 2, #all + 1, all)
  return support.bittern(self.home, all, { env = M.settle })
end

--- The arguments of `mine` for a task.
function Miner:arguments(slug, more)
  local argv = {
    "mine", slug, "--model", support.model, "--text", self.home .. "/text", "--publish", "practice",
    "--set", "q4=embed,lm_head", "--timeout", "0",
  }
  return table.move(more or {}, 1, #(more or {}), #argv + 1, argv)
end

--- Runs `mine` to its end.
function Miner:mine(slug, more)
  return self:run(self:arguments(slug, more))
end

--- Starts `mine` so that its lines for people can be read one by one.
-- @return child of core.process
function Miner:watch(slug, more)
  local argv = {
    "/bin/sh", "-c", 'exec "$0" "$@" 2>&1 >/dev/null', support.bin, "--coordinator", self.url,
  }
  local rest = self:arguments(slug, more)
  table.move(rest, 1, #rest, #argv + 1, argv)
  table.move({ "--hotkey-file", self.home .. "/hotkey" }, 1, 2, #argv + 1, argv)
  return assert(process.spawn {
    argv = argv, env = support.environment(self.home, M.settle), stdout = "pipe", stderr = "null",
  })
end

--- Reads lines until one of a step comes, then kills with SIGKILL.
-- @return whether that step was seen
function Miner:kill_after(slug, step)
  local child <close> = self:watch(slug)
  while true do
    local line = child:read_line(60)
    if not line then return false end
    if line:find("^  " .. step .. " ") then
      child:kill(9)
      child:wait(10)
      return true
    end
  end
end

--- A question to the coordinator's own database.
function Miner:ask(sql)
  local db <close> = assert(store.open(self.home .. "/coordinator/coordinator.db"))
  return assert(db:query(sql))
end

--- How many claims and submissions the coordinator has.
function Miner:count()
  return self:ask("SELECT count(*) AS n FROM claim")[1].n,
    self:ask("SELECT count(*) AS n FROM submission")[1].n
end

--- The failure that a command with --json printed.
function M.failure(done)
  local value = assert(json.decode(done.stdout))
  return assert(value.error)
end

return M
