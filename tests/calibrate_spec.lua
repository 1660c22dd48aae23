-- Calibration against numpy, and what becomes of its file.
local buffer = require "core.buffer"
local forward = require "core.forward"
local fs = require "core.fs"
local process = require "core.process"

local architectures = require "tests.architectures"
local calibrate = require "bittern.calibrate"
local inputs = require "bittern.calibrate.inputs"
local json = require "bittern.json"
local load = require "bittern.eval.load"
local models = require "bittern.model"
local support = require "tests.support"

local text = assert(fs.read(support.model .. "/calibration.txt")):sub(1, 4096)

local function run(options)
  local all = { model = support.model, text = text,
    out = support.folder() .. "/importance.safetensors" }
  for key, value in pairs(options or {}) do all[key] = value end
  local result, message, code = calibrate.run(all)
  return result, message, code, all.out
end

-- How far numbers lie apart, by the largest of them.
local function off(count, ours, theirs)
  local worst, largest = 0, 0
  for i = 0, count - 1 do
    worst = math.max(worst, math.abs(ours(i) - theirs(i)))
    largest = math.max(largest, math.abs(theirs(i)))
  end
  return worst / largest
end

-- The sums over some tokens of all that is measured of a model.
local function sums_of(dir, tokens, threads)
  local read = assert(load.read(assert(models.open(dir))))
  local found, wanted = inputs.of(read.description), {}
  for i, input in ipairs(found.inputs) do
    local n = input.columns
    wanted[i] = { weight = input.names[1], squares = buffer.new("f64", n),
      products = buffer.new("f32", n * n) }
  end
  local runnable = assert(load.start(read, { exact = true }))
  assert.is_true(runnable:collect(tokens, wanted, threads))
  return wanted, found
end

