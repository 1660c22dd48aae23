-- What validators read out of a patch, traps included.
local surface = require "bittern.practice.surface"

local support = require "tests.support"

describe("surface", function()
  it("matches globs as Python's fnmatch does", function()
    local globs = {
      "*.py", "train.py", "a/**", "**/x.py", "?b", "[abc]x", "[!a-c]x", "[", "[x", "a[]]b", "a.b",
      "a[-x]b", "a%b", "[^a]", "",
    }
    local names = {
      "train.py", "deep/er/x.py", "x.py", "a", "a/", "a/b/c", "ab", "/b", "ax", "dx", "[", "[x",
      "a]b", "a.b", "aXb", "a-b", "a%b", "^", "",
    }
    local judge = [[
import sys, fnmatch
globs, names = sys.argv[1].split("\n"), sys.argv[2].split("\n")
print("".join(str(int(fnmatch.fnmatchcase(n, g))) for g in globs for n in names), end="")
]]
    local mine = {}
    for _, glob in ipairs(globs) do
      for _, name in ipairs(names) do
        mine[#mine + 1] = name:find(surface.pattern(glob)) and "1" or "0"
      end
    end
    local theirs = support.python(judge, table.concat(globs, "\n"), table.concat(names, "\n"))
    assert.equal(theirs, table.concat(mine))
  end)

  it("finds every path that a patch names, also in a deleted comment", function()
    local patch = table.concat({
      "diff --git a/p/train.py b/p/train.py", "--- a/p/train.py\t2026-01-01", "+++ b/p/train.py",
      "@@ -1,2 +1,1 @@", "--- a comment of Lua", "+++ /dev/null", "+x = 1",
    }, "\n")
    assert.same({ "p/train.py", "a comment of Lua" }, surface.paths(patch))
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
end)
