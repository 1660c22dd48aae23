local fs = require "core.fs"
local process = require "core.process"
local sys = require "core.sys"

local json = require "bittern.json"
local small_model = require "tests.small_model"
local support = require "tests.support"

local home = support.folder()

local function bittern(...)
  return support.bittern(home, { ... })
end

local function fails(exit, id, fragment, ...)
  local done = support.bittern(home, { "--json", ... })
  assert.equal(exit, done.status, done.stdout .. done.stderr)
  local failure = json.decode(done.stdout).error
  assert.equal(id, failure.id)
  assert.truthy(failure.message:find(fragment, 1, true), failure.message)
end

describe("bittern compress, pack, hash and verify", function()
  local out, zip = support.folder() .. "/out", support.folder() .. "/a.zip"

  it("lead from a model to an archive within the budget", function()
    local done = support.bittern(home, { "--json", "compress", support.model, "--budget", "binary",
      "--out", out, "--set", "columns=nothing" })
    assert.equal(0, done.status, done.stderr)
    local result = json.decode(done.stdout)
    assert.same({ 2428672, 398454, out }, { result.parameters, result.budget, result.out })
    done = support.bittern(home, { "--json", "pack", out, "--out", zip })
    local archive = json.decode(done.stdout)
    assert.same({ result.bytes, zip, 3 }, { archive.size, archive.path, archive.files })
    local line = ("%s  %d  %s\n"):format(archive.sha256, archive.size, zip)
    assert.equal(line, bittern("hash", zip).stdout)
    done = bittern("verify", zip, "--sha256", archive.sha256, "--budget", "binary")
    assert.equal(0, done.status, done.stderr)
    assert.truthy(done.stdout:find("quantized_size  pass    [%d.]+ %% of the 398,454 bytes"))
  end)

  it("show a plan without writing", function()
    local nowhere = support.folder() .. "/x"
    local done = bittern("compress", support.model, "--budget", "binary", "--dry-run", "--out",
      nowhere)
    assert.equal(0, done.status, done.stderr)
    assert.truthy(done.stdout:find("model.embed_tokens.weight%s+260x256%s+q4"))
    assert.truthy(done.stderr:find("of the budget of 398,454 bytes", 1, true))
    assert.is_nil(fs.stat(nowhere))
    done = bittern("pack", out, "--dry-run")
    assert.truthy(done.stdout:find("%d+  modeling_bittern.py\n"))
  end)

  it("hash several files", function()
    local path = support.folder() .. "/x"
    assert(fs.write(path, "abc"))
    local done = support.bittern(home, { "--json", "hash", path, path })
    local files = json.decode(done.stdout).files
    assert.equal(2, #files)
    assert.same({ 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
      { files[2].size, files[2].sha256 })
    fails(7, "not_found", "none", "hash", path, path .. "none")
  end)

  it("explain a wrong call", function()
    fails(2, "usage", "give --out PATH", "compress", support.model)
    fails(2, "usage", "--set 'x' is not of the form", "compress", support.model, "--set", "x",
      "--dry-run")
    fails(2, "usage", "no argument 'bas'; did you mean 'base'?", "compress", support.model, "--set",
      "bas=b1", "--dry-run")
    fails(2, "usage", "budget 'binery'", "compress", support.model, "--budget", "binery",
      "--dry-run")
    fails(2, "usage", "--sha256 must be 64", "verify", zip, "--sha256", "abc")
    fails(2, "usage", "give --out FILE", "pack", out)
    fails(7, "not_found", "did you mean 'rowmix'?", "compress", support.model, "--recipe",
      "rowmixx", "--dry-run")
  end)

  it("exit 14 with file and line when a recipe is at fault", function()
    local recipe = small_model.recipe "return ctx.lowbit { codec = 'b1', resue = 1 }"
    local done = bittern("compress", support.model, "--recipe", recipe, "--dry-run")
    assert.equal(14, done.status)
    local place = "bittern: " .. recipe .. ":4: ctx.lowbit: unknown key 'resue'"
    assert.truthy(done.stderr:find(place, 1, true), done.stderr)
  end)

  it("exit 9 over the budget, 11 when the folder is in use, 12 for other bytes", function()
    fails(9, "over_budget", "bytes over the budget of", "compress", support.model, "--budget",
      "0.5", "--dry-run")
    fails(9, "over_budget", "over the 151,792 that 2,428,672 parameters may use at 0.5", "verify",
      zip, "--budget", "0.5")
    local lock <close> = assert(fs.lock(out .. "/.bittern.lock"))
    fails(11, "locked", ".bittern.lock", "compress", support.model, "--budget", "binary", "--out",
      out)
    fails(12, "integrity", "bytes, not 7", "verify", zip, "--size", "7")
    assert.is_not_nil(lock)
  end)

  it("stop cleanly on Ctrl-C, with nothing half under its final name", function()
    -- 400 MB that take no room on the disk: enough work to be interrupted in.
    local dir, to = small_model.hollow(100000, 2000), support.folder()
    local child <close> = assert(process.spawn { stdout = "null", stderr = "null",
      argv = { support.bin, "compress", dir, "--budget", "2", "--out", to } })
    local deadline = sys.clock() + 30
    repeat sys.sleep(0.001) until fs.stat(to .. "/.bittern.lock") or sys.clock() > deadline
    child:kill(2)
    local ended = assert(child:wait(5))
    assert.equal(130, ended.status)
    assert.equal("", support.run({ "sh", "-c",
      "ls -A | grep -v -x -e .bittern.lock -e '.*[.]part'" }, { cwd = to }).stdout)
  end)
end)
