-- Tests of publisher shelf: `bittern test examples/publish/shelf.lua`.
local sha256 = require "core.sha256"

local test = require "bittern.testing"

describe("publisher shelf", function()
  it("puts the bytes where its URL says", function()
    local artifact, folder = test.artifact(), test.folder()
    local url = assert(test.load().publish({
      args = { folder = folder, url = "https://files.example.org" },
    }, artifact))
    assert.equal("https://files.example.org/" .. artifact.sha256 .. ".zip", url)
    assert.equal(artifact.sha256, sha256.file(folder .. "/" .. artifact.sha256 .. ".zip"))
  end)
end)
