local fs = require "core.fs"
local lfs = require "lfs"

local patch = require "bittern.patch"
local preflight = require "bittern.patch.preflight"
local repository = require "tests.repository"
local support = require "tests.support"
local workspace = require "bittern.workspace"

local git = repository.git

local LUA <const> = "-- first\nlocal x = 1\n-- a comment\nreturn x\n"

describe("bittern.patch", function()
  local remote, folder

  before_each(function()
    remote = repository.make {
      ["p/train.py"] = "x = 1\ny = 2\n", ["p/init.lua"] = LUA, ["other.py"] = "z\n",
      ["p/dos.py"] = "a\r\nb\r\n", ["p/open.py"] = "no end", [".gitignore"] = "*.tmp\n",
    }
    folder = support.folder() .. "/repo"
    assert(workspace.clone { repository = remote.url, ref = "production", folder = folder,
      rehearsal = true })
  end)

  local function spec(extra)
    local all = { allowed_patch_paths = { "p/*" }, max_patch_bytes = 262144,
      result_path = "p/out/result.json" }
    for key, value in pairs(extra or {}) do all[key] = value end
    return all
  end

  local function build(extra, options)
    return patch.build(folder, spec(extra), options)
  end

  -- A fresh clone with the patch on it, as a validator has it.
  local function replay(text)
    local fresh = support.folder() .. "/fresh"
    git(remote.seed, "clone", "-q", remote.url, fresh)
    git(fresh, "checkout", "-q", remote.commit)
    local done = support.run({ "git", "apply", "-" }, { cwd = fresh, input = text })
    assert.equal(0, done.status, done.stderr)
    return fresh
  end

  it("holds changed, staged, new and deleted files of the surface, and applies", function()
    repository.write(folder, {
      ["p/train.py"] = "x = 3\ny = 2\n", ["p/new.py"] = "n\n", ["p/staged.py"] = "s\n",
      ["other.py"] = "left out\n", ["p/dos.py"] = "a\r\nc\r\n", ["p/open.py"] = "no end either",
      ["p/bytes.bin"] = "\0\1\2\255",
    })
    assert(fs.remove(folder .. "/p/init.lua"))
    git(folder, "add", "p/staged.py")
    os.execute(("chmod +x '%s/p/train.py'"):format(folder))
    local made = assert(build(nil, { unchecked = true }))
    local fresh = replay(made.text)
    for _, name in ipairs { "train.py", "new.py", "staged.py", "dos.py", "open.py", "bytes.bin" } do
      assert.equal(fs.read(folder .. "/p/" .. name), fs.read(fresh .. "/p/" .. name), name)
    end
    assert.is_nil((fs.stat(fresh .. "/p/init.lua")))
    assert.equal("z\n", fs.read(fresh .. "/other.py"))
    assert.same({ { path = "other.py", why = "outside allowed_patch_paths" } }, made.left_out)
    -- The client's own order: unstaged, staged, untracked.
    assert.same({ "p/dos.py", "p/init.lua", "p/open.py", "p/train.py", "p/staged.py",
      "p/bytes.bin", "p/new.py" }, made.paths)
  end)

  -- Git tells such a change only by the age of the index, which a copy of it must keep.
  it("holds a change of the same size in the second of the checkout", function()
    local past <const> = 1700000000
    git(folder, "config", "core.trustctime", "false")
    lfs.touch(folder .. "/p/train.py", past, past)
    git(folder, "update-index", "--refresh")
    lfs.touch(folder .. "/.git/index", past, past)
    -- Into the same file, as a shell writes.
    support.run({ "/bin/sh", "-c", [[printf 'x = 3\ny = 2\n' > p/train.py]] }, { cwd = folder })
    lfs.touch(folder .. "/p/train.py", past, past)
    assert.matches("+x = 3", assert(build()).text, 1, true)
  end)

  it("leaves the user's index as it is", function()
    repository.write(folder, { ["p/new.py"] = "n\n" })
    local before = fs.read(folder .. "/.git/index")
    assert(build())
    assert.equal(before, fs.read(folder .. "/.git/index"))
    assert.equal("?? p/new.py", git(folder, "status", "--porcelain"))
  end)

  it("explains a deleted Lua comment before anything is sent", function()
    repository.write(folder, { ["p/init.lua"] = "-- first\nlocal x = 1\nreturn x\n" })
    local made, message, code = build()
    assert.is_nil(made)
    assert.equal("patch", code)
    assert.matches("deletes a line that begins with `-- `", message, 1, true)
    assert.matches("validators take `a comment` for a file's name", message, 1, true)
    -- An indented comment and a changed line beside it do no harm.
    repository.write(folder, { ["p/init.lua"] = LUA:gsub("x = 1", "x = 2") })
    assert(build())
  end)

  it("says why there is nothing, unless the artifact is what counts", function()
    local cases = {
      { {}, "within allowed_patch_paths$" },
      { { ["other.py"] = "x" }, "%(other.py: outside allowed_patch_paths%)" },
      { { ["p/a.pyc"] = "x" }, "%(p/a.pyc: Python bytecode%)" },
      { { ["p/__pycache__/a.txt"] = "x" }, "a cache of Python's" },
      { { ["p/out/result.json"] = "x" }, "a result that a run generated" },
      { { ["p/a.tmp"] = "x" }, "%(p/a.tmp: ignored by git%)" },
    }
    for _, case in ipairs(cases) do
      repository.write(folder, case[1])
      local made, message, code = build()
      assert.is_nil(made)
      assert.equal("patch_empty", code)
      assert.matches(case[2], message)
      assert.equal("", assert(build(nil, { allow_empty = true })).text)
      git(folder, "checkout", "-q", ".")
      git(folder, "clean", "-qfdx")
    end
    assert.equal("patch_empty", select(3, build { allowed_patch_paths = {} }))
    assert.equal("", build({ allowed_patch_paths = {} }, { allow_empty = true }).text)
  end)

  it("passes exactly at the cap, and not a byte above", function()
    repository.write(folder, { ["p/train.py"] = "x = 1\ny = 'é'\n" })
    local size = #assert(build()).text
    assert(build { max_patch_bytes = size })
    local _, message, code = build { max_patch_bytes = size - 1 }
    assert.equal("patch", code)
    assert.matches("1 over the cap of " .. size - 1, message, 1, true)
  end)

  it("refuses merges, nested repositories, bytes that are no text, and secrets", function()
    local function refused(files, wanted)
      repository.write(folder, files)
      local _, message = build()
      assert.matches(wanted, message, 1, true)
      git(folder, "checkout", "-q", ".")
      git(folder, "clean", "-qffdx")
    end
    refused({ ["p/train.py"] = "x = '\xe9'\n" }, "no UTF-8")
    refused({ ["p/train.py"] = "t = 'hf_" .. ("a"):rep(34) .. "'\n" }, "a Hugging Face token")
    refused({ ["p/k.json"] = '{"secretSeed": "0x00"}\n' }, "a wallet's seed")
    refused({ ["p/caf\u{e9}.py"] = "x\n" }, "git quotes the name")
    assert(fs.mkdir(folder .. "/p/nested"))
    git(folder .. "/p/nested", "init", "-q")
    git(folder .. "/p/nested", "commit", "-q", "--allow-empty", "-m", "x")
    refused({}, "a repository in the repository")
    git(folder, "commit", "--allow-empty", "-qm", "mine")
    repository.write(folder, { ["p/train.py"] = "x = 5\n" })
    git(folder, "commit", "-qam", "mine")
    git(folder, "checkout", "-q", remote.commit)
    repository.write(folder, { ["p/train.py"] = "x = 6\n" })
    git(folder, "commit", "-qam", "theirs")
    support.run({ "git", "-c", "user.name=miner", "-c", "user.email=miner@example.org", "merge",
      "-q", "HEAD@{2}" }, { cwd = folder })
    local _, message = build()
    assert.matches("has conflicts of a merge", message, 1, true)
  end)
end)

