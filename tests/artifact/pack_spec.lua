local fs = require "core.fs"
local lfs = require "lfs"

local pack = require "bittern.artifact.pack"
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

  it("gives the same bytes over time zone, umask, file times and reading order", function()
    local dir, out = model_dir(), support.folder()
    local script = 'umask $1; touch -d "$2" "$4"/*; mv "$4/sub" "$4/s"; mv "$4/s" "$4/sub"; '
      .. 'chmod $3 "$4/config.json"; TZ=$5 LC_ALL=$6 exec "$0" pack "$4" --out "$7"'
    for i, world in ipairs {
      { "022", "1999-01-01", "644", "UTC", "C" },
      { "077", "2031-12-31", "600", "Asia/Kathmandu", "C.UTF-8" },
    } do
      local done = support.run { "/bin/sh", "-c", script, support.bin, world[1], world[2], world[3],
        dir, world[4], world[5], ("%s/%d.zip"):format(out, i) }
      assert.equal(0, done.status, done.stderr)
    end
    assert.equal(fs.read(out .. "/1.zip"), fs.read(out .. "/2.zip"))
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
