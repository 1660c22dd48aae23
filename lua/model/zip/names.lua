-- Which names an archive's entries may have: what any system unpacks below one folder, once.
local M = {}

local LONGEST <const> = 1024
local LONGEST_PART <const> = 200

local function part_fault(part)
  if part == "" then return "has an empty part" end
  if part == "." or part == ".." then return "leaves its folder" end
  if #part > LONGEST_PART then return "has a part of more than " .. LONGEST_PART .. " bytes" end
  return nil
end

local function fault(name)
  if name == "" then return "is empty" end
  if #name > LONGEST then return "is longer than " .. LONGEST .. " bytes" end
  if name:find("%z") then return "contains a zero byte" end
  if name:find("%c") then return "contains a control character" end
  if not utf8.len(name) then return "is not UTF-8" end
  if name:find("\\", 1, true) then return "contains a backslash" end
  if name:sub(1, 1) == "/" or name:find("^%a:") then return "is absolute" end
  for part in (name:gsub("/$", "") .. "/"):gmatch("(.-)/") do
    local reason = part_fault(part)
    if reason then return reason end
  end
  return nil
end

--- @return true, or nil, message, "archive_path"
function M.check(name)
  local reason = fault(name)
  if not reason then return true end
  local shown = name:sub(1, 80):gsub("[%c\x80-\xFF]", "?")
  return nil, ("entry name '%s' %s"):format(shown, reason), "archive_path"
end

local Set = {}
Set.__index = Set

--- The names of one archive, seen one after the other.
-- @return set with add(name)
function M.set()
  return setmetatable({ names = {}, above = {} }, Set)
end

-- What cannot lie beside what is there, below a folder that ignores case as some systems' do.
local function clash(self, name, key)
  local there = self.names[key]
  if there == name then return ("entry '%s' stands twice"):format(name) end
  if there then return ("entries '%s' and '%s' differ only in case"):format(there, name) end
  local is_file = name:sub(-1) ~= "/"
  if is_file and (self.above[key] or self.names[key .. "/"]) then
    return ("entry '%s' is both a file and a folder"):format(name)
  end
  for at in key:gmatch("()/") do
    local file = self.names[key:sub(1, at - 1)]
    if file then return ("entry '%s' is both a file and a folder"):format(file) end
  end
  return nil
end

--- Adds a name that M.check took, a folder's with a slash at its end.
-- @return true, or nil, message, "archive_duplicate"
function Set:add(name)
  local key = name:lower()
  local reason = clash(self, name, key)
  if reason then return nil, reason, "archive_duplicate" end
  self.names[key] = name
  for at in key:gmatch("()/") do self.above[key:sub(1, at - 1)] = true end
  return true
end

--- Refuses names that stand twice, also when only their case differs, or that are both a file's and
-- a folder's.
-- @param entries array with names
-- @return true, or nil, message, "archive_duplicate"
function M.check_all(entries)
  local set = M.set()
  for _, entry in ipairs(entries) do
    local ok, message, code = set:add(entry.name)
    if not ok then return nil, message, code end
  end
  return true
end

return M