describe("bittern.patch.preflight", function()
  local spec = { allowed_patch_paths = { "train.py", "sub/*" }, max_patch_bytes = 10000,
    result_path = "sub/run.json" }

  local function diff(path, body)
    return ("diff --git a/X b/X\n--- a/X\n+++ b/X\n"):gsub("X", path) .. (body or "")
  end

  -- "id line" of what stops, and of what only informs.
  local function found(text)
    local stops, tells = {}, {}
    for _, finding in ipairs(preflight.check(text, spec)) do
      local list = finding.stop and stops or tells
      list[#list + 1] = ("%s %s"):format(finding.id, finding.line)
    end
    return stops, tells
  end

  it("finds every trap of contract 3.4, with its line", function()
    local cases = {
      { diff("train.py", "@@ -1,2 +1 @@\n x\n--- gone\n"), "content_as_path 6" },
      { diff("train.py", "@@ -1 +1,2 @@\n x\n+++ new\n"), "content_as_path 6" },
      { diff("train.py", "@@ -1 +1,2 @@\n x\n+y\f--- z\n"), "content_as_path 6" },
      { diff("other.py"), "outside 1" },
      { diff("a/train.py"), "outside 2" },
      { 'diff --git "a/na\\303.py" "b/na\\303.py"\n--- "a/na\\303.py"\n+++ "b/na\\303.py"\n',
        "outside 2" },
      { diff("sub/x b/y"), "outside 1" },
      { diff("sub/x.PYC"), "bytecode 1" },
      { diff("sub/run.json"), "generated 1" },
      { diff("sub/__pycache__/x"), "generated 1" },
      { "hello\n", "no_paths nil" },
      { diff("sub/m", "new file mode 160000\n"), "submodule 4" },
      { "diff --git a/sub/m b/sub/m\nBinary files a/sub/m and b/sub/m differ\n", "binary 2" },
      { diff("train.py", "@@ -1 +1 @@\n-x\n+-----BEGIN PRIVATE KEY\n"), "secret 6" },
      { diff("train.py") .. ("x"):rep(10000), "too_large nil" },
      { diff("train.py", "@@ -1 +1 @@\n-x\n+\xff\n"), "not_utf8 6" },
    }
    for _, case in ipairs(cases) do
      local stops = found(case[1])
      assert.equal(case[2], stops[1], case[1])
    end
    assert.matches("splits? the header", preflight.check(diff "sub/x b/y", spec)[1].message)
    assert.matches("folder named a/ or b/", preflight.check(diff "a/train.py", spec)[1].message)
  end)

  it("stops nothing that validators take", function()
    for _, case in ipairs {
      { "" }, { " \n" }, { diff("train.py", "@@ -1,2 +1 @@\n x\n-  -- indented\n") },
      { diff("train.py", "@@ -1,2 +1 @@\n x\n--- train.py\n") },
      { diff("train.py", "@@ -1,2 +1 @@\n x\n--- \n") },
      { diff("sub/l", "new file mode 120000\n"), "symlink 4" },
      { diff("train.py", "old mode 100644\nnew mode 100755\n"), "mode 4" },
      { diff("train.py", "@@ -1 +1 @@\n-x\n+x\r\n"), "crlf 6" },
      { diff("sub/m", "GIT binary patch\n"), "binary 4" },
    } do
      local stops, tells = found(case[1])
      assert.same({}, stops, case[1])
      assert.equal(case[2], tells[1])
    end
  end)
end)
