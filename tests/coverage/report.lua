-- Lines of Lua that the suite ran, by what tests/coverage/hook.c wrote:
--   build/bittern run tests/coverage/report.lua FOLDER
-- Prints files from the least covered on, with the lines that never ran, and the sum.
local lfs = require "lfs"

local paths = require "bittern.paths"
local process = require "core.process"

local folder = ...
local root <const> = paths.root() .. "/"

-- {file below lua/ = {line = true}} of all processes.
local function lines_that_ran()
  local ran = {}
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if lfs.attributes(path, "mode") == "file" then
      for line in io.lines(path) do
        local file, number = line:match("/(lua/[^:]+%.lua):(%d+)$")
        if file then
          ran[file] = ran[file] or {}
          ran[file][math.tointeger(number)] = true
        end
      end
    end
  end
  return ran
end

local function files_below(at, list)
  for name in lfs.dir(root .. at) do
    local path = at .. "/" .. name
    local mode = name:sub(1, 1) ~= "." and lfs.attributes(root .. path, "mode")
    if mode == "directory" then files_below(path, list) end
    if mode == "file" and name:find("%.lua$") then list[#list + 1] = path end
  end
  return list
end

-- Lines with instructions, by the compiler's own listing. VARARGPREP and RETURN stand on lines of
-- their own where nothing is written.
local function lines_with_code(file)
  local listed = assert(process.run { argv = { "luac", "-l", "-p", root .. file } })
  local lines = {}
  for number, name in listed.stdout:gmatch("%[(%d+)%]%s+(%u[%u%d]*)") do
    if name ~= "VARARGPREP" and name ~= "RETURN0" and name ~= "RETURN" then
      lines[math.tointeger(number)] = true
    end
  end
  return lines
end

local function measure(file, ran)
  local found = { file = file, all = 0, ran = 0, missed = {} }
  for line in pairs(lines_with_code(file)) do
    found.all = found.all + 1
    if ran[line] then found.ran = found.ran + 1 else found.missed[#found.missed + 1] = line end
  end
  table.sort(found.missed)
  return found
end

local ran, list, all, covered = lines_that_ran(), {}, 0, 0
for _, file in ipairs(files_below("lua", {})) do
  local found = measure(file, ran[file] or {})
  list[#list + 1], all, covered = found, all + found.all, covered + found.ran
end
table.sort(list, function(a, b) return a.ran / a.all < b.ran / b.all end)
for _, found in ipairs(list) do
  io.write(("%5.1f %%  %-40s %s\n"):format(100 * found.ran / found.all, found.file,
    table.concat(found.missed, " ")))
end
io.write(("%5.1f %%  lines of Lua: %d of %d\n"):format(100 * covered / all, covered, all))
