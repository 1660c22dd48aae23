local fs = require "core.fs"

local fnmatch = require "bittern.fnmatch"
local support = require "tests.support"

-- Python's judgement of every pair "glob\0name\n", as a text of 0 and 1. surrogateescape as for
-- file names.
local judge = [=[
import sys, fnmatch
data = open(sys.argv[1], "rb").read().decode("utf-8", "surrogateescape")
pairs = [line.split("\0") for line in data.split("\1")[:-1]]
print("".join(str(int(fnmatch.fnmatch(name, glob))) for glob, name in pairs), end="")
]=]

local function python(pairs_of)
  local parts = {}
  for i, pair in ipairs(pairs_of) do parts[i] = pair[1] .. "\0" .. pair[2] .. "\1" end
  local path = support.folder() .. "/pairs"
  assert(fs.write(path, table.concat(parts)))
  return support.python(judge, path)
end

local function random_text(alphabet, longest)
  local parts = {}
  for i = 1, math.random(0, longest) do parts[i] = alphabet[math.random(#alphabet)] end
  return table.concat(parts)
end

local function compare(pairs_of)
  local theirs = python(pairs_of)
  assert.equal(#pairs_of, #theirs)
  for i, pair in ipairs(pairs_of) do
    local mine = fnmatch.match(pair[2], pair[1]) and "1" or "0"
    assert.equal(theirs:sub(i, i), mine, ("glob %q, name %q"):format(pair[1], pair[2]))
  end
end

describe("bittern.fnmatch", function()
  it("agrees with the reference vectors", function()
    local count = 0
    for line in support.fixture("fnmatch.tsv"):gmatch("[^\n]+") do
      local glob, name, wanted = line:match("^([^\t]*)\t([^\t]*)\t([01])$")
      if glob then
        count = count + 1
        assert.equal(wanted == "1", fnmatch.match(name, glob), glob .. " " .. name)
      end
    end
    assert.equal(408, count)
  end)

  it("agrees with Python on 20,000 random globs", function()
    local alphabet = { "*", "?", "[", "]", "!", "-", "^", "\\", "/", ".", "a", "b", "c", "é",
      "\u{1F600}", "\n", "&", "~", "|", "\xff", "\xc3" }
    local names = { "a", "b", "c", "-", "]", "[", "!", "^", "\\", "/", ".", "é", "\u{1F600}", "\n",
      "\xff", "\xc3" }
    math.randomseed(20260422)
    local list = {}
    for i = 1, 20000 do list[i] = { random_text(alphabet, 8), random_text(names, 5) } end
    compare(list)
  end)

  it("agrees with Python on every short set", function()
    local alphabet, list = { "!", "-", "]", "a", "b", "^" }, {}
    for _, a in ipairs(alphabet) do
      for _, b in ipairs(alphabet) do
        for _, c in ipairs(alphabet) do
          for _, d in ipairs(alphabet) do
            for _, name in ipairs { "a", "b", "-", "!", "^", "]" } do
              list[#list + 1] = { "[" .. a .. b .. c .. d .. "]", name }
            end
          end
        end
      end
    end
    compare(list)
  end)

  it("does not take for ever on many stars", function()
    local began = os.clock()
    assert.is_false(fnmatch.match(("a"):rep(2000), ("*a"):rep(50) .. "b"))
    assert.is_true(os.clock() - began < 2)
  end)

  it("knows the traps of a surface", function()
    assert.is_true(fnmatch.match("deep/er/x.py", "*.py"))
    assert.is_false(fnmatch.match("x.py", "**/x.py"))
    assert.is_false(fnmatch.match("submission", "submission/**"))
    assert.is_true(fnmatch.any("train.py", { "nothing", "train.py" }))
    assert.is_false(fnmatch.any("Train.py", { "train.py" }))
    assert.is_false(fnmatch.any("x", {}))
  end)
end)
