-- Runs what documents show. Every ```console block of a document is part of one session of bash, in
-- the order of the text, as somebody would type it who reads from top to bottom:
--
--   $ command            `> ` continues it; `# exit 3` at its end: it ends with 3, else with 0
--   what it prints       stdout and stderr; `...` stands for any text, alone for any lines
--
-- The session is in a folder of its own, whose examples/ is the repository's, with a fresh home. A
-- command that ends in `&` is given time until it has said something. Port 8094 becomes a free one.
-- Commands in <!-- console ... --> run, too, and no reader sees them. A ```lua block whose first
-- line is the comment of a path, `-- ~/x.lua`, is saved there, as the reader would.
local fs = require "core.fs"
local httpd = require "core.httpd"
local support = require "tests.support"

local M = {}

local PORT <const> = "8094"

local function add_line(steps, line)
  local last = steps[#steps]
  local command, more = line:match "^%$ (.*)", line:match "^> (.*)"
  if command then
    steps[#steps + 1] = { command = command, expected = {} }
  elseif more then
    last.command = last.command .. "\n" .. more
  else
    last.expected[#last.expected + 1] = line
  end
end

local function add_file(steps, block)
  local path = block:match "^%-%- (~/[%w%._/-]+%.lua)\n"
  if not path then return end
  steps[#steps + 1] = { expected = {}, command = ("mkdir -p %s && cat >%s <<'END OF FILE'\n%s%s")
    :format(path:match "^(.*)/", path, block, "END OF FILE") }
end

--- The commands of a document, with what they are said to print.
-- @param text Markdown
-- @return array of {command=, status=, expected = array of lines}
function M.steps(text)
  local steps = {}
  text = text:gsub("<!%-%- console\n(.-)%-%->", "```console\n%1```")
  for kind, block in text:gmatch "```(%l+)\n(.-)```" do
    if kind == "lua" then add_file(steps, block) end
    if kind == "console" then
      for line in block:gmatch "([^\n]*)\n" do add_line(steps, line) end
    end
  end
  for _, step in ipairs(steps) do
    step.status = tonumber(step.command:match "# exit (%d+)%s*$") or 0
  end
  return steps
end

local function free_port()
  local server <close> = assert(httpd.listen {})
  return tostring(server:port())
end

-- Each command's output and status go to files; the shell stays the same for all of them.
local function bash_of(steps, out)
  local lines = { "trap 'kill $(jobs -p) 2>/dev/null' EXIT" }
  for i, step in ipairs(steps) do
    local file = ("%s/%d"):format(out, i)
    lines[#lines + 1] = ("{ %s\n} >%s 2>&1 </dev/null; echo $? >%s.status"):format(step.command,
      file, file)
    if step.command:find "&%s*$" then
      lines[#lines + 1] = ("for _ in {1..300}; do [ -s %s ] && break; sleep 0.1; done"):format(file)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function pattern_of(line)
  return "^" .. line:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*") .. "$"
end

-- Whether the lines from `at` on are what is expected from `want` on.
local function same(expected, want, lines, at)
  if want > #expected then return at > #lines end
  if expected[want]:find "^%s*%.%.%.$" then
    for next_line = at, #lines + 1 do
      if same(expected, want + 1, lines, next_line) then return true end
    end
    return false
  end
  return at <= #lines and lines[at]:find(pattern_of(expected[want])) ~= nil
    and same(expected, want + 1, lines, at + 1)
end

local function judge(step, output, status)
  if status ~= step.status then
    return ("$ %s\nexits with %s, not %d:\n%s"):format(step.command, status, step.status, output)
  end
  local lines = {}
  for line in output:gmatch "([^\n]*)\n?" do lines[#lines + 1] = line end
  while lines[#lines] == "" do lines[#lines] = nil end
  if #step.expected == 0 or same(step.expected, 1, lines, 1) then return nil end
  return ("$ %s\nis to print\n%s\n-- and prints\n%s"):format(step.command,
    table.concat(step.expected, "\n"), output)
end

local function prepare()
  local folder = support.folder()
  local home, out = folder .. "/home", folder .. "/.out"
  for _, path in ipairs { home, out, folder .. "/bin", folder .. "/work" } do
    assert(fs.mkdir(path))
  end
  support.run { "ln", "-s", support.bin, folder .. "/bin/bittern" }
  support.run { "ln", "-s", support.root .. "/examples", folder .. "/work/examples" }
  return folder, support.environment(home, { PATH = folder .. "/bin:" .. os.getenv "PATH" })
end

--- Runs a document's commands.
-- @param text Markdown
-- @return how many commands, array of complaints
function M.run(text)
  local folder, env = prepare()
  local port = free_port()
  local steps = M.steps((text:gsub(PORT, port)))
  support.run({ "bash", "-c", bash_of(steps, folder .. "/.out") },
    { cwd = folder .. "/work", env = env, timeout = 240 })
  local complaints = {}
  for i, step in ipairs(steps) do
    local file = ("%s/.out/%d"):format(folder, i)
    local status = tonumber(fs.read(file .. ".status") or "")
    complaints[#complaints + 1] = judge(step, fs.read(file) or "", status)
  end
  return #steps, complaints
end

return M
