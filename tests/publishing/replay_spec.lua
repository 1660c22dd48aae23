local replay = require "bittern.publishing.replay"

describe("what the public replay engine says of a URL", function()
  local artifact <const> = { size = 10, sha256 = ("a"):rep(64) }

  local function says(url, change)
    local seen = { status = 200, length = "10", size = 10, sha256 = artifact.sha256 }
    for key, value in pairs(change or {}) do seen[key] = value end
    return replay.says(url, artifact, seen)
  end

  it("is nothing where it takes the bytes", function()
    assert.is_nil(says "https://files.example.org/a")
    assert.is_nil(says("HTTPS://files.example.org/a", { length = "words" }))
    assert.is_nil(says("https://files.example.org/a", { encoding = "gzip", length = "7" }))
  end)

  for words, case in pairs {
    ["required artifacts must use https"] = { "http://files.example.org/a" },
    ["unsupported artifact_uri scheme: s3"] = { "s3://bucket/a" },
    ["submission artifact redirects are not allowed"] = { "https://h/a", { status = 302 } },
    ["submission artifact download failed: HTTP 404"] = { "https://h/a", { status = 404 } },
    ["artifact_size_bytes mismatch: expected 10, got 12"] = { "https://h/a", { length = "12" } },
    ["artifact_size_bytes mismatch: expected 10, got 9"] = { "https://h/a", { size = 9 } },
    ["artifact_sha256 mismatch: expected " .. ("a"):rep(64) .. ", got b"] =
      { "https://h/a", { sha256 = "b" } },
  } do
    it("is: " .. words, function()
      assert.equal(words, says(table.unpack(case)))
    end)
  end
end)
