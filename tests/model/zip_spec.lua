local fs = require "core.fs"
local sha256 = require "core.sha256"
local records = require "bittern.model.zip.records"
local support = require "tests.support"
local writer = require "bittern.model.zip.writer"
local zip = require "bittern.model.zip"

local folder = support.folder()
local count = 0

-- A new path in the tests' folder.
local function fresh()
  count = count + 1
  return folder .. "/" .. count .. ".zip"
end

local sample = {
  { name = "model.safetensors", text = ("weights"):rep(1000) },
  { name = "config.json", text = "{}" },
  { name = "empty", text = "" },
  { name = "assets/ß.txt", text = "Straße" },
}

local function written(entries)
  local path = fresh()
  local done = assert(writer.write(path, entries or sample))
  return path, done
end

-- The sample with bytes at `at` (from 1) replaced.
local function patched(at, bytes, entries)
  local path = written(entries)
  local text = assert(fs.read(path))
  assert(fs.write(path, text:sub(1, at - 1) .. bytes .. text:sub(at + #bytes)))
  return path
end

-- What Python's zipfile makes of it; `body` adds to the archive `z`.
local function python_zip(body)
  local path = fresh()
  support.python("import sys, zipfile, warnings\nwarnings.simplefilter('ignore')\n"
    .. "z = zipfile.ZipFile(sys.argv[1], 'w')\n" .. body .. "\nz.close()", path)
  return path
end

local function refused(path, id, fragment)
  local opened, message, code = zip.open(path)
  assert.is_nil(opened)
  assert.equal(id, code, message)
  assert.truthy(message:find(fragment, 1, true), message)
end

describe("zip writer", function()
  it("reports the size and hash of the bytes that it wrote", function()
    local path, done = written()
    local hash, size = sha256.file(path)
    assert.same({ path = path, size = size, sha256 = hash }, done)
  end)

  it("is read by unzip without a complaint", function()
    local done = support.run { "unzip", "-t", (written()) }
    assert.equal(0, done.status, done.stdout .. done.stderr)
    assert.truthy(done.stdout:find("No errors detected", 1, true))
  end)

  it("is read by Python with the order, date, mode and bytes we promise", function()
    local out = support.python([[
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist():
    assert i.date_time == (1980, 1, 1, 0, 0, 0), i.date_time
    assert i.external_attr == 0o100644 << 16 and i.create_system == 3
    assert i.compress_type == 0 and i.extra == b'' and i.flag_bits in (0, 0x800)
    print(i.filename, i.file_size, z.read(i)[:7].decode())
]], (written()))
    assert.equal("assets/ß.txt 7 Straße\nconfig.json 2 {}\nempty 0 \n"
      .. "model.safetensors 7000 weights\n", out)
  end)

  it("starts the data of every entry at a multiple of 64 bytes", function()
    local path = written()
    local opened <close> = assert(zip.open(path))
    for _, entry in ipairs(opened.entries) do assert.equal(0, entry.offset % 64) end
  end)

  it("gives the same bytes whatever the order, time zone, umask and file times", function()
    local here = support.folder()
    for _, entry in ipairs(sample) do
      assert(fs.write(here .. "/" .. entry.name:gsub("/", "_"), entry.text))
    end
    assert(fs.write(here .. "/w.lua", [[
      local out = ...
      local here = out:match("^(.*)/")
      local names = { "model.safetensors", "config.json", "empty", "assets_ß.txt" }
      local entries = {}
      for i, name in ipairs(names) do
        entries[5 - i] = { name = name, path = here .. "/" .. name }
      end
      return assert(require("bittern.model.zip.writer").write(out, entries)) and true]]))
    local script = [[umask $2; touch -d "$3" config.json; TZ=$1 exec "$5" run w.lua "$PWD/$4"]]
    local worlds = { { "UTC", "022", "1999-01-01" }, { "Asia/Kathmandu", "077", "2031-12-31" } }
    for i, world in ipairs(worlds) do
      local done = support.run({
        "/bin/sh", "-c", script, "sh", world[1], world[2], world[3], i .. ".zip", support.bin,
      }, { cwd = here })
      assert.equal(0, done.status, done.stderr)
    end
    assert.equal(fs.read(here .. "/1.zip"), fs.read(here .. "/2.zip"))
  end)

  it("knows the size before it writes", function()
    local entries = {}
    for i = 1, 40 do
      entries[i] = { name = ("n"):rep(i) .. i, text = ("x"):rep(i * 7) }
      entries[i].size = #entries[i].text
      local _, done = written(entries)
      assert.equal(done.size, assert(writer.layout(entries)).size)
    end
  end)

  it("refuses names that do not unpack below one folder", function()
    for name, fragment in pairs {
      ["../x"] = "leaves", ["/x"] = "absolute", ["a\\b"] = "backslash", ["a//b"] = "empty part",
      ["c:x"] = "absolute", [""] = "empty", ["a\nb"] = "control", ["a\xFF"] = "UTF-8",
    } do
      local done, message, code = writer.write(fresh(), { { name = name, text = "" } })
      assert.is_nil(done)
      assert.equal("archive_path", code)
      assert.truthy(message:find(fragment, 1, true), message)
    end
    local twice = { { name = "A", text = "" }, { name = "a", text = "" } }
    assert.truthy(select(2, writer.write(fresh(), twice)):find("differ only in case", 1, true))
    twice[1].name = "a"
    assert.truthy(select(2, writer.write(fresh(), twice)):find("stands twice", 1, true))
  end)

  it("leaves nothing behind when a file is missing or the disk is full", function()
    local here = support.folder()
    local entries = { { name = "a", path = here .. "/missing" } }
    local done, _, code = writer.write(here .. "/x.zip", entries)
    assert.is_nil(done)
    assert.equal("not_found", code)
    assert(fs.write(here .. "/big", ("x"):rep(100000)))
    assert(fs.write(here .. "/w.lua", [[
      local writer = require "bittern.model.zip.writer"
      local done, _, code = writer.write("x.zip", { { name = "b", path = "big" } })
      require("bittern.report").out(tostring(done) .. " " .. tostring(code))]]))
    local shell = 'ulimit -f 16; exec "$0" run w.lua'
    local limited = support.run({ "/bin/sh", "-c", shell, support.bin },
      { cwd = here })
    assert.equal("nil disk_full\n", limited.stdout, limited.stderr)
    assert.equal("big\nw.lua\n", support.run({ "ls", "-A" }, { cwd = here }).stdout)
  end)
end)

describe("zip64", function()
  it("is absent until it is needed", function()
    assert.is_nil(fs.read((written())):find("PK\6\6", 1, true))
  end)

  -- Headers around a hole: what a 5 GiB archive looks like without writing 5 GiB.
  local function sparse()
    local path = fresh()
    local layout = assert(writer.layout {
      { name = "a-big", size = 5 << 30, crc32 = 0 },
      { name = "b-far", size = 5, crc32 = 0x3610a686 },
    })
    local file <close> = assert(io.open(path, "wb"))
    for _, entry in ipairs(layout.entries) do
      file:seek("set", entry.offset)
      file:write(records.local_header(entry))
    end
    file:write("hello", writer.tail(layout))
    assert.equal(layout.size, file:seek("end"))
    return path
  end

  it("holds sizes and offsets over 4 GiB that Python, unzip and we read alike", function()
    local path = sparse()
    assert.equal("5368709120 b'hello'\n", support.python([[
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.open('a-big').read(4) == b'\0\0\0\0'
print(z.getinfo('a-big').file_size, z.read('b-far'))]], path))
    assert.equal("hello", support.run({ "unzip", "-p", path, "b-far" }).stdout)
    local opened <close> = assert(zip.open(path))
    assert.equal(5 << 30, opened.by_name["a-big"].size)
    assert.equal("hello", assert(opened:slice("b-far")):read(0, 5))
    assert.is_true(opened:check("b-far"))
    os.remove(path)
  end)

  it("holds more than 65,535 entries", function()
    local entries = {}
    for i = 1, 65536 do entries[i] = { name = ("%05d"):format(i), text = "" } end
    local path, done = written(entries)
    assert.equal(done.size, fs.stat(path).size)
    assert.equal("65536\n", support.python(
      "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))", path))
    local opened <close> = assert(zip.open(path))
    assert.equal(65536, #opened.entries)
    os.remove(path)
  end)
end)

describe("zip reader", function()
  it("lends the bytes of what it wrote, in order of names", function()
    local opened <close> = assert(zip.open((written())))
    local names = {}
    for i, entry in ipairs(opened.entries) do names[i] = entry.name end
    assert.same({ "assets/ß.txt", "config.json", "empty", "model.safetensors" }, names)
    assert.equal(("weights"):rep(1000), opened:slice("model.safetensors"):read(0, 7000))
    assert.is_true(opened:check("model.safetensors"))
    assert.equal("not_found", select(3, opened:slice("nothing")))
  end)

  it("reads what Python stored, folders and zip64 fields included", function()
    local opened <close> = assert(zip.open(python_zip [[
z.comment = b'a comment'
z.mkdir('m')
z.writestr('m/config.json', '{}')
with z.open('m/forced', 'w', force_zip64=True) as f: f.write(b'abc')]]))
    assert.equal(2, #opened.entries)
    assert.equal("abc", opened:slice("m/forced"):read(0, 3))
    assert.is_true(opened:check("m/forced"))
  end)

  it("reads an archive without entries", function()
    local opened <close> = assert(zip.open(python_zip "pass"))
    assert.equal(0, #opened.entries)
  end)

  it("finds damage by the CRC-32", function()
    local path = written()
    local at = fs.read(path):find("weights", 1, true)
    local opened <close> = assert(zip.open(patched(at, "W")))
    local ok, message, code = opened:check("model.safetensors")
    assert.is_nil(ok)
    assert.equal("archive_damaged", code)
    assert.truthy(message:find("damaged", 1, true))
  end)

  it("refuses every truncation", function()
    local text = assert(fs.read((written())))
    local path = fresh()
    for size = 0, #text - 1, 61 do
      assert(fs.write(path, text:sub(1, size)))
      assert.is_nil((zip.open(path)))
    end
    assert(fs.write(path, text .. "x"))
    refused(path, "archive_trailing", "its last bytes do not belong")
  end)

  it("survives any one byte being wrong", function()
    local small = { { name = "config.json", text = "{}" } }
    local text = assert(fs.read((written(small))))
    local path = fresh()
    for at = 1, #text do
      local wrong = string.char(text:byte(at) ~ 0xFF)
      assert(fs.write(path, text:sub(1, at - 1) .. wrong .. text:sub(at + 1)))
      local opened, message = zip.open(path)
      if opened then
        opened:slice("config.json")
        opened:close()
      else
        assert.is_string(message)
      end
    end
  end)

  it("closes twice, and its slices refuse then", function()
    local opened = assert(zip.open((written())))
    local slice = opened:slice("config.json")
    opened:close()
    opened:close()
    assert.has_error(function() slice:read(0, 1) end)
  end)
end)
