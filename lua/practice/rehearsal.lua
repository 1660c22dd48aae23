-- A rehearsal of one task from end to end, for tests of modes: a practice coordinator with its
-- validator, a repository made of a folder of files, and miners with hotkeys of their own.
local fs = require "core.fs"
local process = require "core.process"
local sr25519 = require "core.sr25519"
local sys = require "core.sys"

local coordinator = require "bittern.coordinator"
local git = require "bittern.git"
local hex = require "bittern.hex"
local json = require "bittern.json"
local patch = require "bittern.patch"
local paths = require "bittern.paths"
local workspace = require "bittern.workspace"

local M = {}

local WAIT <const>, PAUSE <const> = 60, 0.05

local Rehearsal = {}
Rehearsal.__index = Rehearsal

-- A repository with one commit that holds the folder's files.
local function make_repository(from, to)
  local done, message, code = process.run { argv = { "cp", "-R", "--", from, to } }
  if not done then return nil, message, code end
  if done.status ~= 0 then return nil, done.stderr:match("[^\n]*"), "io" end
  for _, arguments in ipairs {
    { "init", "-q", "--template=", "--initial-branch=production" }, { "add", "-A" },
    { "-c", "user.name=rehearsal", "-c", "user.email=rehearsal@example.org", "commit", "-q", "-m",
      "the task" },
  } do
    local ok, why, id = git.run(arguments, { folder = to })
    if not ok then return nil, why, id end
  end
  local commit, why, id = git.run({ "rev-parse", "HEAD" }, { folder = to })
  if not commit then return nil, why, id end
  return commit:match("%x+")
end

-- The task's file with this repository in it.
local function write_task(self, path)
  local text, message, code = fs.read(path, 1 << 20)
  if not text then return nil, message, code end
  local fields, why = json.decode(text)
  if type(fields) ~= "table" then
    return nil, ("%s: %s"):format(path, why or "no object"), "config"
  end
  fields.repository, fields.base_ref = self.folder .. "/repo", self.commit
  self.slug = fields.slug
  return fs.write(self.folder .. "/task.json", assert(json.encode(fields)))
end

local function serve(self, root)
  local own = self.slug and { "--task", self.folder .. "/task.json" } or {}
  local argv = { sys.exe(), "--root", root, "practice", "serve",
    "--state", self.folder .. "/state", table.unpack(own) }
  local child, message, code = process.spawn { argv = argv, stdout = "pipe",
    stderr = self.folder .. "/stderr" }
  if not child then return nil, message, code end
  self.child = child
  local ready = json.decode(child:read_line(20) or "")
  if not (ready and ready.url) then
    local said = fs.read(self.folder .. "/stderr") or ""
    return nil, "the practice coordinator does not start: " .. said, "config"
  end
  self.url = ready.url
  return true
end

-- A task of one's own: its repository, and its file that names this repository.
local function prepare_task(self, options)
  local message, code
  self.commit, message, code = make_repository(options.repository, self.folder .. "/repo")
  if not self.commit then return nil, message, code end
  return write_task(self, options.task)
end

local function prepare(self, options)
  local ok, message, code = fs.mkdir(self.folder, 0x1C0)
  if ok and options.task then ok, message, code = prepare_task(self, options) end
  if ok then ok, message, code = serve(self, options.root) end
  if not ok then return nil, message, code end
  self.client, message, code = self:miner()
  if not self.client then return nil, message, code end
  if not self.slug then return true end
  self.task, message, code = self.client:find(self.slug)
  return self.task, message, code
end

--- Starts a rehearsal; close it, or let it go out of scope.
-- @param options {root = folder with modes/ and so on, task = path of a task's JSON, repository =
--   folder of the task's files}; without a task the coordinator has its own two
-- @return {client=, task= its record or nil, url=, commit=}, or nil, message, code
-- @usage examples/speedup/modes/speedup.test.lua
function M.start(options)
  local folder = ("%s/rehearsal-%s"):format(paths.cache(), hex.encode(sys.random(6)))
  local self = setmetatable({ folder = folder }, Rehearsal)
  local ok, message, code = prepare(self, options)
  if ok then return self end
  self:close()
  return nil, message, code
end

--- Ends it and removes all that it made.
function Rehearsal:close()
  if self.child then
    self.child:kill()
    self.child:wait(10)
    self.child:close()
    self.child = nil
  end
  workspace.remove(self.folder)
end

Rehearsal.__close = Rehearsal.close

--- One more miner, with a hotkey of its own.
-- @return client of the coordinator, or nil, message, code
function Rehearsal:miner()
  return coordinator.new { url = self.url, key = assert(sr25519.from_seed(sys.random(32))) }
end

-- The patch that makes these files of the repository others.
local function patch_of(self, files)
  local folder = self.folder .. "/work"
  workspace.remove(folder)
  local made, message, code = workspace.clone { repository = self.folder .. "/repo",
    ref = self.commit, folder = folder, timeout = WAIT, rehearsal = true }
  if not made then return nil, message, code end
  for name, text in pairs(files) do
    local ok, why, id = fs.write(folder .. "/" .. name, text)
    if not ok then return nil, why, id end
  end
  local built, why, id = patch.build(folder, patch.spec(self.task), {})
  if not built then return nil, why, id end
  return built.text
end

--- Sends a submission, without a gate before it.
-- @param options {files = {path = new text}, fields = more of the body, client = another miner}
-- @return submission record, or nil, message, code
function Rehearsal:submit(options)
  local client, body = options.client or self.client, { summary = "a rehearsal", patch = "",
    base_ref = self.commit, claimed_metrics = {} }
  if options.files then
    local text, message, code = patch_of(self, options.files)
    if not text then return nil, message, code end
    body.patch = text
  end
  for name, value in pairs(options.fields or {}) do body[name] = value end
  local claim, message, code = client:claim(self.task, "a rehearsal")
  if not claim then return nil, message, code end
  body.claim_id = claim.id
  return client:submit(body)
end

--- Sends a submission and waits for its verdict.
-- @param options as Rehearsal:submit
-- @return submission record as it is then, what the validator noted; or nil, message, code
function Rehearsal:try(options)
  local sent, message, code = self:submit(options)
  if not sent then return nil, message, code end
  for _ = 1, WAIT // PAUSE do
    local record, why, id = self.client:submission(sent.id)
    if not record then return nil, why, id end
    if record.status ~= "pending_verification" then
      local verdicts = self.client:verifications(sent.id)
      return record, verdicts and verdicts[1] and verdicts[1].notes or ""
    end
    local slept, reason, kind = sys.sleep(PAUSE)
    if not slept then return nil, reason, kind end
  end
  return nil, "no verdict within a minute", "timeout"
end

--- The best submission's id, or nil while there is none.
function Rehearsal:best()
  local best, message, code = self.client:best(self.task)
  if not best then return nil, message, code end
  return best.submission_id
end

return M
