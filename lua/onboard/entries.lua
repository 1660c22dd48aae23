-- "Key: value" in all the forms that pages have: bullets, bold or code keys, tables, headings or
-- keys with their value below, and fenced data. Everything keeps its line; nothing is judged here.
local blocks = require "bittern.onboard.blocks"

local M = {}

-- No line for people is longer; what is cut off says nothing.
local LINE_MAX <const> = 4096

local dashes = { "\u{2014}", "\u{2013}", "--", "->", "\u{2192}" }

-- Fences that hold data; those of other languages are examples, and values only below a key.
local data_languages = { [""] = true, text = true, txt = true, yaml = true, yml = true,
  toml = true, ini = true, json = true, jsonc = true, env = true, conf = true }

-- Keys are short, so a key and its colon stand near the front of a line.
local KEY_MAX <const> = 60

-- In time that grows with the text alone, whatever a stranger wrote.
local function trim(text)
  local first = text:find("%S")
  return first and text:match("^(.*%S)", first) or ""
end

-- The text before the first colon or equals sign, and the rest from there on.
local function at_sign(text)
  local at = text:sub(1, KEY_MAX):find("[:=]")
  if not at then return nil end
  return trim(text:sub(1, at - 1)), text:sub(at)
end

-- What stands after a key: the value behind a colon, an equals sign or a dash; nil when nothing
-- divides them.
local function behind(rest)
  rest = trim(rest)
  local value = rest:match("^[:=]%s*(.*)$")
  if value then return value end
  for _, dash in ipairs(dashes) do
    if rest:sub(1, #dash) == dash then return trim(rest:sub(#dash + 1)) end
  end
  return rest:match("^%-%s+(.*)$")
end

-- Key and value of a text whose bullet is gone, or nil.
local function divide(text)
  local key, rest = text:match("^%*%*(.-)%*%*(.*)$")
  if not key then key, rest = text:match("^__(%a.-)__(.*)$") end
  if key then
    local inside = key:match("^(.-)%s*:$")
    if inside then return inside, trim(rest) end
    local value = behind(rest)
    if value then return key, value end
    return key, rest:find("%S") and trim(rest) or ""
  end
  key, rest = text:match("^`([%w_ -]+)`(.*)$")
  if key then
    local value = behind(rest)
    return value and key, value
  end
  key, rest = at_sign(text)
  local is_value = key and (#rest == 1 or rest:find('^[:=][%s`"]'))
  if is_value and key:find("^%a[%w_ /()-]*$") then return key, behind(rest) end
  for _, dash in ipairs(dashes) do
    local at, last = text:find(" " .. dash .. " ", 1, true)
    if at and at < 40 then return text:sub(1, at - 1), trim(text:sub(last + 1)) end
  end
  return nil
end

local function clean(text)
  text = text:sub(1, LINE_MAX):gsub("</?%a[^<>]*>", function(tag)
    return tag:find("^</?%a+:") and tag or ""
  end)
  return (text:gsub("^%s*>%s?", ""))
end

-- A line of data in a fence.
local function divide_data(text)
  text = trim(text)
  local key, value = text:match('^"([%w_]+)"%s*:%s*(.-),?$')
  if key then return key, value end
  local rest
  key, rest = at_sign(text)
  if not key or not key:find("^%a[%w_ -]*$") then return nil end
  return key, (trim(rest:sub(2)):gsub(",$", ""))
end

local Reader = {}
Reader.__index = Reader

function Reader:add(key, value, number, fenced)
  local entry = { key = trim(key), value = trim(value), line = number, list = {}, fenced = fenced,
    section = self.section }
  self.list[#self.list + 1] = entry
  return entry
end

-- The entry that still waits for its value, and how far in it stood.
function Reader:wait(entry, indent, is_heading)
  self.open = { entry = entry, indent = indent, is_heading = is_heading }
end

function Reader:close() self.open = nil end

-- A whole fence: data of its own, or the value of the key above it.
function Reader:fence_ends()
  local fence = self.fence
  self.fence = nil
  if self.open then
    local entry = self.open.entry
    if #entry.list == 0 and entry.value == "" then entry.fence = fence.lines end
    return self:close()
  end
  local whole = {}
  for i, line in ipairs(fence.lines) do whole[i] = line.text end
  whole = table.concat(whole, "\n")
  -- An example of a sidecar, or of a program, tells nothing about the task.
  if not data_languages[fence.language] or whole:find("claimed_metrics", 1, true) then return end
  local last
  for _, line in ipairs(fence.lines) do
    local item = line.text:match("^%s*[-*]%s+(.*)$") or last and line.text:match('^%s*(".-"),?%s*$')
    local key, value = divide_data(line.text)
    if key then
      last = self:add(key, value == "[" and "" or value, line.line, true)
    elseif item and last and last.value == "" then
      last.list[#last.list + 1] = { text = item, line = line.line }
    end
  end
end

function Reader:heading(text, number)
  self:close()
  self.section = number
  local key, value = divide(text)
  key = key or text
  if self.is_key(key) then self:wait(self:add(key, value or "", number), -1, true) end
end

local value_titles = { [""] = true, value = true, setting = true, detail = true, details = true }

-- A table of keys and values has two columns, or says so in its head.
local function is_pairs(head)
  return #head == 2 or head[2] ~= nil and value_titles[head[2]:lower()] == true
end

function Reader:row(text, number)
  self:close()
  local cells = blocks.cells(text)
  local head = self.table
  if not head then
    self.table = { cells = cells, line = number }
  elseif head.cells and not text:find("[^%s|:-]") then
    head.has_head, head.cells = is_pairs(head.cells), nil
  else
    self:flush_row(head)
    if head.has_head ~= false then self:pair(cells, number) end
  end
end

function Reader:pair(cells, number)
  if cells[1] and cells[2] and cells[2]:find("%w") then
    self:add(cells[1]:gsub("[*`]", ""), cells[2], number)
  end
end

-- The first row of a table without a head is a row like the others.
function Reader:flush_row(head)
  if not head.cells then return end
  head.has_head = is_pairs(head.cells)
  if head.has_head then self:pair(head.cells, head.line) end
  head.cells = nil
end

-- A bullet below a key that waits belongs to it; its siblings end it.
function Reader:item(text, indent, number)
  local open = self.open
  if open and (open.is_heading or indent > open.indent) and open.entry.value == "" then
    open.entry.list[#open.entry.list + 1] = { text = text, line = number }
    if not open.is_heading then return end
  elseif open and not open.is_heading then
    self:close()
  end
  local key, value = divide(text)
  if not key then return end
  local entry = self:add(key, value, number)
  if value == "" and self.is_key(key) then self:wait(entry, indent, false) end
end

function Reader:prose(text, indent, number)
  local key, value = divide(text)
  local open = self.open
  if key then
    local entry = self:add(key, value, number)
    if open and open.entry.value == "" then self:close() end
    -- Bullets below such a line need not be indented.
    if value == "" and self.is_key(key) then self:wait(entry, indent - 1, false) end
    return
  end
  if open and open.entry.value == "" and #open.entry.list == 0 then open.entry.value = text end
  self:close()
end

function Reader:line(raw, number)
  local mark, language = raw:match("^%s*```+%s*([%w_-]*)")
  local other = raw:match("^%s*~~~+%s*([%w_-]*)")
  if self.fence then
    local ends = self.fence.mark == "~" and other or self.fence.mark == "`" and mark
    if ends then return self:fence_ends() end
    table.insert(self.fence.lines, { text = raw:sub(1, LINE_MAX), line = number })
    return
  end
  if mark or other then
    self.fence = { mark = mark and "`" or "~", language = (language or mark or other):lower(),
      lines = {} }
    return
  end
  local text = clean(raw)
  if text:find("^%s*|") then return self:row(text, number) end
  if self.table then self:flush_row(self.table) end
  self.table = nil
  if not text:find("%S") then return end
  local title = text:match("^%s*#+%s+(.*)$")
  if title then return self:heading(title:match("^(.*[^%s#])") or "", number) end
  title = trim(text):match("^(.*)\u{b6}$")
  if title then return self:heading(title, number) end
  local indent, item = text:match("^(%s*)[-*+]%s+(.*)$")
  if not indent then indent, item = text:match("^(%s*)%d+[.)]%s+(.*)$") end
  if indent then return self:item(trim((item:gsub("^%[[ xX]%]%s*", ""))), #indent, number) end
  self:prose(trim(text), #text:match("^%s*"), number)
end

--- Every key of a text with what it is said to be.
-- @param text markdown, or anything
-- @param is_key function(text): whether a key is one whose value may stand below it
-- @return array of {key =, value = text, list = array of {text, line} below it, fence = array of
--   {text, line} below it or nil, line =, fenced = true for data in a fence, section = line of the
--   heading above or nil}
function M.read(text, is_key)
  local reader = setmetatable({ list = {}, is_key = is_key }, Reader)
  local number = 0
  for raw in (text:gsub("\r\n?", "\n") .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    reader:line(raw, number)
  end
  if reader.table then reader:flush_row(reader.table) end
  return reader.list
end

return M
