-- HTML that cannot be broken by what it shows: a string is text, and only what was made here is
-- markup.
--
--   local h = require "bittern.page.html"
--   h.p { class = "note", "5 < 6, ", h.b { "see" }, h.link(url, "there") }
local M = {}

local Markup = {}
Markup.__index = Markup
function Markup:__tostring() return self[1] end

local escapes <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

local void <const> = { meta = true, link = true, br = true, hr = true }

--- A text as it stands in HTML; of control bytes line feeds and tabs stay.
function M.escape(text)
  return (tostring(text):gsub("[%z\1-\8\11-\31\127]", " "):gsub("[&<>\"']", escapes))
end

--- Markup that was written elsewhere, such as a drawing.
function M.raw(text)
  return setmetatable({ text }, Markup)
end

-- How far an array goes whose members may be nil.
local function length(list)
  local last = 0
  for i in pairs(list) do
    if math.type(i) == "integer" and i > last then last = i end
  end
  return last
end

-- Strings, numbers, markup, and arrays of them; false and nil are nothing.
local function add(out, child)
  if getmetatable(child) == Markup then
    out[#out + 1] = child[1]
  elseif type(child) == "table" then
    for i = 1, length(child) do add(out, child[i]) end
  elseif child ~= nil and child ~= false then
    out[#out + 1] = M.escape(child)
  end
end

local function attributes(given)
  local names = {}
  for name, value in pairs(given) do
    if type(name) == "string" and value then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = given[name]
    names[i] = value == true and " " .. name
      or (' %s="%s"'):format(name, M.escape(value))
  end
  return table.concat(names)
end

local function element(name, given)
  local out = { "<" .. name .. attributes(given) .. ">" }
  if void[name] then return M.raw(out[1]) end
  for i = 1, length(given) do add(out, given[i]) end
  out[#out + 1] = "</" .. name .. ">"
  return M.raw(table.concat(out))
end

--- Several pieces as one.
function M.join(children)
  local out = {}
  add(out, children)
  return M.raw(table.concat(out))
end

--- A link, where the address is one that a page may lead to: http, https, a path or a place in the
-- page. Everything else is only shown.
function M.link(address, ...)
  local words = { ... }
  if #words == 0 then words[1] = address end
  local good = address:find("^https?://[^%s]+$") or address:find "^/[^/\\]" or address:find "^#"
  if not good then return M.join(words) end
  return element("a", { href = address, rel = address:find "^http" and "noopener noreferrer",
    table.unpack(words) })
end

-- h.NAME { attributes, children } is an element.
return setmetatable(M, { __index = function(self, name)
  local function make(given) return element(name, given) end
  rawset(self, name, make)
  return make
end })
