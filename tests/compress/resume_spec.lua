-- A compression that was stopped goes on, and what comes out is what would have come out.
local fs = require "core.fs"
local process = require "core.process"
local sha256 = require "core.sha256"
local sys = require "core.sys"

local engine = require "bittern.compress.engine"
local small_model = require "tests.small_model"
local support = require "tests.support"

local recipe_text <const> = [[
  if t.rank ~= 2 then return ctx.keep() end
  return ctx.lowbit { codec = ctx.args.base, rescue = "budget",
    upgrades = { { columns = true } } }]]
local recipe = small_model.recipe(recipe_text)

local function model()
  local tensors = { { name = "norm", shape = { 48 } } }
  for i = 1, 6 do tensors[i + 1] = { name = "m" .. i, shape = { 20 + i, 48 } } end
  return small_model.write(tensors)
end

local function compress(path, out, options)
  local all = { model = path, recipe = recipe, out = out, budget = 13500 }
  for key, value in pairs(options or {}) do all[key] = value end
  return engine.run(all)
end

-- Runs until the progress is told for the `count`-th time and stops there; whether it came so far.
local function stopped(path, out, count, options)
  local all = { on_progress = function()
    count = count - 1
    if count == 0 then error("stop here", 0) end
  end }
  for key, value in pairs(options or {}) do all[key] = value end
  local ok, message = pcall(compress, path, out, all)
  assert(ok or message == "stop here", message)
  return not ok
end

local function parts_in(dir)
  return support.run({ "sh", "-c", "ls -A | grep part || true" }, { cwd = dir }).stdout
end

