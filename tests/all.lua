-- Runs the tests inside this program: cmocka programs and busted specs given as arguments, or every
-- spec when none is given. `make test` calls it; `build/bittern run tests/all.lua tests/x_spec.lua`
-- runs one file. Ends with `N passed, N failed`.
local fs = require "core.fs"
local lfs = require "lfs"
local paths = require "bittern.paths"

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

local function message_of(message)
  if type(message) ~= "table" then return tostring(message) end
  return message.message or require("pl.pretty").write(message)
end

-- What a test may not leave behind: another current directory.
local function watch(busted)
  local home = lfs.currentdir()
  busted.subscribe({ "test", "end" }, function(element, parent, status)
    if status == "success" then passed = passed + 1 end
    if status == "pending" then
      skipped = skipped + 1
      io.stdout:write("skipped ", parent.name, " ", element.name, "\n")
    end
    if lfs.currentdir() ~= home then
      note_failure(element.name, "left the current directory changed")
      lfs.chdir(home)
    end
    return nil, true
  end)
  local function failure(element, parent, message, trace)
    local place = trace and trace.short_src
      and (" (%s:%s)"):format(trace.short_src, trace.currentline or "?") or ""
    local name = (parent and parent.name or "") .. " " .. (element.name or "?")
    note_failure(name .. place, message_of(message))
    return nil, true
  end
  busted.subscribe({ "failure" }, failure)
  busted.subscribe({ "error" }, failure)
end

local function run_specs(files)
  local busted = require "busted.core"()
  require "busted"(busted)
  busted.subscribe({ "file", "start" }, function(file)
    io.stdout:write(file.name:match("tests/.*$") or file.name, "\n")
    io.stdout:flush()
    return nil, true
  end)
  watch(busted)
  local load_file = require "busted.modules.test_file_loader"(busted, { "lua" })
  load_file(files, { "_spec%.lua$" }, { excludes = {}, recursive = false })
  require "busted.execute"(busted)(1, {})
end

local files = {}
for _, argument in ipairs { ... } do
  if argument:find("%.lua$") then files[#files + 1] = argument else run_program(argument) end
end
if #files == 0 then specs_in(paths.root() .. "/tests", files) end
run_specs(files)
io.stdout:write(("%d passed, %d failed%s\n"):format(passed, failed,
  skipped > 0 and (", %d skipped"):format(skipped) or ""))
return failed == 0 and passed > 0 and 0 or 1
