-- The practice validator as a process: from a submission to its verification.
local fs = require "core.fs"
local sys = require "core.sys"

local pack = require "bittern.artifact.pack"
local auth = require "bittern.auth"
local canonical = require "bittern.canonical"
local engine = require "bittern.compress.engine"
local scorer = require "bittern.eval.score"
local http = require "bittern.http"
local safetensors = require "bittern.model.safetensors"
local zip = require "bittern.model.zip.writer"

local practice = require "tests.practice.support"
local serving = require "tests.practice.serving"
local support = require "tests.support"

describe("practice validate", function()
  local dir, child, url

  before_each(function()
    dir = support.folder()
    child, url = serving.start(dir, { "--no-validator" })
  end)
  after_each(function() serving.stop(child) end)

  local function call(method, path, body)
    local headers = assert(auth.headers(practice.alice, {
      method = method, path = path, body = body, now = sys.time(),
    }))
    return assert(http.json(method, url .. path, { headers = headers, body = body }))
  end

  -- Publishes and submits an archive to the binary task; the submission's id.
  local function submit_file(packed)
    local name = packed.sha256 .. ".zip"
    call("PUT", "/files/" .. name, assert(fs.read(packed.path)))
    local task = http.json("GET", url .. "/api/v1/tasks")[1]
    local claim = call("POST", "/api/v1/tasks/" .. task.id .. "/claim", '{"claim_description":"x"}')
    local body = practice.submission(claim, {
      artifact_uri = url .. "/files/" .. name, artifact_sha256 = packed.sha256,
      artifact_size_bytes = packed.size,
    })
    return call("POST", "/api/v1/submissions", assert(canonical.encode(body))).id
  end

  local function submit(entries)
    local packed = assert(zip.write(dir .. "/a.zip", entries))
    return submit_file(packed), packed
  end

  local function validate(...)
    return support.bittern(dir, {
      "--verbose", "--coordinator", url, "practice", "validate", "--state", dir, "--once", ...,
    })
  end

  local function verification(id)
    local list = assert(http.json("GET", url .. "/api/v1/verifications?submission_id=" .. id))
    assert.equal(1, #list)
    return list[1]
  end

  it("accepts what is within the budget, as it measures it; the mode makes it best", function()
    assert(engine.run {
      model = support.model, recipe = "rowmix", out = dir .. "/model", budget = "binary",
    })
    local packed = assert(pack.run { dir = dir .. "/model", out = dir .. "/b.zip" })
    local id = submit_file(packed)
    local done = validate()
    assert.equal(0, done.status, done.stderr)
    local result = verification(id)
    assert.equal("accepted", result.status, result.notes)
    local expected = assert(scorer.score {
      model = packed.path, text = assert(fs.read(support.model .. "/heldout.txt")),
    })
    local metrics = result.observed_metrics
    assert.equal(expected.heldout_ppl, metrics.heldout_ppl)
    assert.equal(32704, metrics.token_count)
    assert.equal(64, metrics.scored_docs)
    assert.equal(2428672, metrics.parameter_count)
    assert.equal(packed.size, metrics.submission_artifact_bytes)
    assert.equal(packed.size * 8, metrics.compressed_bits)
    assert.equal(1.3125, metrics.max_artifact_bits_per_parameter)
    local submission = call("GET", "/api/v1/submissions/" .. id)
    assert.same({ "accepted", metrics }, { submission.status, submission.observed_metrics })
    local best = http.json("GET", url .. "/api/v1/tasks/" .. submission.task_id .. "/best")
    assert.same({ id, metrics.heldout_ppl }, { best.submission_id, best.metric_value })
  end)

  it("rejects what is over the budget before it is loaded", function()
    local id, packed = submit {
      { name = "config.json", path = support.model .. "/config.json" },
      { name = "model.safetensors", path = support.model .. "/model.safetensors" },
    }
    local done = validate()
    assert.equal(0, done.status, done.stderr)
    local result = verification(id)
    assert.equal("rejected", result.status)
    assert.equal(("Replay rejected in practice replay | exit=1 | validator_rejection=artifact_size "
      .. "artifact_bits=%d max_artifact_bits=3187632"):format(packed.size * 8), result.notes)
    assert.truthy(done.stderr:find("rejected: Replay rejected", 1, true))
    assert.equal("rejected", call("GET", "/api/v1/submissions/" .. id).status)
  end)

  it("rejects a small model whose bits outnumber its parameters' budget", function()
    local tensor = ("\0"):rep(2000)
    local header = safetensors.header({
      { name = "model.norm.weight", dtype = "F16", shape = { 1000 } },
    }, {})
    local id, packed = submit {
      { name = "config.json", path = support.model .. "/config.json" },
      { name = "model.safetensors", text = header .. tensor },
    }
    validate()
    local result = verification(id)
    assert.equal("rejected", result.status, result.notes)
    assert.truthy(result.notes:find(("validator_rejection=quantized_size artifact_bits=%d "
      .. "parameter_count=1000 max_model_artifact_bits=1313"):format(packed.size * 8), 1, true),
      result.notes)
  end)

  it("reports an archive without a model as an error", function()
    local id = submit { { name = "notes.txt", text = "nothing" } }
    validate()
    local result = verification(id)
    assert.equal("error", result.status)
    assert.truthy(result.notes:find("^Replay failed in practice replay | exit=1 | "), result.notes)
  end)

  it("is started by the coordinator, again when it dies, and finishes what waits", function()
    serving.stop(child, 9)
    child, url = serving.start(dir)
    local first = assert(serving.validator(url))
    assert(support.run { "/bin/sh", "-c", 'kill -9 "$0"', first })
    local id = submit { { name = "notes.txt", text = "nothing" } }
    local list
    for _ = 1, 200 do
      list = assert(http.json("GET", url .. "/api/v1/verifications?submission_id=" .. id))
      if list[1] and list[1].status == "error" then break end
      sys.sleep(0.05)
    end
    assert.equal("error", list[1].status)
    assert.are_not.equal(first, serving.validator(url))
    assert.truthy(fs.read(dir .. "/stderr"):find("the validator ended (signal 9)", 1, true))
  end)

  it("has nothing to do, and says when the coordinator is gone", function()
    assert.equal(0, validate().status)
    serving.stop(child, 9)
    local done = validate()
    assert.equal(6, done.status)
    child = serving.start(dir, { "--no-validator" })
  end)
end)
