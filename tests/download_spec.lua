-- Downloads from nginx: parts, hashes, resuming. Servers that misbehave are in download/.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"
local download = require "bittern.download"
local json = require "bittern.json"
local nginx = require "tests.nginx"
local support = require "tests.support"

local MIB <const> = 1 << 20

describe("download", function()
  local server, text, hash

  setup(function()
    server = nginx.start [[
      location /slow/ { alias $dir/www/; limit_rate 2m; }
      location = /moved { return 302 /big.bin; }
      location = /round { return 302 /round; }
      location /whole/ { alias $dir/www/; max_ranges 0; }
      location = /wrong { return 404; }]]
    text = sys.random(256):rep(40 * MIB // 256)
    hash = sha256.hex(text)
    assert(fs.write(server.www .. "/big.bin", text))
    assert(fs.write(server.www .. "/small", "small"))
    assert(fs.write(server.www .. "/empty", ""))
  end)

  teardown(function() server.close() end)

  local function fetch(name, options, more)
    local path = support.folder() .. "/file"
    local file = { url = server.url .. name, path = path }
    for key, value in pairs(more or {}) do file[key] = value end
    local all = { say = function() end, part = 4 * MIB }
    for key, value in pairs(options or {}) do all[key] = value end
    local results, message, code = download.run({ file }, all)
    return results and results[1], message, code, path
  end

  it("fetches a file in parts and tells its hash", function()
    local last = 0
    local result = assert(fetch("/big.bin", { on_progress = function(done, total)
      assert.equal(#text, total)
      assert.is_true(done >= last)
      last = done
    end }))
    assert.equal(hash, result.sha256)
    assert.equal(#text, result.size)
    assert.is_false(result.verified)
    assert.equal(hash, (sha256.file(result.path)))
    assert.equal(#text, last)
    assert.is_nil(fs.stat(result.path .. ".part"))
    assert.is_nil(fs.stat(result.path .. ".ranges.part"))
  end)

  it("fetches several files, empty ones too", function()
    local folder, files = support.folder(), {}
    for i, name in ipairs { "/big.bin", "/empty", "/small", "/whole/big.bin" } do
      files[i] = { url = server.url .. name, path = folder .. "/" .. i }
    end
    local results = assert(download.run(files, { say = function() end }))
    assert.equal(4, #results)
    assert.equal(hash, (sha256.file(folder .. "/1")))
    assert.equal("", fs.read(folder .. "/2"))
    assert.equal("small", fs.read(folder .. "/3"))
    assert.equal(hash, (sha256.file(folder .. "/4")))
  end)

  it("fetches more files than a process may have open", function()
    local folder = support.folder()
    for i = 1, 80 do assert(fs.write(server.www .. "/n" .. i, ("x"):rep(i))) end
    assert(fs.write(folder .. "/many.lua", ([[
      local files = {}
      for i = 1, 80 do files[i] = { url = "%s/n" .. i, path = "%s/n" .. i } end
      print(#assert(require("bittern.download").run(files)))
    ]]):format(server.url, folder)))
    local result = assert(process.run { argv = { "/bin/sh", "-c",
      'ulimit -n 64; exec "$0" run "$1"', support.bin, folder .. "/many.lua" } })
    assert.equal("80\n", result.stdout, result.stderr)
    assert.equal(("x"):rep(80), fs.read(folder .. "/n80"))
  end)

  it("follows redirects, but not for ever", function()
    assert.equal(hash, assert(fetch("/moved")).sha256)
    local _, message, code = fetch("/round")
    assert.equal("redirect", code)
    assert.matches("more than 5 redirects", message)
  end)

  it("takes a server without ranges in one piece", function()
    assert.equal(hash, assert(fetch("/whole/big.bin")).sha256)
  end)

  it("accepts nothing but the wanted hash and size, and leaves no trace of it", function()
    assert.is_true(assert(fetch("/big.bin", nil, { sha256 = hash:upper() })).verified)
    local _, message, code, path = fetch("/big.bin", nil, { sha256 = ("0"):rep(64) })
    assert.equal("integrity", code)
    assert.matches(hash, message, 1, true)
    assert.is_nil(fs.stat(path))
    assert.is_nil(fs.stat(path .. ".part"))
    assert.equal("integrity", select(3, fetch("/big.bin", nil, { size = 7 })))
  end)

  it("names what is not there", function()
    local _, message, code = fetch("/wrong")
    assert.equal("not_found", code)
    assert.equal(server.url .. "/wrong answers 404", message)
  end)

  it("holds to a bandwidth", function()
    local started = sys.clock()
    assert(fetch("/big.bin", { speed = 40 * MIB, parallel = 2 }))
    assert.is_true(sys.clock() - started > 0.6)
  end)

  it("names a place that cannot be written, after the last byte too", function()
    local folder = support.folder()
    assert(fs.mkdir(folder .. "/f"))
    local results, message = download.run(
      { { url = server.url .. "/small", path = folder .. "/f" } }, { say = function() end })
    assert.is_nil(results)
    assert.matches(folder .. "/f", message, 1, true)
    assert.equal("small", fs.read(folder .. "/f.part"))
    local _, reason = download.run({ { url = server.url .. "/small", path = folder .. "/no/f" } },
      { say = function() end })
    assert.matches("No such file", reason)
  end)

  it("begins nothing that the disk has no room for", function()
    local huge = assert(fs.part(server.www .. "/huge"))
    assert(huge:truncate(15 << 40)) -- a hole
    assert(huge:commit())
    local _, message, code = fetch("/huge")
    assert.equal("disk_full", code)
    assert.matches("16492674416640 bytes are needed", message, 1, true)
    fs.remove(server.www .. "/huge")
  end)

  -- Starts a download in a process of its own.
  local function start(path)
    local script = support.folder() .. "/fetch.lua"
    assert(fs.write(script, ([[
      local download = require "bittern.download"
      assert(download.run({ { url = "%s/slow/big.bin", path = "%s" } }, { part = 1 << 20 }))
    ]]):format(server.url, path)))
    local child = assert(process.spawn { argv = { support.bin, "run", script },
      stderr = "null", stdout = "null" })
    for _ = 1, 200 do
      local text_of_state = fs.read(path .. ".ranges.part")
      local state = text_of_state and json.decode(text_of_state)
      local first = state and state.missing[1]
      -- The beginning is there, the end is not.
      if first and first[1] > MIB // 2 then break end
      sys.sleep(0.05)
    end
    return child
  end

  -- Kills one when it has noted some of the file.
  local function killed_midway(path)
    local child <close> = start(path)
    child:kill(9)
    child:wait(5)
    assert.is_nil(fs.stat(path))
  end

  it("goes on where a killed run stopped", function()
    local path = support.folder() .. "/file"
    killed_midway(path)
    local results = assert(download.run({ { url = server.url .. "/slow/big.bin", path = path } },
      { say = function() end, part = MIB, parallel = 16 }))
    assert.is_true(results[1].resumed > 0)
    assert.equal(hash, results[1].sha256)
    assert.equal(hash, (sha256.file(path)))
  end)

  it("leaves a file alone that another run fetches", function()
    local path = support.folder() .. "/file"
    local child <close> = start(path)
    local before = fs.read(path .. ".ranges.part")
    local _, message, code = download.run({ { url = server.url .. "/small", path = path } },
      { say = function() end })
    assert.equal("locked", code)
    assert.matches(path .. ".part: another process holds it", message, 1, true)
    assert.equal(#before, #fs.read(path .. ".ranges.part"))
    assert.equal(#text, fs.stat(path .. ".part").size)
    child:kill(9)
    child:wait(5)
  end)

  it("starts over when the file is another one by now", function()
    local path = support.folder() .. "/file"
    killed_midway(path)
    local other = text:reverse()
    assert(fs.write(server.www .. "/big.bin", other))
    local results = assert(download.run({ { url = server.url .. "/slow/big.bin", path = path } },
      { say = function() end, part = MIB, parallel = 16 }))
    assert(fs.write(server.www .. "/big.bin", text))
    assert.equal(0, results[1].resumed)
    assert.equal(sha256.hex(other), results[1].sha256)
  end)

  it("finds a part that was changed behind its back by the hash, and fetches it again", function()
    local path = support.folder() .. "/file"
    killed_midway(path)
    local part = assert(fs.part(path))
    assert(part:write_at(5, "x"))
    part:close()
    local results = assert(download.run({ { url = server.url .. "/slow/big.bin", path = path,
      sha256 = hash } }, { say = function() end, part = MIB, parallel = 32 }))
    assert.equal(hash, (sha256.file(results[1].path)))
    assert.equal(0, results[1].resumed)
  end)
end)
