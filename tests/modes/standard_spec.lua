local json = require "bittern.json"
local modes = require "tests.modes.support"

local submission, NONE = modes.submission, modes.NONE

local function reasons(extra, world)
  return modes.reasons("standard", submission(extra), world)
end

local function without_artifact(patch)
  return { artifact_uri = NONE, artifact_sha256 = NONE, artifact_size_bytes = NONE, patch = patch }
end

-- Exactly one rule objects, and says this.
local function refused(extra, id, pattern)
  local found = reasons(extra)
  assert.matches(pattern, found[id] or "nothing")
  found[id] = nil
  assert.same({}, found)
end

describe("mode standard", function()
  it("passes an artifact without patch and a patch without artifact", function()
    assert.same({}, reasons())
    assert.same({}, reasons(without_artifact("diff --git a/x b/x\n")))
    assert.same({}, reasons { artifact_uri = "http://127.0.0.1:8080/files/a.zip" })
    assert.same({}, reasons { artifact_uri = "http://localhost:1/a" })
    assert.same({}, reasons { artifact_uri = "HTTPS://files.example.org/a" })
  end)

  it("refuses addresses that validators cannot take", function()
    for uri, pattern in pairs {
      ["/home/me/a.zip"] = "local path", ["a.zip"] = "local path", ["file:///a.zip"] = "local file",
      ["hf://m/a.zip"] = "scheme 'hf'", ["http://files.example.org/a"] = "https only",
      ["http://127.0.0.1.example.org/a"] = "https only",
      ["http://localhost.example.org/a"] = "https only",
      ["https://me:pw@example.org/a"] = "credentials", ["https://example.org/a b"] = "blank",
      ["https:///a"] = "no host", ["https://:443/a"] = "no host",
      ["https://example.org/" .. ("a"):rep(2048)] = "longer than 2048",
    } do
      refused({ artifact_uri = uri }, "artifact_uri", pattern)
    end
  end)

  it("refuses hashes and sizes that are none", function()
    refused({ artifact_sha256 = ("A"):rep(64) }, "artifact_sha256", "64 lower%-case hex")
    refused({ artifact_sha256 = ("a"):rep(63) }, "artifact_sha256", "64 lower%-case hex")
    refused({ artifact_sha256 = NONE }, "artifact_sha256", "missing beside artifact_uri")
    refused({ artifact_size_bytes = NONE }, "artifact_size_bytes", "missing beside artifact_uri")
    for _, size in ipairs { 0, -1, 1.5, "10" } do
      refused({ artifact_size_bytes = size }, "artifact_size_bytes", "whole number")
    end
  end)

  it("refuses blank claims, moving refs, and summaries that are empty or too long", function()
    refused({ claim_id = " " }, "claim_id", "blank")
    refused({ base_ref = "production" }, "base_ref", "40 hex")
    refused({ base_ref = NONE }, "base_ref", "40 hex")
    refused({ summary = "\n" }, "summary", "blank")
    refused({ summary = ("é"):rep(8001) }, "summary", "8001 characters, 1 too many")
    refused({ summary = "\xff" }, "summary", "UTF%-8")
    assert.same({}, reasons { summary = ("é"):rep(8000) })
  end)

  it("wants the task's metric and finite numbers", function()
    refused({ claimed_metrics = {} }, "claimed_metrics", "empty")
    refused({ claimed_metrics = { loss = 1 } }, "claimed_metrics", "lacks the task's metric")
    refused({ claimed_metrics = { heldout_ppl = "5" } }, "claimed_metrics", "is a string")
    refused({ claimed_metrics = { heldout_ppl = 0 / 0 } }, "claimed_metrics", "not finite")
    refused({ claimed_metrics = { heldout_ppl = 1, x = -math.huge } }, "claimed_metrics",
      "x is not finite")
    refused({ claimed_metrics = { 1, 2 } }, "claimed_metrics", "not an object")
    refused({ claimed_metrics = json.null }, "claimed_metrics", "missing")
  end)

  it("has the patch key always, and lets it be empty beside an artifact only", function()
    refused({ patch = NONE }, "patch", "missing")
    refused(without_artifact("\n"), "patch", "no artifact_uri")
  end)

  it("keeps centerless fields out, null ones are none", function()
    refused({ proposed_idea = "x" }, "no_centerless_fields", "centerless")
    refused({ implemented_submission_id = "x" }, "no_centerless_fields", "centerless")
    assert.same({}, reasons { proposed_idea = json.null })
  end)

  it("lets a draft lack what is filled in when it is sent", function()
    assert.same({}, reasons({ claim_id = NONE, base_ref = NONE, patch = NONE }, { draft = true }))
    local found = reasons({ claim_id = "", base_ref = "main" }, { draft = true })
    assert.is_string(found.claim_id)
    assert.is_string(found.base_ref)
  end)
end)
