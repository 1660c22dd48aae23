local fs = require "core.fs"
local lfs = require "lfs"
local sha256 = require "core.sha256"

local archives = require "bittern.model.archive"
local make = require "tests.archives"
local map = require "core.map"
local model = require "bittern.model"
local paths = require "bittern.paths"
local small_model = require "tests.small_model"
local support = require "tests.support"
local verify = require "bittern.artifact.verify"

local folder, base = support.folder(), nil
local users_cache = paths.cache

-- The files of a small model, and a cache that is not the user's.
setup(function()
  paths.cache = function() return folder .. "/cache" end
  local dir = small_model.write { { name = "w", shape = { 3, 5 } } }
  base = {}
  for _, name in ipairs { "config.json", "model.safetensors" } do
    base[name] = assert(fs.read(dir .. "/" .. name))
  end
end)

teardown(function() paths.cache = users_cache end)

local function entries(prefix, fields)
  local list = {}
  for i, name in ipairs { "config.json", "model.safetensors" } do
    list[i] = { name = prefix .. name, text = base[name] }
    for key, value in pairs(fields or {}) do list[i][key] = value end
  end
  return list
end

local function written(name, bytes)
  local path = folder .. "/" .. name
  assert(fs.write(path, bytes))
  return path
end

-- What Python makes of the model: `body` writes archive `p` from names and bytes `files`.
local function by_python(name, body)
  local path = folder .. "/" .. name
  local dir = support.folder()
  for file, text in pairs(base) do assert(fs.write(dir .. "/" .. file, text)) end
  support.python("import sys, os, zipfile, tarfile, io\np, d = sys.argv[1:3]\n"
    .. "files = {n: open(d + '/' + n, 'rb').read() for n in sorted(os.listdir(d))}\n" .. body,
    path, dir)
  return path
end

local function opens(path)
  local m <close> = assert(model.open(path))
  assert.equal("archive", m.kind)
  assert.same({ "w" }, m.names)
  assert.equal(30, m:tensor("w").slice:size())
  assert.equal(base["config.json"], m:file("config.json"))
  assert.is_true(m:has("model.safetensors"))
  assert.is_false(m:has("tokenizer.json"))
  assert.equal(15, assert(verify.run { path = path }).parameters)
end

-- Where an archive is unpacked, and whether it is.
local function cached(path)
  local at = paths.cache() .. "/archives/" .. assert(sha256.file(path))
  return at, lfs.attributes(at, "mode")
end

