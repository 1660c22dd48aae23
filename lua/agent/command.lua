-- An agent's command as a child: its template, environment, heartbeat and end (contract.md 3.8).
local fs = require "core.fs"
local process = require "core.process"

local check = require "bittern.check"
local report = require "bittern.report"
local template = require "bittern.template"

local M = {}

local BEAT <const>, GRACE <const> = 10, 5
local OUTPUT_MAX <const> = 256 << 20
local WORDS_MAX <const> = 600

--- A word as a shell takes it.
function M.quoted(text)
  if text:find("^[%w_@%%+=:,./-]+$") then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The command line of a template.
-- @param text with {workspace_dir} and the other places, each also as {..._quoted}
-- @param places as bittern.agent.brief gives them
-- @return string, or nil, message, "usage"
function M.line(text, places)
  local values = {}
  for name, path in pairs(places) do
    values[name], values[name .. "_quoted"] = path, M.quoted(path)
  end
  local line, message, code = template.fill(text, values)
  if not line then return nil, "--command: " .. message, code end
  return line
end

--- What the environment adds.
-- @param task record
-- @return {NAME = value}
function M.environment(places, task, claim_id, coordinator)
  return {
    BITSOTA_AGENT_WORKSPACE = places.workspace_dir, BITSOTA_AGENT_REPO_DIR = places.repo_dir,
    BITSOTA_AGENT_INTRO_PATH = places.intro_path,
    BITSOTA_AGENT_SUBMISSION_PATH = places.submission_path,
    BITSOTA_AGENT_SUBMISSION_RESULT_PATH = places.submission_result_path,
    BITSOTA_RESEARCH_CLAIM_ID = claim_id, BITSOTA_RESEARCH_TASK_ID = tostring(task.id),
    BITSOTA_RESEARCH_TASK_SLUG = task.slug, BITSOTA_RESEARCH_COORDINATOR_URL = coordinator,
  }
end

-- env(1) adds to what is inherited; the shell runs the line.
local function argv_of(options)
  local argv = { "/usr/bin/env" }
  for _, name in ipairs(check.sorted_keys(options.environment)) do
    argv[#argv + 1] = ("%s=%s"):format(name, options.environment[name])
  end
  return table.move({ "/bin/sh", "-c", options.line }, 1, 3, #argv + 1, argv)
end

local function size_of(path)
  local info = fs.stat(path)
  return info and info.size or 0
end

-- The whole group is asked to end, then made to.
local function finish(child)
  child:kill(15)
  if not child:wait(GRACE) then child:kill(9) end
end

-- Waits for the end with a sign of life now and then.
local function watch(child, options, outputs)
  local started = options.clock()
  while true do
    local spent = options.clock() - started
    local left = options.timeout - spent
    local ended, message, code = child:wait(math.max(0.01, math.min(options.beat or BEAT, left)))
    if ended then return ended end
    local written = size_of(outputs[1]) + size_of(outputs[2])
    if code ~= "timeout" or options.clock() - started >= options.timeout then
      finish(child)
      if code ~= "timeout" then return nil, message, code end
      return nil, ("not done after %.0f s; it and all its children were ended"):format(
        options.timeout), "agent"
    end
    if written > OUTPUT_MAX then
      finish(child)
      return nil, ("wrote more than %d bytes of output"):format(OUTPUT_MAX), "agent"
    end
    options.say(("    agent: %.0f s of %.0f s, %s bytes of output"):format(
      options.clock() - started, options.timeout, report.thousands(written)))
  end
end

local function first_words(outputs)
  for _, path in ipairs { outputs[2], outputs[1] } do
    local file <close> = io.open(path, "rb")
    local text = file and file:read(WORDS_MAX)
    if text and text:find("%S") then return ": " .. report.clean(text) end
  end
  return ""
end

--- Runs a command to its end.
-- @param options {line= for the shell, folder= to run in, environment=, timeout= seconds, clock=,
--   say= function(text), beat= seconds between two signs of life, 10 when nil}
-- @return true, or nil, message, code ("agent" when it failed or took too long)
function M.run(options)
  local outputs = { options.folder .. "/agent.stdout.txt", options.folder .. "/agent.stderr.txt" }
  for _, path in ipairs(outputs) do fs.remove(path) end
  local child <close>, message, code = process.spawn {
    argv = argv_of(options), cwd = options.folder, stdout = outputs[1], stderr = outputs[2],
  }
  if not child then return nil, message, code end
  local ended, why, id = watch(child, options, outputs)
  if not ended then return nil, "the agent: " .. why, id end
  if ended.status == 0 then return true end
  return nil, ("the agent ended with %s%s"):format(
    ended.status and "exit " .. ended.status or "signal " .. ended.signal, first_words(outputs)),
    "agent"
end

return M
