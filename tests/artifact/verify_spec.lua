local fs = require "core.fs"
local lfs = require "lfs"
local process = require "core.process"

local budget = require "bittern.compress.budget"
local engine = require "bittern.compress.engine"
local json = require "bittern.json"
local pack = require "bittern.artifact.pack"
local packed_model = require "tests.packed_model"
local small_model = require "tests.small_model"
local support = require "tests.support"
local verify = require "bittern.artifact.verify"
local writer = require "bittern.model.zip.writer"

local folder, child, base, artifact = support.folder(), nil, nil, nil

setup(function()
  local out = support.folder()
  assert(engine.run {
    model = support.model, recipe = "rowmix", out = out, budget = "binary",
  })
  artifact = assert(pack.run { dir = out, out = folder .. "/good.zip" })
  local damaged = assert(fs.read(artifact.path))
  local at = #damaged // 2
  assert(fs.write(folder .. "/damaged.zip", damaged:sub(1, at - 1)
    .. string.char(damaged:byte(at) ~ 1) .. damaged:sub(at + 1)))
  child = assert(process.spawn { stdout = "pipe",
    argv = { "/usr/bin/python3", support.root .. "/tests/fixtures/file_server.py", folder } })
  base = "http://127.0.0.1:" .. assert(child:read_line(10))
end)

teardown(function() child:close() end)

local function refused(options, code, fragment)
  local result, message, id = verify.run(options)
  assert.is_nil(result)
  assert.equal(code, id, message)
  assert.truthy(message:find(fragment, 1, true), message)
end

local function zip_of(tensors, options)
  local path = support.folder() .. "/a.zip"
  assert(pack.run { dir = small_model.write(tensors, options), out = path })
  return path
end

describe("verifying a file", function()
  it("tells size, hash, contents and both gates", function()
    local result = assert(verify.run { path = artifact.path, size = artifact.size,
      sha256 = artifact.sha256:upper(), budget = "binary" })
    assert.same({ 3, 29, 17, 2428672 },
      { result.files, result.matrices, result.plain, result.parameters })
    assert.same({ artifact.size, artifact.sha256 }, { result.size, result.sha256 })
    assert.same({ "artifact_size", "quantized_size" },
      { result.gates[1].id, result.gates[2].id })
    assert.equal(398454, result.gates[2].limit)
  end)

  it("finds other bytes than those that were recorded", function()
    refused({ path = artifact.path, size = artifact.size + 1 }, "integrity",
      ("has %d bytes, not %d"):format(artifact.size, artifact.size + 1))
    refused({ path = folder .. "/damaged.zip", sha256 = artifact.sha256 }, "integrity",
      "not " .. artifact.sha256)
    refused({ path = folder .. "/damaged.zip" }, "archive_damaged", "is damaged: its CRC-32")
    refused({ path = folder .. "/none.zip" }, "not_found", "No such file")
  end)

  it("names the exact bytes over the budget, and passes at equality", function()
    local path = zip_of { { name = "w", shape = { 64, 4096 } } }
    local size = fs.stat(path).size
    local limit = budget.bytes(64 * 4096, "16")
    refused({ path = path, budget = "16" }, "over_budget", ("are %d over the"):format(size - limit))
    local exact = { size * 8, 64 * 4096 }
    assert.equal(size, assert(verify.run { path = path, budget = exact }).gates[2].limit)
    refused({ path = path, budget = { size * 8 - 8, 64 * 4096 } }, "over_budget", "are 1 over the")
    refused({ path = path, budget = "bianry" }, "usage", "bianry")
  end)

  it("refuses what is no archive, has two config.json, or lacks its weights", function()
    local path = support.folder() .. "/x.zip"
    assert(fs.write(path, "not a zip"))
    refused({ path = path }, "archive_format", "is no archive; validators say")
    refused({ path = folder }, "archive_format", "is a directory")
    local entries = {
      { name = "config.json", text = "{}" }, { name = "b/config.json", text = "{}" },
    }
    assert(writer.write(path, entries))
    refused({ path = path }, "archive_config", "2 files named config.json")
    assert(writer.write(path, { entries[1] }))
    refused({ path = path }, "invalid_model", "no model.safetensors")
  end)

  it("refuses packed matrices that do not fit their plan", function()
    local plan = '{"w":{"codec":"b1","group":0,"rescued":0,"shape":[2,9]}}'
    refused({ path = zip_of({ { name = "w.codes", shape = { 2, 1 }, dtype = "U8", text = "ab" },
      { name = "w.scales", shape = { 2, 1 }, dtype = "F16" } },
      { metadata = { format = "bittern", version = "1", plan = plan } }) },
      "invalid_artifact", "'w.codes' is U8 [2, 1], its plan needs U8 [2, 2]")
  end)

  it("goes on after a stop, and skips what there is nothing to look at for", function()
    local result = assert(verify.checks { path = artifact.path, size = 1, budget = "0.5" })
    local states = {}
    for i, one in ipairs(result.checks) do states[i] = one.id .. " " .. one.state end
    assert.same({ "bytes pass", "size stop", "sha256 pass", "archive pass", "config pass",
      "model pass", "tensors pass", "loader pass", "parameters pass", "artifact_size pass",
      "quantized_size stop" }, states)
    assert.same({ false, "size" }, { result.ok, result.first.id })
    result = assert(verify.checks { path = folder .. "/damaged.zip" })
    for i, one in ipairs(result.checks) do states[i] = one.state end
    assert.equal("pass pass pass stop skip skip skip skip skip skip skip",
      table.concat(states, " "))
  end)

  it("wants the loader that config.json names, and the class that it builds", function()
    local function packed_zip(config, files)
      local dir = packed_model.write({ { "w", { codec = "b1", group = 0, shape = { 2, 9 },
        rescued = 0 } } }, { config = config, files = files })
      local path = support.folder() .. "/a.zip"
      assert(pack.run { dir = dir, out = path })
      return path
    end
    local map = { AutoModelForCausalLM = "modeling_bittern.BitternForCausalLM" }
    local names = json.array { "X" }
    local loader = { ["modeling_bittern.py"] = "" }
    refused({ path = packed_zip({ architectures = names }, loader) }, "invalid_artifact",
      "names no loader")
    refused({ path = packed_zip { auto_map = map, architectures = names } }, "invalid_artifact",
      "names the loader modeling_bittern.py, which is not there")
    refused({ path = packed_zip({ auto_map = map }, loader) }, "invalid_artifact",
      "names no architectures")
    assert(verify.run { path = packed_zip({ auto_map = map, architectures = names }, loader) })
  end)

  it("takes a dense model, too", function()
    local result = assert(verify.run { path = zip_of { { name = "w", shape = { 3, 5 } } } })
    assert.same({ 15, 0, 1 }, { result.parameters, result.matrices, result.plain })
  end)
end)