describe("bittern.model.archive opens", function()
  it("a tar of the old, the POSIX and the GNU kind, compressed in every way", function()
    local tar = make.tar(entries "")
    opens(written("plain.tar", tar))
    opens(written("x.tar.gz", make.gzip(tar)))
    opens(written("x.tar.bz2", make.bzip2(tar)))
    opens(written("x.tar.xz", make.xz(tar)))
    opens(written("old.tar", make.tar(entries("", { magic = "" }))))
    for _, kind in ipairs { "USTAR", "PAX", "GNU" } do
      opens(by_python(kind .. ".tar", "t = tarfile.open(p, 'w', format=tarfile." .. kind .. [[
_FORMAT)
for n, b in files.items():
    i = tarfile.TarInfo(n); i.size = len(b); t.addfile(i, io.BytesIO(b))
i = tarfile.TarInfo('x' * 80 + '/ß' * 30); t.addfile(i)
t.close()]]))
    end
  end)

  it("a tar as `tar -C FOLDER .` makes it", function()
    opens(written("dot.tar", make.tar { { name = "./", type = "5" },
      { name = "./config.json", text = base["config.json"] },
      { name = "./model.safetensors", text = base["model.safetensors"] } }))
  end)

  it("a model in one folder", function()
    opens(written("inside.tar.gz", make.gzip(make.tar(entries "model/"))))
    opens(written("inside.zip", make.zip(entries("model/", { method = 8 }))))
    opens(written("inside-stored.zip", make.zip(entries("model/deep/"))))
  end)

  it("zips compressed in every way that validators read", function()
    opens(written("deflated.zip", make.zip(entries("", { method = 8 }))))
    for _, method in ipairs { "STORED", "DEFLATED", "BZIP2", "LZMA" } do
      opens(by_python(method .. ".zip", "z = zipfile.ZipFile(p, 'w', zipfile.ZIP_" .. method .. [[
)
for n, b in files.items(): z.writestr(n, b)
z.close()]]))
    end
  end)

  it("a zip that was written as a stream, sizes behind the data", function()
    opens(by_python("stream.zip", [[
class Pipe(io.RawIOBase):
    def writable(self): return True
    def write(self, b): return f.write(b)
f = open(p, 'wb')
z = zipfile.ZipFile(Pipe(), 'w', zipfile.ZIP_DEFLATED)
for n, b in files.items(): z.writestr(n, b)
z.close()]]))
  end)

  it("whatever its name says", function()
    local tar, zip = make.tar(entries ""), make.zip(entries "")
    opens(written("a.zip", make.gzip(tar)))
    opens(written("b.tar.xz", tar))
    opens(written("c.tar.gz", zip))
    opens(written("d.gguf", zip))
    opens(written("e", tar))
  end)

  it("members of many MiB, streamed", function()
    local data = ("0123456789abcdef"):rep(1 << 20) .. "!"
    local path = by_python("large.zip", [[
z = zipfile.ZipFile(p, 'w', zipfile.ZIP_DEFLATED, compresslevel=1)
z.writestr('w', b'0123456789abcdef' * (1 << 20) + b'!')
z.close()]])
    local source <close> = assert(map.open(path))
    local parts = {}
    local read = assert(archives.read(source, path, {
      open = function(name, size) return name == "w" and size == #data end,
      piece = function(bytes, size)
        local hash = sha256.new()
        parts[#parts + 1] = size
        return hash:update(bytes) ~= nil
      end,
      close = function() return true end,
    }))
    local total = 0
    for _, size in ipairs(parts) do total = total + size end
    assert.equal(#data, total)
    assert.is_true(#parts > 1)
    assert.equal(require "core.archive".crc32(data), read[1].crc32)
  end)
end)

describe("bittern.model.archive keeps", function()
  it("stored zips where they lie", function()
    local path = written("stored.zip", make.zip(entries ""))
    opens(path)
    assert.is_nil((select(2, cached(path))))
  end)

  it("what it unpacked, by its hash, and uses it again", function()
    local bytes = make.gzip(make.tar(entries ""))
    local path = written("kept.tar.gz", bytes)
    opens(path)
    local at, mode = cached(path)
    assert.equal("directory", mode)
    assert.equal("rwx------", lfs.attributes(at .. "/..", "permissions"))
    assert(lfs.touch(at .. "/files/config.json", 1, 1))
    opens(written("another-name", bytes))
    assert.equal(1, lfs.attributes(at .. "/files/config.json", "modification"))
  end)

  it("nothing of what it refused", function()
    local path = written("bad.tar", make.tar { { name = "config.json", text = "{}" },
      { name = "../evil", text = "x" } })
    assert.equal("archive_path", select(3, model.open(path)))
    local at = cached(path)
    assert.is_nil(lfs.attributes(at))
    assert.is_nil(lfs.attributes((at:gsub("([^/]+)$", ".%1.tmp"))))
    assert.is_nil(lfs.attributes(at .. "/../../evil"))
    for name, count in pairs { none = 0, two = 2 } do
      local list = { { name = "x", text = "x" } }
      for i = 1, count do list[i] = { name = ("d%d/config.json"):format(i), text = "{}" } end
      path = written(name .. ".tar", make.tar(list))
      assert.equal("archive_config", select(3, model.open(path)))
      assert.is_nil(select(2, cached(path)))
      path = written(name .. ".zip", make.zip(list))
      assert.equal("archive_config", select(3, model.open(path)))
    end
  end)

  it("unpacks again what somebody cut, and what verifying finds damaged", function()
    local path = written("healed.tar.gz", make.gzip(make.tar(entries "healed/")))
    opens(path)
    local file = cached(path) .. "/files/healed/model.safetensors"
    assert(fs.write(file, "cut"))
    opens(path)
    assert.equal(base["model.safetensors"], fs.read(file))
    assert(fs.write(file, base["model.safetensors"]:sub(1, -2) .. "?"))
    assert(model.open(path)):close()
    assert(verify.run { path = path })
    assert.equal(base["model.safetensors"], fs.read(file))
  end)

  it("starts anew where another was killed while it unpacked", function()
    local path = written("killed.tar", make.tar(entries "k/"))
    local at = cached(path)
    local temporary = at:gsub("([^/]+)$", ".%1.tmp")
    assert(fs.mkdir(temporary .. "/files/k"))
    assert(fs.write(temporary .. "/files/k/config.json", "half"))
    opens(path)
    assert.is_nil(lfs.attributes(temporary))
  end)

  it("one copy when two processes want it at once", function()
    local home = support.folder()
    local path = written("race.tar.gz", make.gzip(make.tar(entries "race/")))
    local script = written("race.lua", [[
      local path = ...
      local m <close> = assert(require "bittern.model".open(path))
      require "bittern.report".out(m.names[1])]])
    local process, children = require "core.process", {}
    for i = 1, 4 do
      children[i] = assert(process.spawn { argv = { support.bin, "run", script, path },
        env = support.environment(home), stdout = "pipe" })
    end
    for _, child in ipairs(children) do
      assert.equal("w", child:read_line(30))
      assert.equal(0, child:wait(30).status)
      child:close()
    end
    local left = {}
    for name in lfs.dir(home .. "/.cache/bittern/archives") do left[#left + 1] = name end
    table.sort(left)
    local hash = assert(sha256.file(path))
    assert.same({ ".", "..", "." .. hash .. ".lock", hash }, left)
  end)
end)

describe("the commands", function()
  it("verify and eval take a tar.gz; verify says what validators would say of others", function()
    local home = support.folder()
    local path = folder .. "/tiny.tar.gz"
    support.python([[
import sys, tarfile
with tarfile.open(sys.argv[1], "w:gz") as t:
    for n in ("config.json", "model.safetensors"): t.add(sys.argv[2] + "/" + n, n)
]], path, support.model)
    local done = support.bittern(home, { "verify", path })
    assert.equal(0, done.status, done.stderr)
    assert.truthy(done.stdout:find("2,428,672", 1, true), done.stdout)
    assert(fs.write(home .. "/text", ("the bittern booms "):rep(20)))
    done = support.bittern(home, { "eval", path, "--text", home .. "/text" })
    assert.equal(0, done.status, done.stderr)
    done = support.bittern(home, { "--json", "verify", support.model .. "/model.safetensors" })
    assert.equal(9, done.status)
    local failure = require "bittern.json".decode(done.stdout).error
    assert.equal("archive_format", failure.id)
    assert.truthy(failure.message:find("submission artifact must be a Hugging Face model "
      .. "directory, .zip, or tar archive", 1, true))
  end)
end)
