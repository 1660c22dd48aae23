-- What `help` says: pages of docs/api, and the parts of them that speak of one function.
local fs = require "core.fs"
local lfs = require "lfs"

local check = require "bittern.check"
local pages = require "bittern.reference.pages"
local paths = require "bittern.paths"

local M = {}

local function api()
  return paths.root() .. "/docs/api/"
end

local function page(name)
  if not name:find("^%a+%.[%w_.]+$") then return nil end
  return fs.read(api() .. pages.path(name))
end

--- The modules that have a page.
-- @return sorted array of names
function M.modules()
  local list = {}
  for _, room in ipairs { "bittern", "core" } do
    if fs.stat(api() .. room) then
      for file in lfs.dir(api() .. room) do
        local name = file:match("^(.*)%.md$")
        if name then list[#list + 1] = room .. "." .. name end
      end
    end
  end
  table.sort(list)
  return list
end

-- Markdown without what only a browser needs.
local function plain(text)
  return (text:gsub("<!%-%-.-%-%->\n", ""):gsub("#+ `(.-)`\n", "%1\n"):gsub("#+ ", "")
    :gsub("\n+$", ""))
end

-- The section below a heading that begins so.
local function section(text, call)
  local from = text:find("\n### `" .. call:gsub("%W", "%%%0") .. "[`(]")
  if not from then return nil end
  return plain(text:sub(from + 1, (text:find("\n### ", from + 1, true) or #text + 1) - 1))
end

-- Every section of a method: help "buffer:get", whatever module it is of.
local function method(call)
  for _, name in ipairs(M.modules()) do
    local found = section(page(name), call)
    if found then return name .. "\n" .. found end
  end
  return nil
end

--- What is known of a name.
-- @param name "core.sha256", "bittern.check.nearest", "hash:update"
-- @return text, or nil, message with the nearest name
function M.of_name(name)
  local whole = page(name)
  if whole then return plain(whole) end
  local module = name:match("^(.*)%.[%w_]+$")
  local text = module and page(module)
  local found = text and section(text, name) or name:find(":", 1, true) and method(name)
  if found then return found end
  return nil, ("nothing is known of '%s'%s"):format(name, check.hint(name, M.modules()))
end

-- The name under which a loaded module, or a function of one, can be required.
local function name_of(value)
  for name, module in pairs(package.loaded) do
    if name:find("^core%.") or name:find("^bittern%.") then
      if module == value then return name end
      for key, member in pairs(type(module) == "table" and module or {}) do
        if member == value and type(key) == "string" and type(value) == "function" then
          return name .. "." .. key
        end
      end
    end
  end
  return nil
end

--- What is known of a value: a module, or a function of one.
-- @param value any, or a name as M.of_name takes it
-- @return text, or nil, message
function M.of(value)
  if type(value) == "string" then return M.of_name(value) end
  local name = name_of(value)
  if name then return M.of_name(name) end
  return nil, "nothing is known of this " .. type(value)
    .. "; modules and their functions have help, and their names as text"
end

return M