describe("a compression that was stopped", function()
  local base = model()
  local whole = assert(compress(base, support.folder()))

  for _, suffix in ipairs { "", ".zip" } do
    it("goes on from every point, to the same bytes" .. (suffix == "" and "" or " of a zip"),
      function()
      local expected = assert(compress(base, support.folder() .. "/a" .. suffix)).sha256
      local stops, most = 0, 0
      repeat
        local folder = support.folder()
        local out = folder .. "/a" .. suffix
        local stop = stopped(base, out, stops + 1)
        if stop then
          stops = stops + 1
          assert.is_nil(fs.stat(suffix == "" and out .. "/model.safetensors" or out))
          local again = assert(compress(base, out))
          assert.equal(expected, again.sha256)
          assert.equal(math.max(0, stops - 6), again.resumed)
          most = math.max(most, again.resumed)
          assert.equal("", parts_in(suffix == "" and out or folder))
        end
      until not stop
      assert.equal(13, stops) -- six matrices are measured, seven tensors written
      assert.equal(7, most)
    end)
  end

  it("says where it goes on, and what has changed when it cannot", function()
    local out, notes = support.folder(), nil
    local function again(options)
      notes = {}
      assert.is_true(stopped(base, out, 9))
      options.on_note = function(text) notes[#notes + 1] = text end
      assert(compress(options.model or base, out, options))
      return table.concat(notes, "\n")
    end
    assert.equal("continues: 3 of 7 tensors are there", again {})
    assert.equal("starts over: the budget is another than last time", again { budget = 13400 })
    assert.equal("starts over: the settings is another than last time",
      again { set = { base = "t5" }, budget = 13500 })
    assert.equal("starts over: the recipe is another than last time",
      again { recipe = small_model.recipe("-- another\n" .. recipe_text) })
    local other = model()
    assert.equal("starts over: the model is another than last time", again { model = other })
  end)

  it("does again what is damaged in the part", function()
    local out = support.folder()
    assert.is_true(stopped(base, out, 11))
    local part = out .. "/model.safetensors.part"
    local text = assert(fs.read(part))
    local at = 8 + string.unpack("<I8", text) + 300
    assert(fs.write(part, text:sub(1, at) .. ("\0"):rep(199) .. text:sub(at + 200)))
    local again = assert(compress(base, out))
    assert.is_true(again.resumed < 5)
    assert.equal(whole.sha256, again.sha256)
  end)

  it("does again what its journal does not have whole, and survives a broken one", function()
    for _, cut in ipairs { 1, 9, 100, 2000 } do
      local out = support.folder()
      assert.is_true(stopped(base, out, 12))
      local journal = out .. "/model.safetensors.journal.part"
      local text = assert(fs.read(journal))
      assert(fs.write(journal, text:sub(1, -1 - cut)))
      assert.equal(whole.sha256, assert(compress(base, out)).sha256)
    end
    local out = support.folder()
    assert(fs.write(out .. "/model.safetensors.journal.part", ("x"):rep(500)))
    assert(fs.write(out .. "/model.safetensors.part", ("x"):rep(50000)))
    assert.equal(whole.sha256, assert(compress(base, out)).sha256)
    assert.equal(whole.size, fs.stat(out .. "/model.safetensors").size)
  end)

  it("goes on from every point of a GGUF file, to the same bytes", function()
    local gguf = small_model.gguf()
    local options = { recipe = gguf.recipe, budget = 1 << 20 }
    local expected = assert(compress(gguf.model, support.folder() .. "/a.gguf", options))
    assert.equal(expected.sha256, (sha256.file(expected.out)))
    local resumed = {}
    for stop = 1, 4 do
      local folder = support.folder()
      local out = folder .. "/a.gguf"
      assert.is_true(stopped(gguf.model, out, stop, options))
      assert.is_nil(fs.stat(out))
      local again = assert(compress(gguf.model, out, options))
      resumed[stop] = again.resumed
      assert.same({ expected.sha256, expected.sha256 }, { again.sha256, (sha256.file(out)) })
      assert.equal("", parts_in(folder))
    end
    assert.same({ 0, 1, 2, 3 }, resumed)
    assert.is_false(stopped(gguf.model, support.folder() .. "/a.gguf", 5, options))
  end)

  it("starts a GGUF file over when it is of other work, or its part is damaged", function()
    local gguf, out, notes = small_model.gguf(), support.folder() .. "/a.gguf", {}
    local options = { recipe = gguf.recipe, budget = 1 << 20 }
    local expected = assert(compress(gguf.model, support.folder() .. "/a.gguf", options)).sha256
    assert.is_true(stopped(gguf.model, out, 4, options))
    assert(fs.write(out .. ".part", ("x"):rep(fs.stat(out .. ".part").size)))
    local again = assert(compress(gguf.model, out, options))
    assert.same({ 0, expected }, { again.resumed, again.sha256 })
    assert.is_true(stopped(gguf.model, out, 4, options))
    options.budget = 1 << 21
    function options.on_note(text) notes[#notes + 1] = text end
    assert(compress(gguf.model, out, options))
    assert.same({ "starts over: the budget is another than last time" }, notes)
  end)

  it("goes on after kill -9", function()
    local dir = small_model.hollow(20000, 500, 12)
    local out, home = support.folder(), support.folder()
    local argv = { support.bin, "compress", dir, "--budget", "1.2", "--out", out, "--set",
      "base=b1" }
    local child <close> = assert(process.spawn { stdout = "null", stderr = "null", argv = argv,
      env = support.environment(home) })
    local journal, deadline = out .. "/model.safetensors.journal.part", sys.clock() + 20
    repeat
      sys.sleep(0.001)
      local info = fs.stat(journal)
    until info and info.size > 6 * 20000 * 12 or sys.clock() > deadline
    child:kill(9)
    child:wait(5)
    local again = support.run(argv, { env = support.environment(home) })
    assert.equal(0, again.status, again.stderr)
    local fresh = support.folder()
    argv[7] = fresh
    assert.equal(0, support.run(argv, { env = support.environment(home) }).status)
    assert.equal(sha256.file(fresh .. "/model.safetensors"),
      (sha256.file(out .. "/model.safetensors")))
    assert.equal("", parts_in(out))
  end)
end)
