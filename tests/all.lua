-- Runs the tests inside this program: cmocka programs and busted specs given as arguments, or every
-- spec when none is given. `make test` calls it; `build/bittern run tests/all.lua tests/x_spec.lua`
-- runs one file. Ends with `N passed, N failed`.
local fs = require "core.fs"
local lfs = require "lfs"
local paths = require "bittern.paths"
local suite = require "bittern.testing.suite"

local home <const> = lfs.currentdir()
local passed, failed, skipped = 0, 0, 0

-- Specs below a folder, in order.
local function specs_in(folder, list)
  local names = {}
  for name in lfs.dir(folder) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = folder .. "/" .. name
    local folder_below = name:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory"
    if folder_below then specs_in(path, list) end
    if name:find("_spec%.lua$") then list[#list + 1] = path end
  end
  return list
end

local function note_failure(name, message)
  failed = failed + 1
  io.stdout:write("FAILED ", name, "\n  ", (tostring(message):gsub("\n", "\n  ")), "\n")
end

-- A cmocka program reports on stderr: `[  PASSED  ] 3 test(s).`
local function run_program(program)
  local output = os.tmpname()
  local ok = os.execute(("'%s' >'%s' 2>&1"):format(program, output))
  local text = fs.read(output)
  os.remove(output)
  local good = tonumber(text:match("%[  PASSED  %] (%d+) test"))
  if not good then return note_failure(program, text) end
  passed = passed + good
  if not ok then note_failure(program, text) end
end

-- What a test may not leave behind: another current directory.
local function watch_folder(name)
  if lfs.currentdir() == home then return end
  note_failure(name, "left the current directory changed")
  lfs.chdir(home)
end

local function note(test)
  if test.status == "passed" then passed = passed + 1 end
  if test.status == "skipped" then
    skipped = skipped + 1
    io.stdout:write("skipped ", test.name, "\n")
  end
  if test.status == "failed" then
    local place = test.file and (" (%s:%s)"):format(test.file, test.line or "?") or ""
    note_failure(test.name .. place, test.message)
  end
  watch_folder(test.name)
end

local function tell_file(name)
  io.stdout:write(name:match("tests/.*$") or name, "\n")
  io.stdout:flush()
end

local files = {}
for _, argument in ipairs { ... } do
  if argument:find("%.lua$") then files[#files + 1] = argument else run_program(argument) end
end
-- A collector that never rests finds what is held by nobody.
if os.getenv "BITTERN_COLLECT" == "always" then collectgarbage("incremental", 1, 1000, 1) end
if #files == 0 then specs_in(paths.root() .. "/tests", files) end
suite.run(files, { test = note, file = tell_file })
io.stdout:write(("%d passed, %d failed%s\n"):format(passed, failed,
  skipped > 0 and (", %d skipped"):format(skipped) or ""))
return failed == 0 and passed > 0 and 0 or 1
