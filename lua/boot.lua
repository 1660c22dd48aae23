-- Start of every run: how our modules are found, strict globals, the command line.
local root, exe = ...

-- Our own modules see what the standard library has, and nothing else.
package.preload["bittern.strict"] = assert(loadfile(root .. "/lua/strict.lua", "t"))
local strict = require "bittern.strict" (_G)

-- `bittern.a.b` is <root>/lua/a/b.lua, `tests.a` is <root>/tests/a.lua: absolute
-- paths and text chunks only.
local function find_module(name)
  local head, rest = name:match("^(%a+)%.(.+)$")
  local folder = head == "bittern" and "lua" or head == "tests" and "tests"
  if not folder or rest:find("[^%w_.]") then return nil end
  local path = root .. "/" .. folder .. "/" .. rest:gsub("%.", "/") .. ".lua"
  local file = io.open(path)
  if not file then return "\n\tno file '" .. path .. "'" end
  file:close()
  local chunk, message = loadfile(path, "t", head == "bittern" and strict or _G)
  if not chunk then error(message, 0) end
  return chunk, path
end

-- core/*.so lie beside the binary in a checkout, in <prefix>/lib/bittern once installed.
local function library_folder()
  local folder = exe:match("^(.*)/[^/]*$")
  if root == folder:match("^(.*)/[^/]*$") then return folder end
  return root:gsub("/share/bittern$", "/lib/bittern")
end

table.insert(package.searchers, 2, find_module)
package.cpath = library_folder() .. "/?.so;" .. package.cpath
require("bittern.paths").set_root(root)
return require("bittern.cli").main({ select(3, ...) }, exe)
