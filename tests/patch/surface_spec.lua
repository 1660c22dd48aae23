-- What validators read out of a patch, traps included.
local surface = require "bittern.patch.surface"

describe("surface", function()
  it("finds every path that a patch names, also in a deleted comment", function()
    local patch = table.concat({
      "diff --git a/p/train.py b/p/train.py", "--- a/p/train.py\t2026-01-01", "+++ b/p/train.py",
      "@@ -1,2 +1,1 @@", "--- a comment of Lua", "+++ /dev/null", "+x = 1",
    }, "\n")
    assert.same({ "p/train.py", "a comment of Lua" }, surface.paths(patch))
  end)

  it("cuts lines where Python does, so a form feed hides no path", function()
    for _, stop in ipairs { "\n", "\r", "\r\n", "\f", "\v", "\x1c", "\u{85}", "\u{2028}" } do
      local patch = "diff --git a/x b/x\n+one" .. stop .. "--- two\n"
      assert.same({ "x", "two" }, surface.paths(patch), stop)
    end
    assert.same({ "x" }, surface.paths "diff --git a/x b/x\n+one\t--- two\n --- three\n---\n--- \n")
    assert.same({ "x", "y" }, surface.paths "diff --git a/x b/x\n--- \u{A0}a/y\u{3000}\t0\n")
    assert.equal(3, surface.mentions("a\nb\f\n--- q\n")[1].line)
  end)

  it("strips one a/ or b/, so real directories of that name lose it", function()
    assert.same({ "foo.py", "a/foo.py", "b/foo.py" }, surface.paths(table.concat({
      "diff --git a/a/foo.py b/b/foo.py", "--- a/a/foo.py", "+++ b/b/foo.py",
    }, "\n")))
  end)

  local spec = { allowed_patch_paths = { "p/train.py" }, max_patch_bytes = 100 }

  local function patch_of(path)
    return ("diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n"):format(path, path, path, path)
  end

  it("refuses in the validator's words", function()
    local cases = {
      { "", nil }, { " \n", nil }, { patch_of "p/train.py", nil },
      { ("x"):rep(101), "Patch exceeds maximum size of 100 bytes", "patch_too_large" },
      { "hello", "Patch surface could not be determined", "unparseable_patch_surface" },
      { patch_of "p/a.PYC", "Patch modified generated Python bytecode/cache files: p/a.PYC",
        "generated_python_cache_paths" },
      { patch_of "q/train.py", "outside the fixed competition surface: q/train.py",
        "disallowed_patch_paths" },
    }
    for _, case in ipairs(cases) do
      local refused = surface.refuse(case[1], spec)
      if case[2] == nil then
        assert.is_nil(refused)
      else
        assert.truthy(refused.notes:find(case[2], 1, true), refused.notes)
        assert.equal("validator_rejection=" .. case[3], refused.marker)
      end
    end
    assert.truthy(surface.refuse(patch_of "p/train.py", { max_patch_bytes = 100 }))
  end)

  it("looks at every byte once, so that no patch under the cap keeps a validator busy", function()
    local before = os.clock()
    for _, piece in ipairs { "+\n", "\u{2028}", " ", "--- \t", "--- a/x\r" } do
      local patch = "--- a/x" .. piece:rep((surface.MAX_BYTES - 8) // #piece) .. "y"
      assert.is_true(#surface.paths(patch) > 0)
      surface.refuse(patch:sub(8), { allowed_patch_paths = { "*" } })
    end
    assert.is_true(os.clock() - before < 20) -- minutes, were it quadratic
  end)
end)