describe("verifying a URL", function()
  local home = support.folder()

  -- In a process of its own, whose cache is in a home of its own.
  local function bittern(...)
    return support.bittern(home, { "--json", "verify", ... })
  end

  local function fails(exit, id, fragment, ...)
    local done = bittern(...)
    assert.equal(exit, done.status, done.stdout .. done.stderr)
    local failure = json.decode(done.stdout).error
    assert.equal(id, failure.id)
    assert.truthy(failure.message:find(fragment, 1, true), failure.message)
  end

  it("fetches once and looks at bytes and contents", function()
    local done = bittern(base .. "/good.zip", "--sha256", artifact.sha256, "--size",
      tostring(artifact.size), "--budget", "binary")
    assert.equal(0, done.status, done.stdout .. done.stderr)
    local result = json.decode(done.stdout)
    assert.same({ artifact.size, artifact.sha256, 2428672 },
      { result.size, result.sha256, result.parameters })
    for name in lfs.dir(home .. "/.cache/bittern") do assert.truthy(name:find("^%.")) end
  end)

  it("exits 12 when the bytes there changed", function()
    fails(12, "integrity", "its SHA-256 is", base .. "/damaged.zip", "--sha256", artifact.sha256)
    fails(12, "integrity", "has more than 5 bytes", base .. "/good.zip", "--size", "5",
      "--bytes-only")
  end)

  it("names a redirect and does not follow it", function()
    fails(12, "redirect", "answers 302, a redirect to /good.zip; validators follow none",
      base .. "/moved/good.zip", "--sha256", artifact.sha256)
  end)

  it("tells a missing file, a broken answer and a dead server apart", function()
    fails(6, "http_status", "answers 404, not 200", base .. "/none.zip")
    fails(6, "network", "", base .. "/short/good.zip")
    fails(6, "unreachable", "", "http://127.0.0.1:1/good.zip")
  end)

  it("leaves no copies behind", function()
    local left = support.run({ "ls", "-A", home .. "/.cache/bittern" }).stdout
    assert.equal("", left)
  end)

  it("is not done offline", function()
    local done = support.bittern(home, { "--offline", "--json", "verify", base .. "/good.zip" })
    assert.equal("offline", json.decode(done.stdout).error.id)
  end)
end)
