local fs = require "core.fs"
local support = require "tests.support"

-- Runs `make check-hf` with an interpreter that answers so.
local function check_hf(answers)
  local home = support.folder()
  local python = home .. "/python"
  assert(fs.write(python, "#!/bin/sh\ncase $2 in\n" .. answers .. "\nesac\n"))
  assert(support.run({ "chmod", "+x", python }).status == 0)
  return support.bittern(home, { "run", support.root .. "/tests/hf.lua" },
    { env = { PYTHON = python } })
end

describe("make check-hf", function()
  it("says what it skipped and why where torch or transformers are missing", function()
    local done = check_hf [[what) echo torch 2; echo "No module named 'transformers'"; exit 3;;]]
    assert.equal(0, done.status, done.stderr)
    assert.truthy(done.stdout:find("skipped  loading by transformers: .*"
      .. "python says: No module named 'transformers'\n0 passed, 0 failed, 1 skipped\n"),
      done.stdout)
  end)

  it("fails when logits or the number of parameters differ", function()
    for answer, fragment in pairs {
      ["head -c 204000 /dev/zero >$5; echo 2428672"] = "logits differ by",
      ["echo 5"] = "transformers counts 5",
    } do
      local done = check_hf("what) echo torch 2;;\nload) " .. answer .. ";;")
      assert.equal(1, done.status, done.stdout .. done.stderr)
      assert.truthy(done.stdout:find(fragment, 1, true), done.stdout)
      assert.truthy(done.stdout:find("0 passed, 1 failed, 0 skipped\n", 1, true), done.stdout)
    end
  end)
end)
