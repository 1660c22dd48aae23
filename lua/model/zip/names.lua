-- Which names an archive's entries may have: what any system unpacks below one folder, once.
local M = {}

local LONGEST <const> = 4096

local function fault(name)
  if name == "" then return "is empty" end
  if #name > LONGEST then return "is too long" end
  if name:find("%z") then return "contains a zero byte" end
  if name:find("%c") then return "contains a control character" end
  if not utf8.len(name) then return "is not UTF-8" end
  if name:find("\\", 1, true) then return "contains a backslash" end
  if name:sub(1, 1) == "/" or name:find("^%a:") then return "is absolute" end
  for part in (name:gsub("/$", "") .. "/"):gmatch("(.-)/") do
    if part == "" then return "has an empty part" end
    if part == "." or part == ".." then return "leaves its folder" end
  end
  return nil
end

--- @return true, or nil, message
function M.check(name)
  local reason = fault(name)
  if not reason then return true end
  return nil, ("entry name '%s' %s"):format(name:gsub("[%c\x80-\xFF]", "?"), reason)
end

--- Refuses a name that stands twice, also when only its case differs.
-- @param entries array with names
-- @return true, or nil, message
function M.check_all(entries)
  local seen = {}
  for _, entry in ipairs(entries) do
    local key = entry.name:lower()
    if seen[key] == entry.name then return nil, ("entry '%s' stands twice"):format(entry.name) end
    if seen[key] then
      return nil, ("entries '%s' and '%s' differ only in case"):format(seen[key], entry.name)
    end
    seen[key] = entry.name
  end
  return true
end

return M