describe("calibration", function()
  for kind, inputs_of_model in pairs { llama = 9, qwen3_5 = 17, gpt2 = 1 } do
    it("of " .. kind .. " is what numpy finds, on any number of threads", function()
      local dir, tokens, _, _, _, products = architectures.made(kind)
      local sums, found = sums_of(dir, tokens, 1)
      local again = sums_of(dir, tokens, 3)
      assert.equal(inputs_of_model, #sums)
      for i, one in ipairs(sums) do
        local n = found.inputs[i].columns
        assert.is_true(one.squares:text() == again[i].squares:text(), one.weight)
        assert.is_true(one.products:text() == again[i].products:text(), one.weight)
        forward.finish(one.products, n, #tokens)
        for _, name in ipairs(found.inputs[i].names) do
          local expected = products(name)
          assert.is_true(off(n * n, function(j) return one.products:get(j) end,
            function(j) return expected:get(j) end) < 1e-5, name)
          assert.is_true(off(n, function(j) return one.squares:get(j) / #tokens end,
            function(j) return expected:get(j * n + j) end) < 1e-5, name)
        end
      end
    end)
  end

  it("names the transposed matrices of GPT-2, of which nothing is known", function()
    local read = assert(load.read(assert(models.open((architectures.made "gpt2")))))
    local found = inputs.of(read.description)
    assert.same({ "transformer.wte.weight" }, found.inputs[1].names)
    assert.matches("inputs are rows", found.left_out["transformer.h.1.attn.c_attn.weight"])
  end)

  it("goes on where it was stopped, to the same bytes", function()
    local _, _, _, whole = run { every = 0 }
    local result, message, _, out = run { every = 0, limit = 7 }
    assert(result, message)
    assert.not_equal(fs.read(whole), fs.read(out))
    out = support.folder() .. "/importance.safetensors"
    assert.has_error(function()
      run { every = 0, out = out, on_progress = function(done)
        if done >= 3 * 512 then error("stopped") end
      end }
    end)
    assert.is_nil(fs.stat(out))
    local resumed = assert(run { out = out })
    assert.same({ 3, 8, 4096 }, { resumed.resumed, resumed.documents, resumed.tokens })
    assert.is_true(fs.read(whole) == fs.read(out))
    assert.is_nil(fs.stat(out .. ".part"))
  end)

  it("begins again when text, settings or what was kept are other ones", function()
    local out = support.folder() .. "/importance.safetensors"
    local function stop(options)
      options.out, options.every = out, 0
      options.on_progress = function() error("stopped") end
      pcall(run, options)
    end
    stop {}
    assert.equal(0, assert(run { out = out, max_tokens = 256 }).resumed)
    stop {}
    assert.equal(0, assert(run { out = out, text = text:sub(2) }).resumed)
    stop {}
    local kept = assert(fs.read(out .. ".part"))
    assert(fs.write(out .. ".part", kept:sub(1, -2) .. "x"))
    assert.equal(0, assert(run { out = out }).resumed)
    stop {}
    assert.equal(1, assert(run { out = out }).resumed)
  end)

  it("has matrices for those layers that are wanted and fit, and names the others", function()
    local result, _, _, out = run { hessian = true, limit = 1, layers = { [1] = true } }
    assert.same({ 4, 13 }, { result.hessians, #result.without_hessian })
    local model <close> = assert(models.open(out))
    local hessian = model:tensor("model.layers.1.mlp.gate_proj.weight.hessian")
    assert.same({ 256, 256 }, hessian.shape)
    assert.equal("model.layers.1.mlp.gate_proj.weight.hessian",
      json.decode(model.metadata.hessians)["model.layers.1.mlp.up_proj.weight"])
    local values = buffer.from("f32", hessian.slice)
    local squares = model:floats("model.layers.1.mlp.up_proj.weight")
    for i = 0, 255 do assert.near(squares:get(i), values:get(257 * i), 1e-5 * squares:get(i)) end
    assert.equal(values:get(256 * 3 + 200), values:get(256 * 200 + 3))
    local small = run { hessian = true, limit = 1, memory = 256 * 256 * 4 }
    assert.equal(1, small.hessians)
    local without = small.without_hessian[#small.without_hessian]
    assert.same({ "no memory", 256 * 256 * 4 }, { without.why, without.bytes })
  end)
end)

describe("calibration's file", function()
  it("has the mean of squares to the power that is asked for", function()
    local name = "model.layers.1.mlp.up_proj.weight"
    local function values(power)
      local _, _, _, out = run { limit = 1, power = power }
      local model <close> = assert(models.open(out))
      return model:floats(name), model.metadata
    end
    local means, roots, metadata = values(), values(0.5)
    for i = 0, 255 do assert.near(means:get(i), roots:get(i) ^ 2, 1e-5 * means:get(i)) end
    assert.same({ "0.5", "512", "1" }, { metadata.power, metadata.tokens, metadata.documents })
  end)
end)

describe("bittern calibrate", function()
  local home = support.folder()
  local path = home .. "/text"
  assert(fs.write(path, text))

  local function bittern(...)
    return support.bittern(home, { ... })
  end

  it("makes what compress --importance and stats read", function()
    local out = home .. "/i.safetensors"
    local done = bittern("calibrate", support.model, "--text", path, "--out", out, "--hessian",
      "--limit", "2")
    assert.equal(0, done.status, done.stderr)
    assert.matches("^tokens=1024\ndocuments=2\nmatrices=29\nhessians=17\nbytes=%d+\n$",
      done.stdout)
    local plain = bittern("compress", support.model, "--recipe", "rowmix", "--budget", "ternary",
      "--out", home .. "/a.zip", "--json")
    local weighed = bittern("compress", support.model, "--recipe", "rowmix", "--budget", "ternary",
      "--out", home .. "/b.zip", "--importance", out, "--json")
    assert.equal(0, weighed.status, weighed.stderr)
    assert.not_equal(json.decode(plain.stdout).sha256, json.decode(weighed.stdout).sha256)
    assert.equal(0, bittern("stats", out).status)
  end)

  it("tells how many matrices it leaves out, and which when asked", function()
    local dir = architectures.made "gpt2"
    local words = home .. "/words"
    assert(fs.write(words, "some words for it"))
    local done = bittern("calibrate", dir, "--text", words, "--out", home .. "/g.safetensors")
    assert.equal(0, done.status, done.stderr)
    assert.matches("^tokens=17\ndocuments=1\nmatrices=1\n", done.stdout)
    assert.equal("8 matrices are left out: inputs are rows of them, and importance is that of "
      .. "columns (--verbose names them)\n", done.stderr)
    done = bittern("calibrate", dir, "--text", words, "--out", home .. "/g.safetensors",
      "--verbose")
    assert.matches("transformer.h.1.mlp.c_fc.weight", done.stderr, 1, true)
  end)

  it("refuses wrong arguments, and texts that it cannot run on", function()
    assert(fs.write(home .. "/empty", ""))
    assert(fs.write(home .. "/latin", "caf\xE9 and more"))
    local out = home .. "/x.safetensors"
    for _, case in ipairs {
      { 2, { "--text", path }, "missing option '%-%-out'" },
      { 2, { "--text", path, "--out", home .. "/x.gguf" }, "end in .safetensors" },
      { 2, { "--text", path, "--out", out, "--layers", "1" }, "give both" },
      { 2, { "--text", path, "--out", out, "--hessian", "--layers", "3-1" }, "must be numbers" },
      { 2, { "--text", path, "--out", out, "--seed", "1" }, "give both" },
      { 2, { "--text", path, "--out", out, "--power", "0" }, "must be a number above 0" },
      { 3, { "--text", home .. "/empty", "--out", out }, "the text is empty" },
      { 3, { "--text", home .. "/latin", "--out", out }, "not UTF%-8: byte 4" },
      { 7, { "--text", home .. "/none", "--out", out }, "No such file" },
      { 7, { "--text", path, "--out", home .. "/none/x.safetensors" }, "No such file" },
    } do
      local done = bittern("calibrate", support.model, table.unpack(case[2]))
      assert.equal(case[1], done.status, done.stderr)
      assert.matches(case[3], done.stderr)
      assert.equal("", done.stdout)
    end
    assert.is_nil(fs.stat(out))
  end)

  it("leaves nothing half written when it is interrupted", function()
    local out = home .. "/stopped.safetensors"
    local child <close> = assert(process.spawn {
      argv = { support.bin, "calibrate", support.model, "--text",
        support.model .. "/calibration.txt", "--out", out },
      env = support.environment(home), stdout = "null", stderr = "null",
    })
    require("core.sys").sleep(0.5)
    os.execute("kill -INT " .. child:pid())
    assert.equal(130, assert(child:wait(20)).status)
    for name in require("lfs").dir(home) do assert.is_nil(name:find("stopped.*tmp"), name) end
    assert.is_nil(fs.stat(out))
  end)
end)
