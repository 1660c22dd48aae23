local fs = require "core.fs"

local sidecar = require "bittern.sidecar"
local support = require "tests.support"

local HASH <const> = ("ab"):rep(32)

describe("sidecar", function()
  local folder

  before_each(function() folder = support.folder() end)

  local function read(text)
    assert(fs.write(folder .. "/submission.json", text))
    return sidecar.read(folder .. "/submission.json")
  end

  it("comes back as it was written, floats still floats", function()
    local submission = {
      summary = "s", claimed_metrics = { heldout_ppl = 8.0, parameter_count = 2428672 },
      artifact_uri = "https://a.example/b.zip", artifact_sha256 = HASH, artifact_size_bytes = 12,
      base_ref = ("0"):rep(40), proposed_idea = "an idea",
    }
    local path = assert(sidecar.write(folder, submission))
    assert.equal(folder .. "/submission.json", path)
    local back = assert(sidecar.read(path))
    assert.same(submission, back)
    assert.equal("float", math.type(back.claimed_metrics.heldout_ppl))
    assert.equal("integer", math.type(back.claimed_metrics.parameter_count))
  end)

  it("trims text, lowers the hash, reads sizes of other tools, and drops what is empty", function()
    local submission = assert(read(([[{"summary": " s ", "claimed_metrics": {"heldout_ppl": 8},
      "artifact_sha256": " %s ", "artifact_size_bytes": "301118", "proposed_idea": null,
      "implemented_submission_id": "  ", "execution_log": "", "notes": {"any": 1}}]]):format(
      HASH:upper())))
    assert.same({
      summary = "s", claimed_metrics = { heldout_ppl = 8 }, artifact_sha256 = HASH,
      artifact_size_bytes = 301118,
    }, submission)
    submission = assert(read '{"summary":"s","claimed_metrics":{"x":1},"artifact_size_bytes":5.0}')
    assert.equal("integer", math.type(submission.artifact_size_bytes))
  end)

  for text, complaint in pairs {
    ["[1]"] = "must hold a JSON object",
    ["{"] = "submission.json",
    ['{"claimed_metrics":{"x":1}}'] = "field 'summary' is required",
    ['{"summary":"  ","claimed_metrics":{"x":1}}'] = "field 'summary' is required",
    ['{"summary":"s"}'] = "field 'claimed_metrics' is required",
    ['{"summary":"s","claimed_metrics":{}}'] = "field 'claimed_metrics' is required",
    ['{"summary":"s","claimed_metrics":{"x":"1"}}'] = "'x' must be a number",
    ['{"summary":["s"],"claimed_metrics":{"x":1}}'] = "field 'summary' must be a string",
    ['{"summary":"s","claimed_metrics":{"x":1},"artifact_size_bytes":"big"}'] =
      "field 'artifact_size_bytes' must be a whole number above 0",
    ['{"summary":"s","claimed_metrics":{"x":1},"artifact_size_bytes":0}'] =
      "field 'artifact_size_bytes' must be a whole number above 0",
    ['{"summary":"s","claimed_metrics":{"x":1},"artifact_size_bytes":1.5}'] =
      "field 'artifact_size_bytes' must be a whole number above 0",
  } do
    it("refuses " .. text, function()
      local submission, message, code = read(text)
      assert.is_nil(submission)
      assert.matches(complaint, message, 1, true)
      assert.equal("sidecar", code)
    end)
  end

  it("names a file that is not there", function()
    local submission, message, code = sidecar.read(folder .. "/none.json")
    assert.is_nil(submission)
    assert.matches("none.json", message)
    assert.equal("not_found", code)
  end)
end)
