local fs = require "core.fs"
local sys = require "core.sys"
local json = require "bittern.json"
local seen = require "bittern.task.seen"
local support = require "tests.support"

local URL <const> = "https://one.example.org"

-- A user with a command, a recipe and a list of tasks of her own.
local function user()
  local home = support.folder()
  local dir = home .. "/.config/bittern"
  assert(fs.mkdir(dir .. "/cmd"))
  assert(fs.mkdir(dir .. "/recipes"))
  assert(fs.write(dir .. "/cmd/greet.lua", [[
return {
  api = 1, about = "greets", group = "self",
  args = function(parser) parser:option("--who", "whom"):choices { "all", "none" } end,
  run = print,
}
]]))
  assert(fs.write(dir .. "/recipes/mine.lua", [[
return {
  api = 1,
  about = "mine",
  args = { depth = { 3, "how deep" } },
  tensor = function(ctx) return ctx.keep() end,
}
]]))
  local function task(id, slug, state)
    return { id = id, slug = slug, title = "T", task_state = state, is_active = true }
  end
  assert(seen.write(URL, {
    task("1", "tiny-binary", "live"), task("2", "old-one", "closed"),
    task("3", "a$(touch${IFS}x)", "live"), task("4", "a\27[31mb", "live"),
  }, sys.time(), function(name) return name == "HOME" and home or nil end))
  return home
end

local home = user()

local function ask(...)
  local words = { "completions", "candidates", "--", ... }
  return support.bittern(home, words, { env = { BITSOTA_COORDINATOR_URL = URL .. "/" } })
end

