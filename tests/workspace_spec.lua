local fs = require "core.fs"
local lfs = require "lfs"

local repository = require "tests.repository"
local support = require "tests.support"
local workspace = require "bittern.workspace"

local git = repository.git

describe("bittern.workspace", function()
  local remote, folder

  before_each(function()
    remote = repository.make { ["train.py"] = "x = 1\n" }
    folder = support.folder() .. "/repo"
  end)

  local function clone(ref)
    return workspace.clone { repository = remote.url, ref = ref, folder = folder, rehearsal = true }
  end

  it("checks out a branch, a tag or a commit, and records where it stood", function()
    git(remote.seed, "tag", "-a", "v1", "-m", "one")
    git(remote.seed, "push", "-q", remote.url, "v1")
    for i, ref in ipairs { "production", "v1", remote.commit, remote.commit:sub(1, 10) } do
      folder = support.folder() .. "/repo" .. i
      local made = assert(clone(ref))
      assert.equal(remote.commit, made.commit)
      assert.equal("x = 1\n", fs.read(folder .. "/train.py"))
      local found = assert(workspace.inspect(folder))
      assert.same({ remote.commit, remote.commit, ref }, { found.commit, found.base, found.ref })
    end
  end)

  it("leaves nothing behind when it fails", function()
    local made, message, code = clone "nowhere"
    assert.is_nil(made)
    assert.matches("no branch, tag or commit 'nowhere'", message)
    assert.equal("git", code)
    for name in lfs.dir(folder:match("^(.*)/")) do assert.matches("^%.%.?$", name) end
  end)

  it("refuses addresses that are no public https, and refs that are options", function()
    for _, address in ipairs { "", "-x", "git@host:x.git", "ssh://h/x", "ext::sh -c x",
      "http://example.org/x.git", "https://user:secret@example.org/x.git", "file:///etc" } do
      local made, message, code = workspace.clone { repository = address, ref = "main",
        folder = folder }
      assert.is_nil(made)
      assert.equal("insecure", code, message)
    end
    for _, ref in ipairs { "--upload-pack=x", "", "a b", "a..b", "\n" } do
      assert.is_nil((clone(ref)))
    end
    local _, _, code = workspace.clone { repository = remote.url, ref = "main", folder = folder }
    assert.equal("insecure", code)
  end)

  it("refuses a HEAD that validators cannot fetch, and says how to keep the work", function()
    assert(clone "production")
    repository.write(folder, { ["train.py"] = "x = 2\n" })
    git(folder, "commit", "-qam", "local")
    local found, message, code = workspace.inspect(folder)
    assert.is_nil(found)
    assert.equal("unpublished_commit", code)
    assert.matches("1 local commits", message, 1, true)
    assert.matches("git reset --soft " .. remote.commit, message, 1, true)
    git(folder, "reset", "--soft", remote.commit)
    assert(workspace.inspect(folder))
    -- A commit that was pushed is on the remote, whoever made it.
    git(folder, "commit", "-qam", "pushed")
    git(folder, "push", "-q", "origin", "HEAD:refs/heads/mine")
    assert(workspace.inspect(folder))
  end)

  it("takes a checkout that git made, by its base ref or its remote", function()
    git(remote.seed, "clone", "-q", remote.url, folder)
    local found = assert(workspace.inspect(folder:match("^(.*)/")))
    assert.same({ remote.commit, folder }, { found.commit, fs.realpath(found.folder) })
    assert.is_nil(found.base)
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    local commit = git(folder, "rev-parse", "HEAD")
    assert.is_nil((workspace.inspect(folder)))
    assert(workspace.inspect(folder, { base_ref = commit }))
  end)

  it("refuses a checkout whose configuration runs programs", function()
    assert(clone "production")
    local mark = support.folder() .. "/ran"
    git(folder, "config", "filter.x.clean", "touch " .. mark)
    repository.write(folder, { [".gitattributes"] = "* filter=x\n", ["train.py"] = "x = 3\n" })
    local found, message = workspace.inspect(folder)
    assert.is_nil(found)
    assert.matches("filter.x.clean", message, 1, true)
    assert.is_nil((fs.stat(mark)))
  end)

  it("runs no hook of a checkout and reads no configuration of the user", function()
    local home = support.folder()
    repository.write(home, { [".gitconfig"] = "[core]\n\thooksPath = " .. home .. "/hooks\n" })
    assert(clone "production")
    local hook = folder .. "/.git/hooks"
    repository.write(folder,
      { [".git/hooks/post-checkout"] = "#!/bin/sh\ntouch " .. hook .. "/ran" })
    os.execute("chmod +x '" .. hook .. "/post-checkout'")
    assert(workspace.inspect(folder))
    assert.is_nil((fs.stat(hook .. "/ran")))
  end)

  it("replaces nothing", function()
    assert(clone "production")
    local _, _, code = clone "production"
    assert.equal("exists", code)
    assert.equal("no_checkout", select(3, workspace.inspect(support.folder())))
    assert.equal("not_found", select(3, workspace.inspect "/nowhere/at/all"))
  end)

  it("asks the remote where a branch stands now", function()
    repository.write(remote.seed, { ["train.py"] = "x = 9\n" })
    git(remote.seed, "commit", "-qam", "moved")
    git(remote.seed, "push", "-q", remote.url, "production")
    local options = { repository = remote.url, ref = "production", rehearsal = true, timeout = 30 }
    assert.equal(git(remote.seed, "rev-parse", "HEAD"), workspace.remote_commit(options))
    options.ref = "nowhere"
    assert.is_nil((workspace.remote_commit(options)))
  end)
end)
