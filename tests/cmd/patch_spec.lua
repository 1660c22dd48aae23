-- bittern workspace, bittern patch and submit --workspace, against a local repository.
local fs = require "core.fs"

local answering = require "tests.answering"
local json = require "bittern.json"
local mining = require "tests.mining"
local repository = require "tests.repository"
local support = require "tests.support"

describe("bittern workspace and patch", function()
  local remote, server, folder

  before_each(function()
    remote = repository.make { ["p/train.py"] = "x = 1\n", ["p/init.lua"] = "-- c\nreturn 1\n" }
    server = answering.start({
      repository = remote.url, base_ref = "production", allowed_patch_paths = { "p/*" },
      submission_surface = "patch",
    }, "# Task\n")
    folder = support.folder() .. "/work"
  end)

  after_each(function() server:stop() end)

  it("makes a checkout once, with the onboarding beside it", function()
    local done = server:run("workspace", "here", folder)
    assert.equal(0, done.status, done.stderr)
    assert.equal(folder .. "/repo\n", done.stdout)
    assert.equal("# Task\n", fs.read(folder .. "/onboard.md"))
    repository.write(folder .. "/repo", { ["p/train.py"] = "x = 2\n" })
    done = server:run("workspace", "here", folder, "--json")
    assert.equal(0, done.status, done.stderr)
    local data = assert(json.decode(done.stdout))
    assert.same({ remote.commit, "was there before" }, { data.commit, data.how })
    assert.equal("x = 2\n", fs.read(folder .. "/repo/p/train.py"))
  end)

  it("prints the patch, and what stays out of it", function()
    server:run("workspace", "here", folder)
    local done = server:run("patch", "here", "--workspace", folder)
    assert.equal(9, done.status)
    assert.matches("no patch to submit within allowed_patch_paths", done.stderr)
    repository.write(folder .. "/repo", { ["p/train.py"] = "x = 2\n", ["q.py"] = "q\n" })
    done = server:run("patch", "here", "--workspace", folder)
    assert.equal(0, done.status, done.stderr)
    assert.matches("q.py stays out of the patch: outside allowed_patch_paths", done.stderr, 1, true)
    assert.matches("PASS: %d+ bytes of at most 262144, 1 paths, against " .. remote.commit,
      done.stderr)
    assert.equal(0, server:run("patch", "here", "--workspace", folder, "--out",
      folder .. "/x.diff").status)
    assert.equal(done.stdout, fs.read(folder .. "/x.diff"))
    assert.equal(0, server:run("patch", "here", "--patch", folder .. "/x.diff").status)
  end)

  it("tells of a branch that moved since the clone", function()
    server:run("workspace", "here", folder)
    repository.write(folder .. "/repo", { ["p/train.py"] = "x = 2\n" })
    assert.is_nil(server:run("patch", "here", "--workspace", folder).stderr:find("stands at"))
    repository.write(remote.seed, { ["p/train.py"] = "x = 9\n" })
    repository.git(remote.seed, "commit", "-qam", "moved")
    repository.git(remote.seed, "push", "-q", remote.url, "production")
    local done = server:run("patch", "here", "--workspace", folder)
    assert.equal(0, done.status, done.stderr)
    assert.matches("production stands at " .. repository.git(remote.seed, "rev-parse",
      "HEAD"):sub(1, 12) .. " now", done.stderr, 1, true)
  end)

  it("explains the deleted comment, with the patch still shown", function()
    server:run("workspace", "here", folder)
    repository.write(folder .. "/repo", { ["p/init.lua"] = "return 2\n" })
    local done = server:run("patch", "here", "--workspace", folder, "--json")
    assert.equal(9, done.status)
    local data = assert(json.decode(done.stdout))
    assert.same({ "STOP", "content_as_path", 6 },
      { data.verdict, data.findings[1].id, data.findings[1].line })
    assert.matches("\n--- c\n", data.patch, 1, true)
  end)

  it("wants a checkout or a diff", function()
    assert.equal(2, server:run("patch", "here").status)
  end)
end)

describe("bittern submit --workspace", function()
  local miner

  after_each(function() miner:stop() end)

  it("sends the checkout's patch and HEAD, and refuses local commits", function()
    miner = mining.start()
    local remote = repository.make { ["p/train.py"] = "x = 1\n" }
    miner:ask(("UPDATE task SET record = json_set(record, '$.repository', '%s', '$.base_ref', "
      .. "'production', '$.allowed_patch_paths', json('[\"p/*\"]'))"):format(remote.url))
    local folder = miner.home .. "/work"
    assert.equal(0, support.bittern(miner.home, { "--coordinator", miner.url, "workspace",
      "tiny-binary-frontier", folder }).status)
    repository.write(folder .. "/repo", { ["p/train.py"] = "x = 2\n" })
    assert(fs.write(miner.home .. "/a.zip", ("x"):rep(1000)))
    local published = json.decode(miner:run({ "publish", miner.home .. "/a.zip", "--to", "practice",
      "--json" }).stdout)
    assert(fs.write(miner.home .. "/s.json", json.encode {
      summary = "s", claimed_metrics = { heldout_ppl = 8.5, parameter_count = 2428672 },
      artifact_uri = published.url, artifact_sha256 = published.sha256,
      artifact_size_bytes = published.size, base_ref = "ignored",
    }))
    -- The page still speaks of the repository that it was written for.
    local done = miner:run { "claim", "tiny-binary-frontier" }
    assert.equal(9, done.status, done.stderr)
    assert.matches("--decide repository", done.stderr, 1, true)
    local decide = { "--decide", "repository", "--decide", "allowed_patch_paths" }
    done = miner:run { "claim", "tiny-binary-frontier", table.unpack(decide) }
    assert.equal(0, done.status, done.stderr)
    local function submit(...)
      return miner:run { "submit", "tiny-binary-frontier", "--submission", miner.home .. "/s.json",
        "--workspace", folder, "--decide", "repository", "--decide", "allowed_patch_paths", ... }
    end
    done = submit("--base-ref", ("0"):rep(40), "--dry-run")
    assert.equal(2, done.status, done.stderr)
    done = submit()
    assert.equal(0, done.status, done.stderr)
    local body = json.decode(miner:ask("SELECT body FROM submission")[1].body)
    assert.equal(remote.commit, body.base_ref)
    assert.matches("+x = 2", body.patch, 1, true)
    repository.git(folder .. "/repo", "commit", "-qam", "mine")
    done = submit("--dry-run")
    assert.equal(9, done.status)
    assert.matches("git reset --soft", done.stderr, 1, true)
  end)
end)
