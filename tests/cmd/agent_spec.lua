local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local canonical = require "bittern.canonical"
local json = require "bittern.json"
local mining = require "tests.mining"
local repository = require "tests.repository"
local support = require "tests.support"

local SLUG <const> = "tune-the-script"

describe("bittern agent", function()
  local miner, remote

  -- A task whose submissions are patches of train.py.
  before_each(function()
    remote = repository.make { ["train.py"] = "x = 1\n", ["other.py"] = "y = 1\n" }
    local file = support.folder() .. "/task.json"
    assert(fs.write(file, assert(canonical.encode {
      slug = SLUG, title = "Tune the script", repository = remote.url, base_ref = "production",
      benchmark_command = "python3 train.py", metric_name = "score", metric_direction = "minimize",
      allowed_patch_paths = canonical.array { "train.py" }, time_budget_seconds = 60,
      competition_mode = "standard", onboard_md = "# Tune the script\n\nEdit `train.py`.\n",
    })))
    miner = mining.start { "--task", file }
  end)

  after_each(function() miner:stop() end)

  local function agent(command, ...)
    return miner:run { "agent", SLUG, "--timeout", "0", "--command", command, ... }
  end

  local function workspace(run)
    return ("%s/.local/state/bittern/work/%s-%d"):format(miner.home, SLUG, run or 1)
  end

  local function claim_states()
    local list = {}
    for i, row in ipairs(miner:ask("SELECT status FROM claim ORDER BY rowid")) do
      list[i] = row.status
    end
    return list
  end

  local sidecar <const> = [[printf '{{"summary":"tuned","claimed_metrics":{{"score":2.0}}}}']]
    .. " > {submission_path_quoted}"
  local work <const> = "echo 'x = 2' > {repo_dir}/train.py && " .. sidecar

  it("submits the patch and the sidecar that a command leaves behind", function()
    local done = agent(work)
    assert.equal(8, done.status, done.stderr)
    local body = json.decode(miner:ask("SELECT body FROM submission")[1].body)
    assert.matches("\n-x = 1\n+x = 2\n", body.patch, 1, true)
    assert.same({ remote.commit, "tuned" }, { body.base_ref, body.summary })
    assert.same({ score = 2 }, body.claimed_metrics)
    assert.is_truthy(fs.stat(workspace() .. "/submission_result.json"))
    -- Once more: nothing is done or sent again.
    assert.equal(8, agent(work).status)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("tells the command all it needs, in files and in its environment", function()
    local done = agent("env > env.txt; cat {intro_path} > /dev/null; " .. work)
    assert.equal(8, done.status, done.stderr)
    local intro = assert(fs.read(workspace() .. "/INTRO_GUI.md"))
    local claim = miner:ask("SELECT id FROM claim")[1].id
    for _, text in ipairs { "# INTRO_GUI.md", "- Claim id: " .. claim, "## Task Onboarding",
      "Edit `train.py`.", "- Submission surface: `patch`", "`allowed_patch_paths` only: `train.py`",
      "You must not submit" } do
      assert.matches(text, intro, 1, true)
    end
    local context = assert(json.decode(assert(fs.read(workspace() .. "/claim_context.json"))))
    assert.same({ claim, SLUG, {} }, { context.claim.id, context.task.slug,
      context.idea_candidates })
    local env = assert(fs.read(workspace() .. "/env.txt"))
    for _, line in ipairs {
      "BITSOTA_AGENT_WORKSPACE=" .. workspace(),
      "BITSOTA_AGENT_REPO_DIR=" .. workspace() .. "/repo",
      "BITSOTA_AGENT_INTRO_PATH=" .. workspace() .. "/INTRO_GUI.md",
      "BITSOTA_AGENT_SUBMISSION_PATH=" .. workspace() .. "/submission.json",
      "BITSOTA_AGENT_SUBMISSION_RESULT_PATH=" .. workspace() .. "/submission_result.json",
      "BITSOTA_RESEARCH_CLAIM_ID=" .. claim, "BITSOTA_RESEARCH_TASK_SLUG=" .. SLUG,
      "BITSOTA_RESEARCH_COORDINATOR_URL=" .. miner.url,
    } do
      assert.matches(line .. "\n", env, 1, true)
    end
  end)

  it("refuses a template with an unknown name before anything is claimed", function()
    local done = agent("run {repo_dri}", "--json")
    assert.same({ 2, "usage" }, { done.status, mining.failure(done).id })
    assert.matches("did you mean {repo_dir}", mining.failure(done).message, 1, true)
    assert.same({ 0, 0 }, { miner:count() })
  end)

  it("with --dry-run makes the workspace, prints the claim's request, and runs nothing", function()
    local done = agent("touch ran", "--dry-run", "--json")
    assert.equal(0, done.status, done.stderr)
    local request = assert(json.decode(done.stdout)).requests[1]
    assert.matches("/claim$", request.url)
    assert.is_truthy(fs.stat(workspace() .. "/INTRO_GUI.md"))
    assert.is_nil(fs.stat(workspace() .. "/ran"))
    assert.same({ 0, 0 }, { miner:count() })
  end)

  it("gives the claim back when the command fails, with its words", function()
    local done = agent("echo no GPU here >&2; exit 3", "--json")
    assert.equal(1, done.status, done.stderr)
    assert.same({ "agent", "the agent ended with exit 3: no GPU here " },
      { mining.failure(done).id, mining.failure(done).message })
    assert.same({ "cancelled" }, claim_states())
    assert.equal(8, agent(work).status)
    assert.same({ "cancelled", "completed" }, claim_states())
  end)

  it("ends the whole process group at the deadline", function()
    local started = sys.clock()
    local done = agent("sleep 61 & echo $! > pid; sleep 62", "--agent-time", "0.6", "--json")
    assert.is_true(sys.clock() - started < 20)
    assert.equal(1, done.status, done.stderr)
    assert.matches("not done after 1 s; it and all its children were ended",
      mining.failure(done).message, 1, true)
    local pid = assert(fs.read(workspace() .. "/pid")):match("%d+")
    -- Ended; where nobody collects orphans its number stays a while.
    assert.equal("", fs.read("/proc/" .. pid .. "/cmdline") or "")
    assert.same({ "cancelled" }, claim_states())
  end)

  it("refuses what was committed, since validators cannot fetch it, and keeps the claim", function()
    local commit = "cd {repo_dir} && git -c user.name=t -c user.email=t@t commit -qam done"
    local done = agent(work .. " && " .. commit, "--json")
    assert.equal("unpublished_commit", mining.failure(done).id, done.stderr)
    assert.same({ "active" }, claim_states())
    assert.equal(0, select(2, miner:count()))
  end)

  it("killed while the command works continues with the same claim and checkout", function()
    local argv = { support.bin, "--coordinator", miner.url, "agent", SLUG, "--timeout", "0",
      "--command", "sleep 0.2; " .. work, "--hotkey-file", miner.home .. "/hotkey" }
    do
      local child <close> = assert(process.spawn { argv = argv, stderr = "null",
        env = support.environment(miner.home, mining.settle) })
      repeat sys.sleep(0.02) until fs.stat(workspace() .. "/INTRO_GUI.md")
      child:kill(9)
      child:wait(10)
    end
    assert.equal(8, agent("sleep 0.2; " .. work).status)
    assert.same({ 1, 1 }, { miner:count() })
    assert.same({ "completed" }, claim_states())
  end)

  it("lets an autonomous command submit by itself, and follows what it sent", function()
    local helper = "$(sed -n 's/^    //p' {intro_path} | grep ' submit ')"
    local done = agent(work .. [[ && sh -c "]] .. helper .. [["]], "--autonomous")
    assert.equal(8, done.status, done.stderr)
    assert.matches("submit .*sent before", done.stderr)
    assert.is_truthy(json.decode(assert(fs.read(workspace() .. "/submission_result.json"))).id)
    assert.same({ 1, 1 }, { miner:count() })
  end)

  it("works on a work item: the most wanted one, or the one that is named", function()
    assert.equal(0, support.bittern(miner.home,
      { "practice", "plan", "--state", miner.home .. "/coordinator" }).status)
    local preview = agent("true", "--work-item", "next", "--dry-run", "--json")
    assert.equal(0, preview.status, preview.stderr)
    assert.matches("/work%-items/[%x-]+/claim$", json.decode(preview.stdout).requests[1].url)
    local fails = agent("exit 3", "--work-item", "next")
    assert.equal(1, fails.status)
    assert.same({ 0 }, { miner:ask("SELECT count(*) AS n FROM work_item WHERE status <> 'open'")[1]
      .n })
    local done = agent("cp {intro_path} intro; " .. work, "--work-item", "next")
    assert.equal(8, done.status, done.stderr)
    local item = miner:ask("SELECT * FROM work_item WHERE status = 'completed'")[1]
    assert.matches("claim .*for the work item " .. item.title, done.stderr)
    local folder = workspace(2)
    assert.matches("## Work Item\n\n- Id: " .. item.id, fs.read(folder .. "/intro"), 1, true)
    local context = json.decode(assert(fs.read(folder .. "/claim_context.json")))
    assert.same({ item.id, item.claim_id }, { context.work_item.id, context.claim.id })
    local again = agent(work, "--work-item", item.id, "--restart", "--json")
    assert.equal(10, again.status, again.stderr)
    assert.matches("is completed", mining.failure(again).message)
    assert.same({ 2, 1 }, { miner:count() })
  end)

  it("gives the claim of an autonomous command back that did not submit, and says so", function()
    local done = agent("true", "--autonomous", "--json")
    assert.equal("the agent ended without a submission; its claim is given back",
      mining.failure(done).message)
    assert.same({ "cancelled" }, claim_states())
  end)

  it("keeps a command from submitting that may not", function()
    local command = ("%s --coordinator %s submit %s --submission x --hotkey-file %s/hotkey; "
      .. "echo $? > code; %s"):format(support.bin, miner.url, SLUG, miner.home, work)
    assert.equal(8, agent(command).status)
    assert.equal("11\n", fs.read(workspace() .. "/code"))
    assert.same({ 1, 1 }, { miner:count() })
  end)
end)
