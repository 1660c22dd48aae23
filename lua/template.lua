-- Text with {names} in it, filled in strictly: a name that is not known is refused and never left
-- standing, and a brace that means itself is written twice, {{ or }}.
local check = require "bittern.check"

local M = {}

local function unknown(name, values)
  local near = check.nearest(name, check.sorted_keys(values))
  local hint = near and ("did you mean {%s}?"):format(near)
    or "known are {" .. table.concat(check.sorted_keys(values), "}, {") .. "}"
  return ("{%s} is not known; %s"):format(name, hint)
end

-- What stands at a brace, and where the text goes on; or nil and what is wrong.
local function at_brace(text, at, values)
  local pair = text:sub(at, at + 1)
  if pair == "{{" or pair == "}}" then return pair:sub(1, 1), at + 2 end
  local name, after = text:match("^{([%a_][%w_]*)}()", at)
  if not name then
    return nil, ("a lone '%s' at character %d; write it twice"):format(pair:sub(1, 1), at)
  end
  if values[name] == nil then return nil, unknown(name, values) end
  return tostring(values[name]), after
end

--- Fills in a text.
-- @param text with {name}, {{ and }}
-- @param values {name = string or number}
-- @return string, or nil, message, "usage"
function M.fill(text, values)
  local parts, at = {}, 1
  while true do
    local brace = text:find("[{}]", at)
    parts[#parts + 1] = text:sub(at, (brace or 0) - 1)
    if not brace then return table.concat(parts) end
    local part, after = at_brace(text, brace, values)
    if not part then return nil, after, "usage" end
    parts[#parts + 1] = part
    at = after
  end
end

return M
