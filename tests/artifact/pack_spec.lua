local fs = require "core.fs"
local lfs = require "lfs"

local pack = require "bittern.artifact.pack"
local small_model = require "tests.small_model"
local support = require "tests.support"

local function model_dir()
  local dir = support.folder()
  assert(fs.write(dir .. "/config.json", "{}"))
  assert(fs.write(dir .. "/model.safetensors", ("w"):rep(5000)))
  assert(fs.mkdir(dir .. "/sub/deep"))
  assert(fs.write(dir .. "/sub/deep/x", "x"))
  return dir
end

local function packed_names(dir)
  local out = support.folder() .. "/a.zip"
  assert(pack.run { dir = dir, out = out })
  return support.python("import sys, zipfile\n"
    .. "print(*zipfile.ZipFile(sys.argv[1]).namelist())", out)
end

local function refused(dir, code, fragment, out)
  out = out or support.folder() .. "/a.zip"
  local done, message, id = pack.run { dir = dir, out = out }
  assert.is_nil(done)
  assert.equal(code, id)
  assert.truthy(message:find(fragment, 1, true), message)
  assert.is_nil(fs.stat(out))
end

describe("pack", function()
  it("takes the files of a model, sorted, with folders", function()
    assert.equal("config.json model.safetensors sub/deep/x\n", packed_names(model_dir()))
  end)

  it("leaves out other tools' folders, caches, logs, locks and half files", function()
    local dir = model_dir()
    for _, name in ipairs { ".git", ".cache", "__pycache__", ".ipynb_checkpoints" } do
      assert(fs.mkdir(dir .. "/" .. name))
      assert(fs.write(dir .. "/" .. name .. "/config.json", "{}"))
    end
    for _, name in ipairs { "a.pyc", "run.log", ".bittern.lock", "x~", ".DS_Store",
      ".model.safetensors.tmp-00ff00ff00ff00ff", ".gitattributes" } do
      assert(fs.write(dir .. "/" .. name, "x"))
    end
    assert.equal("config.json model.safetensors sub/deep/x\n", packed_names(dir))
  end)

  it("refuses links, pipes and what looks like a secret", function()
    local dir = model_dir()
    assert(lfs.link("/etc/passwd", dir .. "/link", true))
    refused(dir, "invalid_artifact", "link: is a link; only regular files are packed")
    os.remove(dir .. "/link")
    support.run { "mkfifo", dir .. "/pipe" }
    refused(dir, "invalid_artifact", "only regular files are packed")
    os.remove(dir .. "/pipe")
    for _, name in ipairs { ".env", "id_rsa", "server.PEM", "my-mnemonic.txt", "hotkey",
      "hf_token", "credentials.json" } do
      assert(fs.write(dir .. "/" .. name, "x"))
      refused(dir, "invalid_artifact", name .. ": looks like a secret")
      os.remove(dir .. "/" .. name)
    end
    for _, name in ipairs { "tokenizer.json", "tokenizer_config.json", "added_tokens.json" } do
      assert(fs.write(dir .. "/" .. name, "{}"))
    end
    assert.truthy(packed_names(dir):find("tokenizer_config.json", 1, true))
  end)

  it("wants exactly one config.json, a directory, and its output elsewhere", function()
    local dir = model_dir()
    refused(dir, "usage", "lies inside of the directory that is packed", dir .. "/a.zip")
    refused(dir .. "/config.json", "usage", "is not a directory")
    refused(dir .. "/none", "not_found", "No such file")
    assert(fs.write(dir .. "/sub/config.json", "{}"))
    refused(dir, "invalid_artifact", "2 files named config.json")
    os.remove(dir .. "/sub/config.json")
    os.remove(dir .. "/config.json")
    refused(dir, "invalid_artifact", "no config.json")
  end)

  -- The archive that a shell makes of a model directory: $0 the program, $1 dir, $2 archive.
  local function archive_by(dir, script, out)
    local done = support.run { "/bin/sh", "-c", script, support.bin, dir, out }
    assert.equal(0, done.status, done.stderr)
    return assert(fs.read(out))
  end

  local pack_it = 'exec "$0" --quiet pack "$1" --out "$2"'

  for what, before in pairs {
    ["time zone"] = "export TZ=Asia/Kathmandu",
    ["locale"] = "export LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8",
    ["umask"] = "umask 077",
    ["file times"] = 'touch -d 2031-12-31 "$1"/* "$1"',
    ["modes"] = 'chmod 600 "$1/config.json"; chmod 755 "$1/model.safetensors"',
    ["the way a directory is named"] = 'cd "$1"; set -- ./sub/.. "$2"',
    ["SOURCE_DATE_EPOCH"] = "export SOURCE_DATE_EPOCH=1700000000",
  } do
    it("gives the same bytes whatever the " .. what, function()
      local dir, out = model_dir(), support.folder()
      local first = archive_by(dir, pack_it, out .. "/1.zip")
      assert.is_true(first == archive_by(dir, before .. "\n" .. pack_it, out .. "/2.zip"))
    end)
  end

  it("gives the same bytes whatever the order that a directory is read in", function()
    -- A file system in memory lists the newest first.
    local home = lfs.attributes("/dev/shm") and "/dev/shm" or "/tmp"
    local base = ("%s/bittern-%s"):format(home, support.folder():match("[^/]+$"))
    local archives = {}
    for i, order in ipairs { "a b c d e f config.json", "config.json f e d c b a" } do
      local dir = base .. i
      archives[i] = archive_by(dir, 'mkdir "$1"; for f in ' .. order
        .. '; do echo $f >"$1/$f"; done; ' .. pack_it:gsub("exec ", ""), base .. i .. ".zip")
      support.run { "rm", "-r", dir, base .. i .. ".zip" }
    end
    assert.is_true(archives[1] == archives[2])
  end)

  it("gives the same bytes whoever packs", function()
    if support.run({ "id", "-u" }).stdout ~= "0\n" then
      return pending "only root can become another user"
    end
    local dir, out = model_dir(), support.folder()
    local first = archive_by(dir, pack_it, out .. "/1.zip")
    support.run { "chmod", "-R", "a+rwX", dir, out }
    support.run { "chown", "-R", "65534:65534", dir }
    local copy = archive_by(dir, 'setpriv --reuid=65534 --regid=65534 --clear-groups '
      .. 'env HOME=/nonexistent "$0" --quiet pack "$1" --out "$2"', out .. "/2.zip")
    assert.is_true(first == copy)
  end)

  it("is read alike by Python, unzip and libarchive", function()
    local dir, out = model_dir(), support.folder()
    local done = assert(pack.run { dir = dir, out = out .. "/a.zip" })
    assert.equal(done.sha256, require("core.sha256").hex(assert(fs.read(done.path))))
    support.python("import sys, zipfile\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None",
      done.path)
    assert.equal(0, support.run({ "unzip", "-tqq", done.path }).status)
    for i, argv in ipairs {
      { "bsdtar", "-xf", done.path, "-C" }, { "unzip", "-q", done.path, "-d" },
      { "/usr/bin/python3", "-m", "zipfile", "-e", done.path },
    } do
      local folder = ("%s/%d"):format(out, i)
      assert(fs.mkdir(folder))
      argv[#argv + 1] = folder
      local read = support.run(argv)
      assert.equal(0, read.status, read.stderr)
      assert.equal("", support.run({ "diff", "-r", dir, folder }).stdout)
    end
  end)

  it("stays small in memory however large the model is", function()
    local dir, out = small_model.hollow(100000, 2000), support.folder()
    local status, _, peak = support.cost(out, { "pack", dir, "--out", out .. "/a.zip" })
    os.remove(out .. "/a.zip")
    assert.equal(0, status)
    assert.is_true(peak < 100e6, peak)
  end)

  it("leaves no half file, and the old archive whole, when the disk is full", function()
    local dir, out = model_dir(), support.folder()
    assert(fs.write(dir .. "/model.safetensors", ("w"):rep(1 << 20)))
    assert(fs.write(out .. "/a.zip", "the old one"))
    local done = support.run { "/bin/sh", "-c",
      'ulimit -f 100; exec "$0" --json pack "$1" --out "$2"', support.bin, dir, out .. "/a.zip" }
    assert.equal(13, done.status, done.stderr)
    assert.truthy(done.stdout:find('"id":"disk_full"', 1, true), done.stdout)
    assert.equal("the old one", fs.read(out .. "/a.zip"))
    assert.equal("a.zip\n", support.run({ "ls", "-A" }, { cwd = out }).stdout)
  end)
end)