-- The first line and the candidates as one text.
local function candidates(...)
  local done = ask(...)
  assert.equal(0, done.status, done.stderr)
  assert.equal("", done.stderr)
  local kind, rest = done.stdout:match("^(%a+)\n(.*)$")
  local words = {}
  for word in rest:gmatch("([^\t\n]+)\t[^\n]*\n") do words[#words + 1] = word end
  return kind, table.concat(words, " ")
end

local function words(...)
  local kind, list = candidates(...)
  assert.equal("words", kind)
  return list
end

describe("bittern completions", function()
  it("knows commands, the user's own too, and their options", function()
    assert.equal("task tasks", words("tas"))
    assert.equal("task tasks", words("--json", "--root", "/tmp", "tas"))
    assert.equal("task tasks", words("help", "tas"))
    assert.equal("greet", words("gr"))
    assert.equal("--who", words("greet", "--w"))
    assert.equal("all none", words("greet", "--who", ""))
    assert.equal("--who=none", words("greet", "--who=n"))
    assert.equal("--color --coordinator", words("--co"))
    assert.equal("always auto never", words("--color", ""))
    assert.equal("", words("nosuch", ""))
  end)

  it("knows live slugs, modes, recipes, publishers, tensors and a script's arguments", function()
    assert.equal("tiny-binary", words("task", ""))
    assert.equal("tiny-binary", words("mine", "--recipe", "rowmix", "ti"))
    assert.equal("", words("--coordinator", "https://two.example.org", "task", ""))
    assert.equal("centerless", words("tasks", "--mode", "center"))
    assert.equal("mine", words("compress", "m", "--recipe", "mi"))
    assert.equal("rowcol rowmix", words("sweep", "m", "--try", "row"))
    assert.equal("depth=", words("compress", "m", "--recipe", "mine", "--set", ""))
    assert.equal("s3", words("publish", "f", "--to", "s"))
    local weight = "model.layers.0.self_attn.q_proj.weight"
    assert.equal(weight, words("decode", support.model, "--tensor", "model.layers.0.self_attn.q_p"))
  end)

  it("leaves files and folders to the shell", function()
    assert.equal("files", (candidates("compress", "")))
    assert.equal("files", (candidates("compress", "m", "--recipe", "./")))
    assert.equal("folders", (candidates("pack", "")))
    assert.equal("folders", (candidates("--root", "")))
    assert.equal("files", (candidates("pack", "d", "--out", "")))
  end)

  it("offers nothing that a shell would read as more than a word", function()
    assert.equal("", words("task", "a"))
    assert.is_nil(ask("task", "").stdout:find("[%$\27]"))
  end)

  it("takes what is typed as data, options of its own included", function()
    assert.equal("task tasks", words("--help", "tas"))
    assert.equal("tiny-binary", words("task", "--json", ""))
    local wrong = support.bittern(home, { "completions", "tcsh" })
    assert.equal(2, wrong.status)
    assert.equal(2, support.bittern(home, { "completions", "bash", "x" }).status)
    local failure = assert(json.decode(support.bittern(home, { "completions", "--json" }).stdout))
    assert.equal("usage", failure.error.id)
  end)

  it("is there before the next key", function()
    local function best(...)
      local least = math.huge
      for _ = 1, 5 do
        local before = sys.clock()
        support.bittern(home, { ... })
        least = math.min(least, sys.clock() - before)
      end
      return least
    end
    -- 30 ms on an idle machine; a busy one is given its own measure.
    local start = best("version")
    for _, typed in ipairs { { "" }, { "task", "" }, { "tasks", "--" }, { "compress", "--" } } do
      local took = best("completions", "candidates", "--", table.unpack(typed))
      assert.is_true(took < 0.03 + 2 * start, ("%s: %.1f ms"):format(typed[1], took * 1e3))
    end
  end)
end)

-- A folder whose `bittern` is this program, and the file of a shell's script.
local function install(shell)
  local dir = support.folder()
  support.run { "/bin/ln", "-s", support.bin, dir .. "/bittern" }
  local script = support.bittern(home, { "completions", shell })
  assert.equal(0, script.status)
  assert(fs.write(dir .. "/script", script.stdout))
  return dir
end

local function in_shell(argv, dir)
  return support.run(argv, { cwd = dir, env = support.environment(home, {
    PATH = dir .. ":" .. os.getenv("PATH"), BITSOTA_COORDINATOR_URL = URL,
  }) })
end

local function has(shell)
  return support.run({ "/bin/sh", "-c", "command -v " .. shell }).status == 0
end

local IN_BASH <const> = [[
. ./script
[ "$(complete -p bittern)" = "complete -F _bittern bittern" ] || exit 9
compopt() { printf 'compopt %s\n' "$*"; }
try() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _bittern "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
  (IFS=,; printf '%s\n' "${COMPREPLY[*]}")
}
try bittern tas
try bittern task ''
try bittern greet --who = n
try bittern greet --who =
try bittern compress m --recipe mine --set de
try bittern hash scr
try bittern hash --root em
try bittern nosuch ''
]]

describe("the scripts of bittern completions", function()
  it("bash asks, and shows what it is told", function()
    local dir = install "bash"
    assert(fs.mkdir(dir .. "/empty"))
    local done = in_shell({ "/bin/bash", "--norc", "-c", IN_BASH }, dir)
    assert.equal("", done.stderr)
    assert.equal(table.concat({
      "task,tasks", "tiny-binary", "none", "all,none", "compopt -o nospace", "depth=",
      "compopt -o filenames", "script", "compopt -o filenames", "empty", "", "",
    }, "\n"), done.stdout)
  end)

  it("zsh reads its script, where there is one", function()
    local dir = install "zsh"
    if not has "zsh" then return end
    local done = in_shell({ "/bin/sh", "-c", "zsh -n ./script" }, dir)
    assert.same({ 0, "" }, { done.status, done.stderr })
  end)

  it("fish completes, where there is one", function()
    local dir = install "fish"
    if not has "fish" then return end
    local done = in_shell({ "/bin/sh", "-c", [[
      fish --no-config -n ./script && fish --no-config -c 'source ./script
        complete -C "bittern tas"; complete -C "bittern task "
        complete -C "bittern greet --who=n"']] }, dir)
    assert.equal("task\teverything the coordinator says about one task\n"
      .. "tasks\tthe live tasks of the coordinator\ntiny-binary\tT\n--who=none\n", done.stdout)
  end)
end)
