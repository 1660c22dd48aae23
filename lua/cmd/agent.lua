-- bittern agent SLUG --command TEXT: a claimed task, worked on by somebody's command.
local sys = require "core.sys"

local check = require "bittern.check"
local contest = require "bittern.contest"
local decisions = require "bittern.decisions"
local mining = require "bittern.mining"

-- Which hotkey an autonomous agent's `bittern submit` uses: names and paths, never a secret.
local function hotkey_words(args)
  local words = {}
  for _, name in ipairs { "wallet", "hotkey", "wallet_path", "hotkey_file", "wallet_file",
    "password_file" } do
    if args[name] then
      words[#words + 1], words[#words + 2] = "--" .. name:gsub("_", "-"), args[name]
    end
  end
  return words
end

local function prepare(args)
  args.exe, args.hotkey_words = sys.exe(), hotkey_words(args)
  return { command = args.command, autonomous = args.autonomous or false,
    work_item = args.work_item }
end

local notes = [[
{workspace_dir}, {repo_dir}, {intro_path}, {submission_path} and
{submission_result_path} in the command become those paths, and with _quoted
behind their names shell words; {{ and }} are braces. The command runs in a
shell in the workspace, its output goes to agent.stdout.txt and
agent.stderr.txt there. It reads the intro, writes submission.json and ends
with 0. See docs/agents.md.]]

return {
  api = 1,
  about = "claim a task, let a command work on it, submit what it leaves",
  group = "compete",
  args = function(parser)
    parser:argument("slug", "the task's slug or id")
    parser:option("--command", "what works on the task, a shell's line"):argname("TEXT"):count(1)
    parser:option("--work-item", "claim this work item, or the most wanted one")
      :argname "ID|next"
    parser:flag("--autonomous", "the command submits by itself")
    parser:option("--agent-time", "seconds it may take (default: the task's budget)"):argname("S")
      :convert(check.seconds("--agent-time"))
    parser:option("--work", "the workspace (default: in the state folder)"):argname "DIR"
    parser:option("--description", "what the claim says"):argname("TEXT")
      :default "Bittern: an agent's run"
    parser:option("--timeout", "seconds to wait for the verdict"):argname("S")
      :convert(check.seconds("--timeout")):default "3600"
    decisions.arguments(parser)
    parser:flag("--restart", "abandon the unfinished run and begin anew")
    parser:flag("--dry-run", "make the workspace, print the claim's request, run nothing")
    parser:epilog(notes)
    contest.arguments(parser)
  end,
  run = function(ctx)
    return mining.run(ctx, "agent", prepare)
  end,
}
