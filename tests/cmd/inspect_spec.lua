local fs = require "core.fs"

local giant = require "tests.giant_model"
local json = require "bittern.json"
local made = require "tests.gguf_bytes"
local safetensors = require "bittern.model.safetensors"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()

local function inspect(...)
  return support.bittern(home, { "inspect", ... })
end

local function read(path)
  local done = support.bittern(home, { "--json", "inspect", path })
  return json.decode(done.stdout), done
end

local function is_narrow(text)
  for line in text:gmatch("[^\n]+") do assert.is_true(utf8.len(line) <= 80, line) end
end

describe("bittern inspect", function()
  it("tells everything of a directory", function()
    local r, done = read(support.model)
    assert.equal(0, done.status)
    assert.same({ "directory", "Qwen3ForCausalLM", 2428672, 4857344, 16, false },
      { r.kind, r.architecture, r.parameters, r.bytes, r.bits_per_parameter, r.packed })
    assert.same({ { name = "model.safetensors", bytes = 4862256, data = 4857344, tensors = 46 } },
      r.files)
    assert.equal(46, #r.tensors)
    assert.same({ name = "model.embed_tokens.weight", codec = "bf16", bits = 16, bytes = 133120,
      parameters = 66560, values = 66560, shape = { 260, 256 } }, r.tensors[1])
    assert.same({ { codec = "bf16", tensors = 46, parameters = 2428672, values = 2428672,
      bytes = 4857344, bits = 16 } }, r.codecs)
    assert.same({}, r.problems)
    assert.is_nil(r.error)
  end)

  it("prints tables of 80 columns, layers together or each for itself", function()
    local done = inspect(support.model)
    assert.equal(0, done.status)
    assert.equal("", done.stderr)
    is_narrow(done.stdout)
    assert.matches("\nparameters    2,428,672\n", done.stdout)
    assert.matches("\nmodel.layers.%*\n", done.stdout)
    assert.matches("\n  mlp.up_proj.weight +4  512x256  bf16   16.00  1.0 MB\n", done.stdout)
    local all = inspect(support.model, "--all")
    is_narrow(all.stdout)
    assert.matches("layers.3.mlp.up_proj.weight +1  512x256", all.stdout)
  end)

  it("tells GGUF by its content, with its metadata", function()
    local path = home .. "/no-telling-name"
    assert(fs.write(path, support.fixture("codecs.gguf")))
    local r = read(path)
    assert.same({ "gguf", 9, 6912 }, { r.kind, #r.tensors, r.parameters })
    assert.same({ "llama", "9223372036854775808", true },
      { r.metadata["general.architecture"], r.metadata["x.big"], r.metadata["x.flag"] })
    assert.same({ element = "i32", count = 3, first = { -1, 0, 7 } }, r.metadata["x.array"])
    local bits = {}
    for _, t in ipairs(r.tensors) do bits[t.codec] = t.bits end
    assert.same({ f32 = 32, f16 = 16, bf16 = 16, q8_0 = 8.5, q4_0 = 4.5, q1_0 = 1.125,
      q2_0 = 2.25, tq1_0 = 1.6875, tq2_0 = 2.0625 }, bits)
    is_narrow(inspect(path).stdout)
  end)

  it("prints no bytes of a stranger as they are", function()
    local path = home .. "/strange.gguf"
    assert(fs.write(path, made.file { entries = {
      made.entry("text", made.STRING, made.text("\27[2J\xff\xfeend")),
      made.entry("nan", made.F32, "\0\0\192\127"),
      made.entry("words", made.ARRAY, string.pack("<i4i8", made.STRING, 2) .. made.text("\xe2\x96")
        .. made.text("\27[1m")),
    } }))
    local r, done = read(path)
    assert.equal(0, done.status, done.stderr)
    assert.equal("\27[2J\u{FFFD}\u{FFFD}end", r.metadata.text)
    assert.matches("nan", r.metadata.nan)
    assert.equal("\u{FFFD}\u{FFFD}", r.metadata.words.first[1])
    assert.is_nil(inspect(path).stdout:find("\27", 1, true))
  end)

  it("sees packed matrices as what they stand for", function()
    local dir, zip = support.folder() .. "/packed", support.folder() .. "/a.zip"
    assert.equal(0, support.bittern(home, { "compress", support.model, "--recipe", "rowmix",
      "--budget", "binary", "--out", dir, "--quiet" }).status)
    assert.equal(0, support.bittern(home, { "pack", dir, "--out", zip, "--quiet" }).status)
    for kind, path in pairs { directory = dir, archive = zip } do
      local r = read(path)
      assert.same({ kind, true, 2428672, 46 }, { r.kind, r.packed, r.parameters, #r.tensors })
      assert.is_true(r.bits_per_parameter < 21 / 16)
      local codecs = {}
      for _, t in ipairs(r.tensors) do codecs[t.codec] = true end
      assert.same({ b1 = true, bf16 = true, q4 = true }, codecs)
      assert.matches("^format        packed artifact, ", inspect(path).stdout)
    end
  end)

  it("tells groups, bases, offsets and scales of columns of packed matrices", function()
    local dir = support.folder()
    local model = small_model.write({
      { name = "layers.0.w", shape = { 8, 64 } }, { name = "layers.1.w", shape = { 8, 64 } },
      { name = "layers.2.w", shape = { 8, 64 } }, { name = "layers.3.w", shape = { 8, 64 } },
    })
    assert(fs.write(dir .. "/r.lua", [[return { api = 1, about = "each another",
      tensor = function(ctx, t)
        if t.name:find("0") then return ctx.lowbit { codec = "t5", group = 32, offsets = true } end
        if t.name:find("1") then return ctx.lowbit { codec = "b1", bases = 2, columns = true } end
        return ctx.lowbit { codec = "b1", rescue = t.name:find("3") and 2 or 0 }
      end }]]))
    assert.equal(0, support.bittern(home, { "compress", model, "--recipe", dir .. "/r.lua",
      "--out", dir .. "/out", "--quiet" }).status)
    local told = {}
    for _, t in ipairs((read(dir .. "/out")).tensors) do
      told[#told + 1] = { t.codec, t.group, t.bases, t.offsets, t.columns, t.rescued }
    end
    assert.same({ { "t5", 32, 1, true, false, 0 }, { "b1", 0, 2, false, true, 0 },
      { "b1", 0, 1, false, false, 0 }, { "b1", 0, 1, false, false, 2 } }, told)
    local shown = inspect(dir .. "/out").stdout
    is_narrow(shown)
    for _, line in ipairs { "w +1 +8x64 +t5/32 %+offsets ", "w +1 +8x64 +b1 x2 %+columns ",
      "w +2 +8x64 +b1  " } do
      assert.matches(line, shown)
    end
  end)

  it("reads a safetensors file alone, of types without codec", function()
    local path = home .. "/x.bin"
    assert(fs.write(path, safetensors.header({ { name = "a", dtype = "U8", shape = { 2 } },
      { name = "b", dtype = "F32", shape = {} }, { name = "c", dtype = "I64", shape = { 0 } } },
      { note = "hello" }) .. "\0\0\0\0\0\0"))
    local r = read(path)
    assert.same({ "safetensors", 1, 6, "hello" }, { r.kind, r.parameters, r.bytes,
      r.metadata.note })
    assert.equal(0, inspect(path).status)
  end)
end)

describe("bittern inspect names what is wrong:", function()
  local function fails(path, exit, id, fragment)
    local r, done = read(path)
    assert.equal(exit, done.status, done.stdout .. done.stderr)
    assert.equal(id, r.error.id)
    assert.is_truthy(r.error.message:find(fragment, 1, true), r.error.message)
    local told = inspect(path)
    assert.equal(exit, told.status)
    assert.is_truthy(told.stderr:find(fragment, 1, true), told.stderr)
    return r
  end

  local function folder_with(files)
    local dir = support.folder()
    for name, text in pairs(files) do assert(fs.write(dir .. "/" .. name, text)) end
    return dir
  end

  local function weights(name)
    return safetensors.header({ { name = name, dtype = "F32", shape = { 1 } } }, {}) .. "\0\0\0\0"
  end

  it("files that are no models", function()
    fails(home .. "/none", 7, "not_found", "none")
    local nothing = inspect(folder_with { x = "" } .. "/x")
    assert.equal(9, nothing.status)
    assert.matches("/x: ", nothing.stderr)
    fails(folder_with { ["x.gguf"] = "GG" } .. "/x.gguf", 1, "model_header", "not a GGUF file")
    fails(folder_with { ["x.gguf"] = "GGUF\3\0\0\0" } .. "/x.gguf", 1, "model_truncated", "")
    fails(folder_with {}, 1, "invalid_model", "no config.json")
  end)

  it("a folder without config.json, and tells what it holds", function()
    local r = fails(folder_with { ["model.safetensors"] = weights "a" }, 1, "invalid_model",
      "no config.json")
    assert.same({ 1, "a" }, { #r.tensors, r.tensors[1].name })
  end)

  it("each shard that is broken or missing, and tells what the others hold", function()
    local index = json.encode { metadata = { total_size = 8 }, weight_map = {
      a = "m-00001-of-00003.safetensors", b = "m-00002-of-00003.safetensors",
      c = "m-00003-of-00003.safetensors" } }
    local dir = folder_with { ["config.json"] = "{}", ["model.safetensors.index.json"] = index,
      ["m-00001-of-00003.safetensors"] = weights "a",
      ["m-00002-of-00003.safetensors"] = weights("b"):sub(1, -2) }
    local r, done = read(dir)
    assert.equal(1, done.status)
    assert.same({ "a" }, { r.tensors[1].name })
    local all = {}
    for i, found in ipairs(r.problems) do all[i] = found.message end
    local text = table.concat(all, "\n")
    assert.matches("m%-00002%-of%-00003.safetensors: ", text)
  end)

  it("shards that belong to nothing, a wrong total, two sets of weights", function()
    local index = json.encode { metadata = { total_size = 5.0 }, weight_map = {
      a = "m-00001-of-00001.safetensors" } }
    local dir = folder_with { ["config.json"] = "{}", ["model.safetensors.index.json"] = index,
      ["m-00001-of-00001.safetensors"] = weights "a", ["old.safetensors"] = weights "a" }
    local r = fails(dir, 1, "model_shards", "says 5 bytes of tensors, its shards hold 4")
    assert.equal(2, #r.problems)
    assert.matches("old.safetensors belongs to no model here", r.problems[2].message)
    assert.equal(1, #r.tensors)
    fails(folder_with { ["config.json"] = "{}", ["model.safetensors.index.json"] = index,
      ["model.safetensors"] = weights "a" }, 1, "model_shards", "is there too and is not")
  end)

  it("a packed matrix that lacks a part", function()
    local dir = small_model.write({ { name = "w.codes", dtype = "U8", shape = { 1, 1 },
      text = "\0" } }, { metadata = { format = "bittern", version = "1",
        plan = '{"w":{"codec":"b1","group":0,"rescued":0,"shape":[1,8]}}' } })
    fails(dir, 9, "invalid_artifact", "no tensor 'w.scales'")
  end)
end)

describe("a model of 27 billion parameters", function()
  it("is inspected from its headers, whole, in shards or as GGUF", function()
    local total = 0
    for _, t in ipairs(giant.tensors()) do
      local count = 1
      for _, size in ipairs(t.shape) do count = count * size end
      total = total + count
    end
    assert.equal(giant.PARAMETERS, total)
    for _, case in ipairs { { 1, giant.single() }, { 15, giant.sharded(15) },
      { 1, giant.gguf() } } do
      local files, path = case[1], case[2]
      local done = inspect(path)
      assert.equal(0, done.status, done.stderr)
      is_narrow(done.stdout)
      assert.matches("\nparameters    27,781,427,952\n", done.stdout)
      local r = read(path)
      assert.same({ giant.TENSORS, giant.PARAMETERS, giant.BYTES, files },
        { #r.tensors, r.parameters, r.bytes, #r.files })
      for _, form in ipairs { {}, { "--json" } } do
        local status, seconds, bytes = support.cost(home, { "inspect", path, form[1] })
        assert.equal(0, status)
        io.stdout:write(("  55 GB in %d files%s: %.3f s, %.1f MB\n"):format(files,
          form[1] and ", as JSON" or "", seconds, bytes / 1e6))
        assert.is_true(bytes < 100e6, bytes)
        assert.is_true(seconds < 10, seconds)
      end
    end
  end)
end)
