-- What people get wrong and what breaks on its way, each as they would meet it: a command, its
-- exit code, its words. The rooms' own specs know every case; this one knows that it is told.
local fs = require "core.fs"
local sys = require "core.sys"

local json = require "bittern.json"
local mining = require "tests.mining"
local support = require "tests.support"

local home = support.folder()
local text = home .. "/text"
assert(fs.write(text, ("a few words to score\n"):rep(10)))

-- Runs a command that must fail: exit code, id of the error, part of its message, and one JSON
-- object on stdout. The text form says the same on stderr, of a script with the line at fault, and
-- a next step.
local function fails(exit, id, fragment, argv)
  local done = support.bittern(home, { "--json", table.unpack(argv) })
  assert.equal(exit, done.status, done.stdout .. done.stderr)
  local failure = assert(json.decode(done.stdout)).error
  assert.equal(id, failure.id, failure.message)
  assert.truthy(failure.message:find(fragment, 1, true), failure.message)
  local told = support.bittern(home, argv)
  assert.equal(exit, told.status)
  local _, last = told.stderr:find("bittern: " .. failure.message .. "\n", 1, true)
  local step = last and told.stderr:find("  next: ", last, true)
  assert.truthy(step and (step == last + 1 or id == "script"), told.stderr)
  assert.is_nil(told.stderr:find("traceback", 1, true))
end

-- `bittern eval` and `bittern compress` of a model.
local function both_fail(exit, id, fragment, model)
  fails(exit, id, fragment, { "eval", model, "--text", text })
  fails(exit, id, fragment, { "compress", model, "--budget", "binary", "--dry-run" })
end

