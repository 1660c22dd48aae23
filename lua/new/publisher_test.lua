-- Tests of publisher NAME: `bittern test NAME.lua`.
local sha256 = require "core.sha256"

local test = require "bittern.testing"

describe("publisher NAME", function()
  local publisher = test.load()

  it("puts the bytes where its URL says", function()
    local artifact, folder = test.artifact(), test.folder()
    local url = assert(publisher.publish({
      args = { folder = folder, url = "https://files.example.org" },
    }, artifact))
    assert.equal("https://files.example.org/" .. artifact.sha256 .. ".zip", url)
    assert.equal(artifact.sha256, sha256.file(folder .. "/" .. artifact.sha256 .. ".zip"))
  end)

  it("asks for what it needs", function()
    local url, message, code = publisher.publish({ args = { folder = "", url = "" } },
      test.artifact())
    assert.same({ nil, "usage" }, { url, code })
    assert.matches("--set url=URL", message, 1, true)
  end)

  it("says that a folder is not there", function()
    local args = { folder = test.folder() .. "/none", url = "https://files.example.org" }
    assert.is_nil((publisher.publish({ args = args }, test.artifact())))
  end)
end)
