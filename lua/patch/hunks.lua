-- Which lines of a unified diff are headers and which are content of hunks, by the counts in the
-- hunks' own headers: `--- x` in a hunk is a deleted line, whatever validators take it for.
local M = {}

local function counts(text)
  local old, new = text:match("^@@ %-%d+,?(%d*) %+%d+,?(%d*) @@")
  if not old then return nil end
  return old == "" and 1 or tonumber(old), new == "" and 1 or tonumber(new)
end

--- The lines of a patch.
-- @param patch text
-- @return array of {text =, kind = "header"|"hunk"|"content"}
function M.lines(patch)
  local list, old, new = {}, 0, 0
  for text in (patch:find("\n$") and patch or patch .. "\n"):gmatch("([^\n]*)\n") do
    local kind, sign = "header", text:sub(1, 1)
    if old > 0 or new > 0 then
      kind = "content"
      if sign ~= "+" and sign ~= "\\" then old = old - 1 end
      if sign ~= "-" and sign ~= "\\" then new = new - 1 end
    else
      local more_old, more_new = counts(text)
      if more_old then kind, old, new = "hunk", more_old, more_new end
    end
    list[#list + 1] = { text = text, kind = kind }
  end
  return list
end

return M