describe("a model on disk", function()
  local config = assert(fs.read(support.model .. "/config.json"))

  local function model(header, data, length)
    local folder = support.folder()
    assert(fs.write(folder .. "/config.json", config))
    assert(fs.write(folder .. "/model.safetensors",
      ("<I8"):pack(length or #header) .. header .. (data or "")))
    return folder
  end

  local function entry(name, from, to)
    return ('"%s":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}'):format(name,
      (to - from) // 4, from, to)
  end

  it("is cut short", function()
    local whole = assert(fs.read(support.model .. "/model.safetensors"))
    local folder = support.folder()
    assert(fs.write(folder .. "/config.json", config))
    assert(fs.write(folder .. "/model.safetensors", whole:sub(1, -2)))
    both_fail(1, "model_truncated", folder .. "/model.safetensors: ", folder)
    assert(fs.write(folder .. "/model.safetensors", whole:sub(1, 100)))
    both_fail(1, "model_truncated", folder .. "/model.safetensors: ", folder)
  end)

  it("has tensors that overlap", function()
    local folder = model("{" .. entry("a", 0, 16) .. "," .. entry("b", 8, 24) .. "}",
      ("\0"):rep(24))
    both_fail(1, "model_overlap", "'b'", folder)
  end)

  it("has a header longer than any, or than the file", function()
    both_fail(1, "model_header", "its header is larger than 100000000 bytes",
      model("{}", "", 1 << 62))
    both_fail(1, "model_truncated", "/model.safetensors: ", model("{}", "", 3))
  end)

  it("has no config.json", function()
    both_fail(1, "invalid_model", ": no config.json", support.folder())
  end)
end)

describe("a recipe", function()
  local function recipe(source)
    local path = support.folder() .. "/r.lua"
    assert(fs.write(path, source))
    return path
  end

  local function compress_fails(fragment, path)
    fails(14, "script", path .. fragment,
      { "compress", support.model, "--budget", "binary", "--recipe", path, "--dry-run" })
  end

  it("has a misspelt key, with the nearest known one", function()
    compress_fails(":2: recipe: unknown key 'tensr'; did you mean 'tensor'?",
      recipe "return { api = 1, about = 'x',\n  tensr = function() end }")
    compress_fails(":2: ctx.lowbit: unknown key 'codc'; did you mean 'codec'?",
      recipe("return { api = 1, about = 'x', tensor = function(ctx)\n"
        .. "  return ctx.lowbit { codc = 'b1' } end }"))
  end)

  it("is of another api", function()
    compress_fails(":2: api = 2 is not known here; this bittern has api = 1",
      recipe "return {\n  api = 2, about = 'x', tensor = function(ctx) return ctx.keep() end }")
  end)

  it("fails while it runs, with file and line", function()
    compress_fails(":3: attempt to index a nil value (local 'nothing')",
      recipe("return { api = 1, about = 'x', tensor = function(ctx)\n  local nothing\n"
        .. "  return nothing.at_all end }"))
  end)
end)

describe("a hotkey file", function()
  local good = home .. "/hotkey"
  assert.equal(0, support.bittern(home, { "wallet", "new", good }).status)
  local fields = assert(json.decode(assert(fs.read(good))))

  local function variant(changes, mode)
    local copy = {}
    for key, value in pairs(fields) do copy[key] = value end
    for key, value in pairs(changes) do copy[key] = value or nil end
    local path = support.folder() .. "/key"
    assert(fs.write(path, assert(json.encode(copy)), { mode = mode or 0x180 }))
    return path
  end

  -- No command may sign with it, and none may show its words.
  local function refused(id, fragment, path)
    for _, argv in ipairs {
      { "wallet", "show" }, { "sign", "--method", "GET", "--path", "/x" },
      { "--coordinator", "http://127.0.0.1:1", "claim", "tiny-binary-frontier" },
    } do
      argv[#argv + 1], argv[#argv + 2] = "--hotkey-file", path
      fails(4, id, fragment, argv)
    end
  end

  it("holds the public half only", function()
    refused("key_public_only", fields.ss58Address, variant { secretPhrase = false })
  end)

  it("has another address than its secret", function()
    refused("key_address", "its secret is that of " .. fields.ss58Address,
      variant { ss58Address = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" })
  end)

  it("may be read by the group: a warning, and work goes on", function()
    local path = variant({}, 0x1A0)
    local done = support.bittern(home, { "wallet", "show", "--hotkey-file", path })
    assert.equal(0, done.status)
    assert.truthy(done.stderr:find("warning: " .. path .. ": others may read", 1, true))
  end)

  it("cannot be read", function()
    local path = variant({}, 0)
    local argv = { support.bin, "--json", "wallet", "show", "--hotkey-file", path }
    if sys.uid() == 0 then
      -- Root without the right to read everything.
      local rights = "--bounding-set=-dac_override,-dac_read_search"
      if support.run({ "setpriv", rights, "true" }).status ~= 0 then
        return pending("this system lets nobody give up root's rights")
      end
      argv = { "setpriv", rights, table.unpack(argv) }
    end
    local done = support.run(argv, { env = support.environment(home) })
    assert.equal(4, done.status, done.stderr)
    local failure = assert(json.decode(done.stdout)).error
    assert.equal("key_unreadable", failure.id)
    assert.truthy(failure.message:find(path .. ": Permission denied", 1, true))
  end)
end)

describe("a disk that is full while packing", function()
  it("keeps no half file under the final name, and the same command goes on afterwards", function()
    local model, out = home .. "/packed", support.folder()
    assert.equal(0, support.bittern(home,
      { "compress", support.model, "--budget", "binary", "--out", model }).status)
    local pack = { support.bin, "--json", "pack", model, "--out", out .. "/a.zip" }
    -- 200 blocks of 512 bytes: the archive needs 400 KB.
    local done = support.run { "/bin/sh", "-c", 'ulimit -f 200; exec "$@"', "sh",
      table.unpack(pack) }
    assert.equal(13, done.status, done.stderr)
    assert.equal("disk_full", assert(json.decode(done.stdout)).error.id)
    assert.equal("", support.run({ "ls", "-A", out }).stdout)
    assert.equal(0, support.run(pack).status)
    assert.equal("a.zip\n", support.run({ "ls", "-A", out }).stdout)
  end)
end)

describe("a task", function()
  local miner

  teardown(function() miner:stop() end)

  it("that is unknown or paused is neither claimed nor mined; what is live is listed", function()
    miner = mining.start()
    assert.equal(0, support.bittern(miner.home, { "practice", "pause", "tiny-binary-frontier",
      "--state", miner.home .. "/coordinator" }).status)
    for slug, words in pairs {
      ["tiny-binary-frontier"] = "is paused; live now: tiny-ternary-frontier",
      ["tiny-ternry-frontier"] = "did you mean 'tiny-ternary-frontier'?",
      ["qwen"] = "no live task 'qwen'; live now: tiny-ternary-frontier",
    } do
      for _, argv in ipairs { { "claim", slug }, miner:arguments(slug), { "rules", slug } } do
        if argv[1] == "rules" then argv = { "--coordinator", miner.url, "rules", slug } end
        local run = argv[1] == "--coordinator" and support.bittern(miner.home, argv)
          or miner:run(argv)
        assert.equal(7, run.status, run.stderr)
        assert.truthy(run.stderr:find(words, 1, true), run.stderr)
      end
    end
    assert.same({ 0, 0 }, { miner:count() })
  end)
end)
