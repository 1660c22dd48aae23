-- The public functions of a Lua module, from its text and the doc comments in it.
local fs = require "core.fs"

local paths = require "bittern.paths"
local types = require "bittern.reference.types"

local M = {}

local function path_of(name)
  return "lua/" .. name:gsub("^bittern%.", ""):gsub("%.", "/") .. ".lua"
end

local function lines_of(text)
  local list = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do list[#list + 1] = line end
  return list
end

-- The comment that the file begins with.
local function about_of(lines)
  local list = {}
  for _, line in ipairs(lines) do
    local text = line:match("^%-%-%s?(.*)")
    if not text then break end
    list[#list + 1] = text
  end
  return (table.concat(list, "\n"):gsub("%s+$", ""))
end

-- A doc comment's lines as one text for what it says, and one for each tag.
local function split_tags(block)
  local doc = { params = {}, returns = {} }
  local into, at = doc, "about"
  for _, line in ipairs(block) do
    local tag, rest = line:match("^%s*@(%w+)%s*(.*)$")
    if tag == "param" then
      local name, text = rest:match("^(%S+)%s*(.*)$")
      into, at = { name = name, about = text }, "about"
      doc.params[#doc.params + 1] = into
    elseif tag == "return" then
      into, at = doc.returns, #doc.returns + 1
      into[at] = rest
    elseif tag == "usage" then
      into, at = doc, "usage"
      doc.usage = rest
    else
      into[at] = (into[at] and into[at] .. " " or "") .. line:gsub("^%s+", "")
    end
  end
  return doc
end

-- The doc comment that ends on line `last`, or nil. In it M is the module.
local function doc_above(lines, last, module)
  local first = last
  while first > 0 and lines[first]:find("^%-%-") and not lines[first]:find("^%-%-%-") do
    first = first - 1
  end
  if first < 1 or not lines[first]:find("^%-%-%-") then return nil end
  local block = {}
  for i = first, last do
    block[#block + 1] = lines[i]:gsub("^%-%-%-?%s?", ""):gsub("%f[%w]M%.(%l)", module .. ".%1")
  end
  return split_tags(block)
end

local function argument(doc, name)
  local found = {}
  for _, param in ipairs(doc and doc.params or {}) do
    if param.name == name then found = param end
  end
  local text = found.about or ""
  local kind, about = types.by_name(name)
  return { name = name, type = name == "..." and "any" or types.of(text) or kind,
    about = text ~= "" and text or about,
    optional = text:find("or nil") ~= nil or text:find("optional") ~= nil or name == "..." }
end

local function results_of(doc)
  local text = doc and doc.returns[1]
  if not text then return {} end
  local kind = types.of(text) or "any"
  return { text:find("nil") and kind .. "?" or kind }
end

local function item_of(doc, owner, mark, name, parameters)
  local list = {}
  for word in parameters:gmatch("[%w_.]+") do
    if word ~= "self" and word ~= "_" then list[#list + 1] = argument(doc, word) end
  end
  local returns = doc and table.concat(doc.returns, "; "):gsub("[^.]$", "%0.") or ""
  local class = owner ~= "M" and owner:lower() or nil
  local call = parameters == "" and "()" or ("(%s)"):format(parameters)
  return {
    name = name, class = class, call = (class and class .. mark or "") .. name .. call,
    arguments = list, results = results_of(doc), returns = returns ~= "" and returns or nil,
    about = doc and doc.about, usage = doc and doc.usage,
    fails = returns:find("nil, message") ~= nil, problem = not doc and "has no comment" or nil,
  }
end

-- Values and functions that stand in the module's table by assignment: `M.LIMIT = 3`,
-- `M.load = other.script`.
local function assigned(lines, i, requires, module)
  local out = module.functions
  local names, values = lines[i]:match("^(M%.[%w_., ]*[%w_])%s*=%s*(.+)$")
  if not names then return end
  local targets = {}
  for target in names:gmatch("M%.([%w_]+)") do targets[#targets + 1] = target end
  local sources = {}
  for source in (values .. ","):gmatch("%s*([^,]*),") do sources[#sources + 1] = source end
  for at, target in ipairs(targets) do
    local alias, name = (sources[at] or ""):match("^([%w_]+)%.([%w_]+)$")
    local from = alias and requires[alias]
    local found = from and M.read(from).by_name[name]
    local doc = doc_above(lines, i - 1, module.name)
    if found then
      local copy = {}
      for key, value in pairs(found) do copy[key] = value end
      copy.name, copy.call = target, found.call:gsub("^[%w_]+", target)
      out[#out + 1] = copy
    elseif doc then
      local parameters = {}
      for n, param in ipairs(doc.params) do parameters[n] = param.name end
      local item = item_of(doc, "M", ".", target, table.concat(parameters, ", "))
      item.value = #doc.params == 0 and #doc.returns == 0
      if item.value then item.call, item.arguments = target, {} end
      out[#out + 1] = item
    end
  end
end

--- Reads a module.
-- @param name such as "bittern.check"
-- @return {name=, file=, about=, functions = array of {name=, class= word or nil, call=, arguments=
--   array of {name=, type=, about=, optional=}, results=, returns=, about=, usage=,
--   fails=, value = boolean, problem=}, by_name = {function's name = the same}}
function M.read(name)
  local file = path_of(name)
  local lines = lines_of(assert(fs.read(paths.root() .. "/" .. file)))
  local module = { name = name, file = file, about = about_of(lines), functions = {},
    by_name = {}, classes = {} }
  local requires = {}
  for i, line in ipairs(lines) do
    local alias, required = line:match('^local ([%w_]+) = require%s*%(?"(bittern%.[%w_.]+)"')
    if alias then requires[alias] = required end
    local owner, mark, method, parameters =
      line:match("^function ([A-Z]%w*)([.:])([%w_]+)%(([^)]*)%)")
    if owner then
      module.functions[#module.functions + 1] =
        item_of(doc_above(lines, i - 1, module.name), owner, mark, method, parameters)
    end
    assigned(lines, i, requires, module)
  end
  for _, item in ipairs(module.functions) do
    if not item.class then module.by_name[item.name] = item end
    if item.class then module.classes[item.class] = name .. "." .. item.class end
  end
  return module
end

return M
